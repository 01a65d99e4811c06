"""Past applications, from Spark's event logs.

Spark writes what happens as lines of JSON, compressed, into a folder for each
application. A log that is still written, or was cut off when its driver was
killed, is read as far as it goes and said to be unfinished.
"""

import contextlib
import dataclasses
import io
import json
import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helikon.apps import needing
from helikon.backends.causes import cause_of
from helikon.errors import NotFound
from helikon.settings import Settings
from helikon.spark.conf import events_folder

__all__ = ["Application", "Stage", "find_application", "past_applications", "read_application", "read_lines"]


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
        ``done``, ``failed``, or ``unfinished``.
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


def past_applications(settings: Settings) -> list[Application]:
    """Return every application that has an event log here, oldest first."""
    with contextlib.suppress(FileNotFoundError):
        found = [read_application(log) for log in events_folder(settings).iterdir() if _is_log(log)]
        return sorted(found, key=lambda one: one.started or 0.0)
    return []


def find_application(settings: Settings, name: str) -> Application:
    """Return the newest application of a name, or the one of an identifier.

    Raises
    ------
    NotFound
        If there is none.
    """
    known = past_applications(settings)
    found = [one for one in known if name in (one.name, one.id)]
    if not found:
        names = ", ".join(dict.fromkeys(one.name for one in known))
        raise NotFound(f"no application {name} has an event log", expected=names or "none is known")
    return found[-1]


def read_application(log: Path) -> Application:
    """Read one event log: the folder of a rolling one, or its only file."""
    story = _Story(log.name.removeprefix("eventlog_v2_").partition(".")[0])
    for line in read_lines(*_files(log)):
        with contextlib.suppress(ValueError, KeyError, TypeError):  # a line that was cut off
            story.add(json.loads(line))
    return story.told()


def read_lines(*files: Path) -> Iterator[str]:
    """Yield the lines of a log's files, unpacked, as far as they can be read."""
    with needing("event logs need zstandard", "spark"):
        import zstandard

    for file in files:
        with file.open("rb") as packed:
            is_packed = file.suffix in (".zstd", ".zst") or ".zstd" in file.suffixes
            unpacked = (
                zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
                if is_packed
                else packed
            )
            with contextlib.suppress(zstandard.ZstdError, EOFError):
                yield from io.TextIOWrapper(unpacked, encoding="utf-8", errors="replace")


def _is_log(path: Path) -> bool:
    return not path.name.startswith(".") and (path.is_dir() or path.stat().st_size > 0)


def _files(log: Path) -> list[Path]:
    if log.is_file():
        return [log]
    numbered = [(re.match(r"events_(\d+)_", path.name), path) for path in log.iterdir()]
    return [path for _, path in sorted((int(match[1]), path) for match, path in numbered if match)]


class _Story:
    """What the events of one log tell, added up."""

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
        label = (event.get("Properties") or {}).get("spark.job.description")
        if label:
            self.labels |= dict.fromkeys(event["Stage IDs"], label)

    def _on_JobEnd(self, event: dict[str, Any]) -> None:  # noqa: N802
        result, job = event["Job Result"], event["Job ID"]
        self.jobs[job] = "done" if result["Result"] == "JobSucceeded" else "failed"
        if self.jobs[job] == "failed":
            self.causes[job] = _cause(str((result.get("Exception") or {}).get("Message", "")))

    def _on_StageSubmitted(self, event: dict[str, Any]) -> None:  # noqa: N802
        self._stage(event["Stage Info"])

    def _on_StageCompleted(self, event: dict[str, Any]) -> None:  # noqa: N802
        info = event["Stage Info"]
        stage = self._stage(info)
        stage["ended"] = info.get("Completion Time")
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
        done = "failed" if stage["cause"] else "done"
        return Stage(
            number=key[0],
            attempt=key[1],
            name=self.labels.get(key[0]) or info["Stage Name"],
            state="unfinished" if ended is None else done,
            n_tasks=info["Number of Tasks"],
            n_done=len(tasks),
            n_failed=stage["failed"],
            started=started,
            duration_s=_between(started, ended),
            median_task_s=statistics.median(tasks) if tasks else None,
            longest_task_s=max(tasks, default=None),
            cause=stage["cause"],
        )


def _cause(said: str) -> str:
    """Return the first Python error of what Spark says, in a line."""
    return cause_of(1, said[max(0, said.find("Traceback (most recent call last)")) :])


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _between(started: float | None, ended: float | None) -> float | None:
    return None if started is None or ended is None else round(ended - started, 3)
