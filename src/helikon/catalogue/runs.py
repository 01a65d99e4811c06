"""One MLflow run for each job: what went in, what came out, how it ended.

:func:`record` opens it and ends it truthfully; the same job's name opens the
same run again, so a training that resumes is one run. :func:`settle` closes
the runs of jobs that were killed before they could.
"""

import contextlib
import dataclasses
import functools
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from helikon import __version__
from helikon.catalogue.checksums import sha256_of_file, sha256_of_folder
from helikon.catalogue.tracking import EXPERIMENT, client, engine_errors, exists
from helikon.settings import Settings
from helikon.workload import State, Status

__all__ = ["Run", "code_version", "find_run", "record", "settle"]

_JOB, _KIND = "helikon.job", "helikon.kind"
_LONGEST = 5000
_ENDS = {State.SUCCEEDED: "FINISHED", State.FAILED: "FAILED", State.STOPPED: "KILLED"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An open run.

    Attributes
    ----------
    run_id : str
        MLflow's identifier.
    client : MlflowClient
        What writes to it.
    """

    run_id: str
    client: Any

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add figures, at a step where they belong to one."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        figures = [Metric(key, float(value), now, step or 0) for key, value in metrics.items()]
        with engine_errors("figures cannot be recorded"):
            self.client.log_batch(self.run_id, metrics=figures)

    def log_parameters(self, parameters: Mapping[str, object]) -> None:
        """Add parameters; one that is there already keeps its first value."""
        from mlflow.entities import Param

        with engine_errors("parameters cannot be recorded"):
            known = self.client.get_run(self.run_id).data.params
            new = [Param(key, _short(value)) for key, value in parameters.items() if key not in known]
            self.client.log_batch(self.run_id, params=new)

    def log_file(self, path: Path, folder: str = "") -> None:
        """Keep a copy of a file with the run."""
        with engine_errors(f"{path} cannot be kept"):
            self.client.log_artifact(self.run_id, str(path), folder or None)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags, over what they were."""
        from mlflow.entities import RunTag

        with engine_errors("tags cannot be recorded"):
            self.client.log_batch(
                self.run_id, tags=[RunTag(key, _short(value)) for key, value in tags.items()]
            )


@contextlib.contextmanager
def record(
    settings: Settings,
    *,
    kind: str,
    name: str,
    parameters: Mapping[str, object] | None = None,
    inputs: Mapping[str, Path | str] | None = None,
    parent: str | None = None,
) -> Iterator[Run]:
    """Record what happens inside as one run.

    Parameters
    ----------
    settings : Settings
        Say where the store is and who the owner is.
    kind : str
        ``training``, ``tuning``, ``spark``, ``publish``, …
    name : str
        Of the job. The same name and kind open the same run again.
    parameters : Mapping[str, object], optional
        The job's settings.
    inputs : Mapping[str, Path or str], optional
        What goes in. A path of a file or folder is recorded with its SHA-256,
        other text as it is.
    parent : str, optional
        Identifier of the run this one belongs to.

    Yields
    ------
    Run
        It ends FINISHED, KILLED on Ctrl-C and on a ``SystemExit`` above 128
        (a signal), else FAILED with the error as tag ``helikon.error``.
    """
    run = _open(settings, kind, name)
    run.set_tags(_tags(settings, parent, inputs or {}))
    run.log_parameters(parameters or {})
    try:
        yield run
    except BaseException as error:
        with contextlib.suppress(Exception):  # the error itself says more than one on recording it
            if (ending := _ending(error)) != "FINISHED":
                run.set_tags({"helikon.error": f"{type(error).__name__}: {error}"})
            run.client.set_terminated(run.run_id, ending)
        raise
    run.client.set_terminated(run.run_id, "FINISHED")


def find_run(settings: Settings, name: str, kind: str | None = None) -> str | None:
    """Return the identifier of a job's newest run, or nothing if it has none."""
    return _find(client(settings), name, kind) if exists(settings) else None


def settle(settings: Settings, statuses: list[Status]) -> None:
    """End the runs that are still open though their jobs have ended, as the jobs did."""
    ended = {status.name: status for status in statuses if status.state in _ENDS}
    if not ended or not exists(settings):
        return
    mlflow = client(settings)
    for run in _search(mlflow, "attributes.status = 'RUNNING'"):
        if (status := ended.get(run.data.tags.get(_JOB, ""))) is not None:
            end_ms = int((status.ended or time.time()) * 1000)
            if status.state is State.FAILED:
                mlflow.set_tag(run.info.run_id, "helikon.error", _short(status.cause or "it was lost"))
            mlflow.set_terminated(run.info.run_id, _ENDS[status.state], end_ms)


@functools.cache
def code_version() -> str:
    """Return Helikon's version, with the commit and ``+changes`` in a checkout."""
    root = Path(__file__).parents[3]
    if not (root / ".git").exists():
        return __version__
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    changes = "+changes" if _git(root, "status", "--porcelain", "--untracked-files=no") else ""
    return f"{__version__} {commit}{changes}" if commit else __version__


def _open(settings: Settings, kind: str, name: str) -> Run:
    mlflow = client(settings)
    (settings.state_dir / "mlflow").mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(settings.state_dir / "mlflow" / "runs.lock"), engine_errors("a run cannot be opened"):
        run_id = _find(mlflow, name, kind)
        if run_id is None:
            tags = {_JOB: name, _KIND: kind, "mlflow.user": settings.owner, "mlflow.runName": name}
            run_id = mlflow.create_run(_experiment(mlflow), tags=tags).info.run_id
        else:
            mlflow.update_run(run_id, status="RUNNING")
    return Run(run_id=run_id, client=mlflow)


def _find(mlflow: Any, name: str, kind: str | None) -> str | None:
    wanted = f"tags.`{_JOB}` = '{_quoted(name)}'"
    if kind:
        wanted += f" and tags.`{_KIND}` = '{_quoted(kind)}'"
    found = _search(mlflow, wanted)
    return found[0].info.run_id if found else None


def _search(mlflow: Any, wanted: str) -> list[Any]:
    with engine_errors("runs cannot be searched"):
        return list(
            mlflow.search_runs([_experiment(mlflow)], wanted, order_by=["attributes.start_time DESC"])
        )


def _experiment(mlflow: Any) -> str:
    found = mlflow.get_experiment_by_name(EXPERIMENT)
    return str(found.experiment_id if found else mlflow.create_experiment(EXPERIMENT))


def _tags(settings: Settings, parent: str | None, inputs: Mapping[str, Path | str]) -> dict[str, str]:
    tags = {"helikon.owner": settings.owner, "helikon.code_version": code_version()}
    if parent:
        tags["mlflow.parentRunId"] = parent
    return tags | {f"helikon.input.{key}": json.dumps(_described(value)) for key, value in inputs.items()}


def _described(source: Path | str) -> dict[str, str]:
    path = Path(source)
    if isinstance(source, Path) or (len(source) < 1000 and path.exists()):
        digest = sha256_of_folder if path.is_dir() else sha256_of_file
        return {"source": str(path.absolute()), "sha256": digest(path)}
    return {"source": source}


def _ending(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        code = error.code or 0
        return "FINISHED" if code == 0 else "KILLED" if isinstance(code, int) and code > 128 else "FAILED"
    return "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _quoted(text: str) -> str:
    return text.replace("'", "")


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
