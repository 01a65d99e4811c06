"""What the events of one application add up to: its jobs, stages and tasks, and why they failed."""

import dataclasses
import statistics
from typing import Any

from helikon.backends.causes import cause_of

__all__ = ["Application", "Stage", "Story"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of an application, at one attempt.

    Attributes
    ----------
    number, attempt : int
        Spark's; attempts count from 0.
    name : str
        What its job was called, else where in the program it was asked for.
    state : str
        ``done``, ``failed``, ``skipped`` (its output was there already), or
        ``unfinished``.
    n_tasks, n_done, n_failed : int
        Tasks it has, those that ended well, and attempts that did not.
    started : float or None
        Unix time in seconds.
    duration_s : float or None
        Of the whole, once it has ended.
    median_task_s, longest_task_s : float or None
        Of the tasks that ended well.
    cause : str or None
        Why it failed, in a line.
    """

    number: int
    attempt: int
    name: str
    state: str
    n_tasks: int
    n_done: int
    n_failed: int
    started: float | None
    duration_s: float | None
    median_task_s: float | None
    longest_task_s: float | None
    cause: str | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application, or one session of a notebook, a study or a command.

    Attributes
    ----------
    id : str
        Spark's.
    name : str
        The job's, or the session's.
    state : str
        ``done``; ``failed``, if its last job failed; ``unfinished``, if the
        log has no end: it still runs, or its driver was killed.
    owner : str
        Who ran it.
    started : float or None
        Unix time in seconds.
    duration_s : float or None
        Once it has ended.
    n_jobs, n_failed_jobs : int
        Spark jobs.
    cause : str or None
        The first Python error of the last job that failed, in a line.
    stages : tuple of Stage
        In the order they were begun.
    """

    id: str
    name: str
    state: str
    owner: str
    started: float | None
    duration_s: float | None
    n_jobs: int
    n_failed_jobs: int
    cause: str | None
    stages: tuple[Stage, ...]

    @property
    def n_tasks(self) -> int:
        """Tasks of all stages that ended well."""
        return sum(stage.n_done for stage in self.stages)

    @property
    def n_failed_tasks(self) -> int:
        """Attempts at tasks that failed."""
        return sum(stage.n_failed for stage in self.stages)


class Story:
    """The events of one log, taken in one by one.

    Parameters
    ----------
    name : str
        Of the log, until an event says the application's.
    """

    def __init__(self, name: str) -> None:
        self.id = self.name = name
        self.owner, self.ended = "", False
        self.started: float | None = None
        self.end: float | None = None
        self.jobs: dict[int, str] = {}
        self.causes: dict[int, str] = {}
        self.stages: dict[tuple[int, int], dict[str, Any]] = {}
        self.labels: dict[int, str] = {}

    def add(self, event: dict[str, Any]) -> None:
        """Take one event in."""
        kind = str(event["Event"]).removeprefix("SparkListener")
        handler = getattr(self, f"_on_{kind}", None)
        if handler is not None:
            handler(event)

    def _on_ApplicationStart(self, event: dict[str, Any]) -> None:  # noqa: N802
        self.id, self.name = event.get("App ID") or self.id, event["App Name"]
        self.owner, self.started = event["User"], event["Timestamp"] / 1000

    def _on_ApplicationEnd(self, event: dict[str, Any]) -> None:  # noqa: N802
        self.ended, self.end = True, event["Timestamp"] / 1000

    def _on_JobStart(self, event: dict[str, Any]) -> None:  # noqa: N802
        self.jobs[event["Job ID"]] = "unfinished"
        for info in event.get("Stage Infos", ()):
            self._stage(info).setdefault("job", event["Job ID"])
        label = (event.get("Properties") or {}).get("spark.job.description")
        if label:
            self.labels |= dict.fromkeys(event["Stage IDs"], label)

    def _on_JobEnd(self, event: dict[str, Any]) -> None:  # noqa: N802
        result, job = event["Job Result"], event["Job ID"]
        self.jobs[job] = "done" if result["Result"] == "JobSucceeded" else "failed"
        if self.jobs[job] == "failed":
            self.causes[job] = _cause(str((result.get("Exception") or {}).get("Message", "")))

    def _on_StageSubmitted(self, event: dict[str, Any]) -> None:  # noqa: N802
        self._stage(event["Stage Info"])["begun"] = True

    def _on_StageCompleted(self, event: dict[str, Any]) -> None:  # noqa: N802
        info = event["Stage Info"]
        stage = self._stage(info)
        stage["begun"], stage["ended"] = True, info.get("Completion Time")
        if "Failure Reason" in info:
            stage["cause"] = _cause(info["Failure Reason"])

    def _on_TaskEnd(self, event: dict[str, Any]) -> None:  # noqa: N802
        stage = self.stages[event["Stage ID"], event["Stage Attempt ID"]]
        if event["Task End Reason"]["Reason"] == "Success":
            task = event["Task Info"]
            stage["tasks"].append((task["Finish Time"] - task["Launch Time"]) / 1000)
        elif event["Task End Reason"]["Reason"] != "TaskKilled":
            stage["failed"] += 1

    def _stage(self, info: dict[str, Any]) -> dict[str, Any]:
        fresh: dict[str, Any] = {"tasks": [], "failed": 0, "ended": None, "cause": None}
        stage = self.stages.setdefault((info["Stage ID"], info["Stage Attempt ID"]), fresh)
        stage["info"] = info
        return stage

    def told(self) -> Application:
        """Return it all."""
        failed = [job for job, state in self.jobs.items() if state == "failed"]
        last_failed = bool(self.jobs) and self.jobs[max(self.jobs)] == "failed"
        return Application(
            id=self.id,
            name=self.name,
            state="unfinished" if not self.ended else "failed" if last_failed else "done",
            owner=self.owner,
            started=self.started,
            duration_s=_between(self.started, self.end),
            n_jobs=len(self.jobs),
            n_failed_jobs=len(failed),
            cause=self.causes[failed[-1]] if failed else None,
            stages=tuple(self._told(key) for key in sorted(self.stages)),
        )

    def _told(self, key: tuple[int, int]) -> Stage:
        stage = self.stages[key]
        info, tasks = stage["info"], stage["tasks"]
        started, ended = _seconds(info.get("Submission Time")), _seconds(stage["ended"])
        return Stage(
            number=key[0],
            attempt=key[1],
            name=self.labels.get(key[0]) or info["Stage Name"],
            state=self._state(stage),
            n_tasks=info["Number of Tasks"],
            n_done=len(tasks),
            n_failed=stage["failed"],
            started=started,
            duration_s=_between(started, ended),
            median_task_s=statistics.median(tasks) if tasks else None,
            longest_task_s=max(tasks, default=None),
            cause=stage["cause"],
        )

    def _state(self, stage: dict[str, Any]) -> str:
        if stage["ended"] is not None:
            return "failed" if stage["cause"] else "done"
        is_over = self.jobs.get(stage.get("job", -1), "unfinished") != "unfinished"
        return "skipped" if is_over and not stage.get("begun") else "unfinished"


def _cause(said: str) -> str:
    """Return the first Python error of what Spark says, in a line."""
    return cause_of(1, said[max(0, said.find("Traceback (most recent call last)")) :])


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _between(started: float | None, ended: float | None) -> float | None:
    return None if started is None or ended is None else round(ended - started, 3)
