"""What the files of an attempt and the process table together say of a job."""

import json

from helikon.backends.ports import answers
from helikon.backends.processes import Identity, is_alive, is_of_this_boot
from helikon.backends.records import Attempt, Exit
from helikon.errors import InputError
from helikon.workload import ModelServer, State, Status, Workload, from_json

__all__ = ["find_state", "find_status", "read_workload"]


def read_workload(attempt: Attempt) -> Workload:
    """Return what the attempt runs."""
    return from_json((attempt.folder / "workload.json").read_text(encoding="utf-8"))


def find_state(attempt: Attempt) -> State:
    """Tell the state of an attempt.

    It is alive while its runner lives, for the runner clears up before it
    goes. If the runner was killed, it is alive while its main process lives.
    """
    runner, _ = attempt.runner()
    if is_alive(runner):
        return _alive_state(attempt, is_watched=True)
    ended = attempt.exit()
    if ended is None and is_alive(attempt.main()):
        return _alive_state(attempt, is_watched=False)
    return _ended_state(attempt, attempt.exit())


def find_status(name: str, attempt: Attempt) -> Status:
    """Tell all that is known of an attempt; a record that cannot be read is a failed job, not an error."""
    try:
        return _status(read_workload(attempt), attempt)
    except (InputError, OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        cause = f"its record in {attempt.folder} cannot be read: {error}"
        return Status(name=name, kind="unknown", owner="", state=State.FAILED, cause=cause)


def _status(workload: Workload, attempt: Attempt) -> Status:
    state = find_state(attempt)
    runner, started = attempt.runner()
    ended = None if state.is_alive else attempt.exit()
    return Status(
        name=workload.name,
        kind=workload.kind,
        owner=workload.owner,
        state=state,
        exit_code=ended.code if ended else None,
        started=started,
        ended=ended.ended if ended else None,
        url=_url(workload, attempt) if state is State.RUNNING else None,
        cause=_cause(runner, ended) if state is State.FAILED else None,
        attempt=attempt.number,
        model=workload.model if isinstance(workload, ModelServer) else None,
    )


def _alive_state(attempt: Attempt, *, is_watched: bool) -> State:
    port = attempt.plan().port
    has_answered = attempt.marked("ready") is not None
    is_ready = port is None or has_answered or (not is_watched and answers(port, timeout_s=0.5))
    return State.RUNNING if is_ready else State.PENDING


def _ended_state(attempt: Attempt, ended: Exit | None) -> State:
    asked = attempt.marked("stop")
    if asked is not None and (ended is None or asked <= ended.ended):
        return State.STOPPED
    return State.SUCCEEDED if ended is not None and ended.code == 0 else State.FAILED


def _cause(runner: Identity, ended: Exit | None) -> str:
    if ended is not None:
        return ended.cause or f"exit code {ended.code}"
    if not is_of_this_boot(runner):
        return "lost with its machine, which was restarted"
    return "lost: its runner was killed, so its exit code is not known"


def _url(workload: Workload, attempt: Attempt) -> str | None:
    port = attempt.plan().port
    return f"http://127.0.0.1:{port}" if isinstance(workload, ModelServer) and port else None
