"""A study's folder: Optuna's journal, kept by one process at a time and readable after any death."""

import contextlib
import dataclasses
import heapq
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from helikon.errors import AlreadyExists, InputError
from helikon.settings import Settings
from helikon.spark.failures import Failure, failures_of

if TYPE_CHECKING:
    import optuna

__all__ = ["BestTrial", "StudyUpdate", "open_study", "study_folder", "summarise", "write_result"]

N_BEST = 10
"""How many of the best trials are told."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BestTrial:
    """A complete trial that is among the best.

    Attributes
    ----------
    number : int
        Of the trial.
    values : tuple of float
        Of the objective, one for each direction.
    params : tuple of (str, object)
        Its parameters.
    """

    number: int
    values: tuple[float, ...]
    params: tuple[tuple[str, object], ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyUpdate:
    """How far a study is.

    Attributes
    ----------
    name : str
        Of the study.
    n_trials : int
        How many are wanted.
    n_running, n_complete, n_pruned, n_failed : int
        Trials in each state.
    best_number : int or None
        Number of the best trial, of a study with one objective, once one is complete.
    best_value : float or None
        Its value.
    best_params : tuple of (str, object)
        Its parameters.
    best : tuple of BestTrial
        The ten best, the best first; of several objectives, those that no
        other trial beats in all.
    failures : tuple of Failure
        Why trials failed, the commonest cause first.
    """

    name: str
    n_trials: int
    n_running: int = 0
    n_complete: int = 0
    n_pruned: int = 0
    n_failed: int = 0
    best_number: int | None = None
    best_value: float | None = None
    best_params: tuple[tuple[str, object], ...] = ()
    best: tuple[BestTrial, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def n_ended(self) -> int:
        """Trials that have ended."""
        return self.n_complete + self.n_pruned + self.n_failed


def study_folder(settings: Settings, name: str) -> Path:
    """Return the folder of a study: ``<state_dir>/studies/<name>``.

    Raises
    ------
    InputError
        If the name cannot be one of a folder.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise InputError(
            "a study's name cannot be used", got=repr(name), expected="a name without slashes, not empty"
        )
    return settings.state_dir / "studies" / name


@contextlib.contextmanager
def open_study(
    folder: Path, name: str, directions: Sequence[str], *, resume: bool
) -> Iterator["optuna.Study"]:
    """Open a study for this process alone, made if it is not there.

    Raises
    ------
    AlreadyExists
        If it is there and shall not be resumed, or another process has it.
    InputError
        If it has other directions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise AlreadyExists(f"another process is tuning study {name}") from error
    try:
        with _storage(folder / "journal.log") as storage:
            yield _load(storage, name, directions, resume=resume)
    finally:
        lock.release()


@contextlib.contextmanager
def _storage(path: Path) -> Iterator[Any]:
    import optuna

    from helikon.spark.journal import open_journal

    _mend(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = open_journal(path)
    try:
        yield storage
    finally:
        storage.sync()


def _load(
    storage: "optuna.storages.JournalStorage", name: str, directions: Sequence[str], *, resume: bool
) -> "optuna.Study":
    import optuna

    if optuna.get_all_study_names(storage) and not resume:
        raise AlreadyExists(
            f"there is a study {name} already", next_step="go on with it (--resume), or take another name"
        )
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        directions=list(directions),
        sampler=optuna.samplers.RandomSampler(),  # the workers sample; this one is never asked
        pruner=optuna.pruners.NopPruner(),
        load_if_exists=True,
    )
    known = tuple(direction.name.lower() for direction in study.directions)
    if known != tuple(directions):
        raise InputError(
            f"study {name} has other directions", got=", ".join(directions), expected=", ".join(known)
        )
    return study


def _mend(journal: Path) -> None:
    """Undo what a process that was killed left behind; ours is the only one now."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{journal}.lock")
    if not journal.exists():
        return
    with journal.open("r+b") as file:
        data = file.read()
        file.truncate(data.rfind(b"\n") + 1)


def summarise(study: "optuna.Study", n_trials: int) -> StudyUpdate:
    """Count a study's trials and find its best."""
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    states = [trial.state for trial in trials]
    best = best_trials(study) if TrialState.COMPLETE in states else ()
    first: dict[str, Any] = {}
    if len(study.directions) == 1 and best:
        first = {
            "best_number": best[0].number,
            "best_value": best[0].values[0],
            "best_params": best[0].params,
        }
    return StudyUpdate(
        name=study.study_name,
        n_trials=n_trials,
        n_running=states.count(TrialState.RUNNING),
        n_complete=states.count(TrialState.COMPLETE),
        n_pruned=states.count(TrialState.PRUNED),
        n_failed=states.count(TrialState.FAIL),
        best=best,
        failures=failures_of(study),
        **first,
    )


def best_trials(study: "optuna.Study") -> tuple[BestTrial, ...]:
    """Return the ten best complete trials; of several objectives, ten of those that no other one beats."""
    from optuna.trial import TrialState

    if len(study.directions) > 1:
        found = study.best_trials
    else:
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        upwards = study.direction.name == "MAXIMIZE"
        found = heapq.nsmallest(
            N_BEST, complete, key=lambda trial: (-trial.value if upwards else trial.value, trial.number)
        )
    return tuple(
        BestTrial(number=one.number, values=tuple(one.values), params=tuple(one.params.items()))
        for one in found[:N_BEST]
    )


def write_result(study: "optuna.Study", update: StudyUpdate, folder: Path) -> Path:
    """Write ``result.json``: the counts and the best trials, whole or not at all."""
    best = study.best_trials if update.n_complete else []
    result = {
        "study": study.study_name,
        "directions": [direction.name.lower() for direction in study.directions],
        "n_complete": update.n_complete,
        "n_pruned": update.n_pruned,
        "n_failed": update.n_failed,
        "best": [{"number": t.number, "values": t.values, "params": t.params} for t in best],
        "failed": [dataclasses.asdict(failure) for failure in update.failures],
    }
    path = folder / "result.json"
    beside = folder / f"result.json.{os.getpid()}"
    beside.write_text(json.dumps(result, indent=1, default=str))
    os.replace(beside, path)
    return path
