"""Waiting tells success from failure, and has an end."""

import pytest

from helikon.backends import wait
from helikon.errors import JobFailed, NotReady
from helikon.workload import State, Status


class Told:
    """Tells one state after the other."""

    def __init__(self, *states: State, cause: str | None = None) -> None:
        self.states, self.cause = list(states), cause

    def status(self, *names: str) -> list[Status]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return [Status(name=names[0], kind="batch", owner="ada", state=state, cause=self.cause)]


def test_success_is_returned() -> None:
    told = Told(State.PENDING, State.RUNNING, State.SUCCEEDED)
    assert wait(told, "a", interval_s=0).state is State.SUCCEEDED


def test_failure_is_raised_with_its_cause_and_where_to_look() -> None:
    told = Told(State.RUNNING, State.FAILED, cause="ValueError: x")
    with pytest.raises(JobFailed) as failed:
        wait(told, "a", interval_s=0)
    assert str(failed.value) == "job a failed: got ValueError: x; helikon job logs a"


def test_a_stopped_job_has_not_succeeded() -> None:
    with pytest.raises(JobFailed, match="job a stopped: got it was stopped"):
        wait(Told(State.STOPPED), "a")


def test_time_over_is_not_failure() -> None:
    with pytest.raises(NotReady, match="job a has not ended: got running after 0 s; it goes on"):
        wait(Told(State.RUNNING), "a", 0, interval_s=0.001)
