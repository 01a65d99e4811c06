"""Run a training job to its end and show how far it is."""

import time
from typing import TYPE_CHECKING

from helikon.backends import connect, wait
from helikon.catalogue.runs import settle
from helikon.settings import Settings
from helikon.training.launch import output_folder
from helikon.training.progress import showing
from helikon.training.records import newest_record
from helikon.workload import Status, TrainingJob

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["run_job"]


def run_job(settings: Settings, job: TrainingJob, *, console: "Console | None" = None) -> Status:
    """Start a job, show its progress, and return when it has succeeded.

    A job that was stopped, failed or killed goes on from its checkpoint; one
    that has succeeded returns at once. If this is interrupted, the job is stopped.

    Parameters
    ----------
    settings : Settings
        Say where it runs.
    job : TrainingJob
        See :func:`helikon.training.launch.training_job`.
    console : Console, optional
        Where progress is shown; standard error by default.

    Raises
    ------
    JobFailed
        If it failed; says why.
    """
    backend = connect(settings)
    backend.start(job)
    try:
        _show(settings, job, console)
    except BaseException:
        backend.stop(job.name)
        raise
    finally:
        settle(settings, backend.status(job.name))
    return wait(backend, job.name)


def _show(settings: Settings, job: TrainingJob, console: "Console | None") -> None:
    backend, shown = connect(settings), None
    metrics = output_folder(settings, job.name) / "metrics.jsonl"
    with showing(job.recipe, console) as show:
        is_alive = True
        while is_alive:
            is_alive = backend.status(job.name)[0].state.is_alive
            record = newest_record(metrics)
            if record is not None and record != shown:
                show(record)
                shown = record
            if is_alive:
                time.sleep(0.3)
