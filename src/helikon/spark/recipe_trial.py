"""One trial of a training recipe: its training in a process of its own, followed by its record.

A worker that is killed takes the training with it, and its successor goes on
from the checkpoint. A trial that is pruned or has ended leaves its model and
figures, and no checkpoint.
"""

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from helikon.backends.causes import cause_of, tail
from helikon.errors import EngineError, InputError
from helikon.spark.ranges import Choice, Range, suggest

if TYPE_CHECKING:
    import optuna

__all__ = ["Training", "train_trial"]

_POLL_S = 0.2
# Says itself that it dies with its worker (PR_SET_PDEATHSIG): code between fork and exec would run
# with the copied locks of gRPC's threads.
_PROGRAM = """
import ctypes, os, runpy, sys
ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
if os.getppid() != int(sys.argv.pop(1)):
    os._exit(1)
runpy.run_module("helikon.training.main", run_name="__main__")
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What all trials of a recipe have in common.

    Attributes
    ----------
    recipe : str
        ``APP/RECIPE`` or ``module:function``.
    options : tuple of str
        ``key=value`` options that stay as they are.
    metric : str
        The figure that is the value.
    settings : Mapping[str, object]
        As they are written into a settings file.
    """

    recipe: str
    options: tuple[str, ...]
    metric: str
    settings: Mapping[str, Any]


def train_trial(training: Training, space: dict[str, Range | Choice], trial: "optuna.Trial") -> float:
    """Train with a trial's options, and return the figure at the end.

    Raises
    ------
    EngineError
        If the training failed; with its cause.
    InputError
        If the record has no such figure.
    """
    drawn = [f"{key}={value}" for key, value in suggest(trial, space).items()]
    name = f"{trial.study.study_name}-{trial.number}"
    folder = Path(training.settings["state_dir"]) / "training" / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("ab") as log:
        offset = log.tell()
        process = _start(training, name, folder, [*training.options, *drawn], log)
        try:
            _follow(process, folder / "metrics.jsonl", training.metric, trial)
        finally:
            _end(process)
    if process.returncode:
        raise EngineError(
            f"training {name} failed", got=cause_of(process.returncode, tail(folder / "log", offset))
        )
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return _figure(_records(folder / "metrics.jsonl")[-1], training.metric)


def _start(training: Training, name: str, folder: Path, options: list[str], log: Any) -> Any:
    config = folder / "settings.yaml"
    config.write_text(yaml.safe_dump(dict(training.settings)))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HELIKON_")}
    words = [word for option in options for word in ("--option", option)]
    ours = {"HELIKON_CONFIG": str(config), "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(os.getpid()), training.recipe, "--name", name, *words],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment | ours,
    )


def _follow(process: Any, metrics: Path, metric: str, trial: "optuna.Trial") -> None:
    """Report what is recorded until the training has ended; raise if the pruner has seen enough."""
    import optuna

    told = -1
    is_alive = True
    while is_alive:
        is_alive = process.poll() is None
        for record in _records(metrics):
            step = int(record["step"])
            if step > told and metric in record:
                told = step
                trial.report(float(record[metric]), step)
        if is_alive and told >= 0 and trial.should_prune():
            shutil.rmtree(metrics.parent / "checkpoint", ignore_errors=True)
            raise optuna.TrialPruned
        if is_alive:
            time.sleep(_POLL_S)


def _end(process: Any) -> None:
    with contextlib.suppress(ProcessLookupError):
        if process.poll() is None:
            process.kill()
    process.wait()


def _records(metrics: Path) -> list[dict[str, float]]:
    """Return the whole records there are."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for line in metrics.read_text().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
    return found


def _figure(record: dict[str, float], metric: str) -> float:
    if metric not in record:
        raise InputError(f"the record has no {metric}", expected=f"one of {', '.join(sorted(record))}")
    return float(record[metric])
