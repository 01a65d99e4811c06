"""The part of the contract that is about the life of a job: start, fail, start again."""

import pytest

from helikon.backends import Backend, wait
from helikon.errors import AlreadyExists, JobFailed, NotReady
from helikon.testing.one_liners import FOREVER, batch, ended, running, written
from helikon.workload import State, Status

__all__ = ["LifeContract"]


class LifeContract:
    """How every backend starts jobs and tells their ends."""

    def test_a_job_runs_to_its_end(self, backend: Backend) -> None:
        """Its status tells all that there is to know."""
        assert backend.start(batch("hello", "print('hello')")) == "hello"
        status = wait(backend, "hello", 30)
        assert status.started is not None
        assert status.ended is not None
        assert 0 <= status.ended - status.started < 30
        assert status == Status(
            name="hello",
            kind="batch",
            owner="ada",
            state=State.SUCCEEDED,
            exit_code=0,
            started=status.started,
            ended=status.ended,
            attempt=1,
        )
        assert list(backend.logs("hello")) == ["hello"]

    def test_a_living_job_has_started_and_not_ended(self, backend: Backend) -> None:
        """It is alive from the moment that start returns."""
        backend.start(batch("long", FOREVER))
        (status,) = backend.status("long")
        assert status.state.is_alive
        assert (status.ended, status.exit_code, status.cause) == (None, None, None)
        running(backend, "long")

    def test_the_same_workload_again_is_the_same_job(self, backend: Backend) -> None:
        """While it is alive nothing new runs."""
        backend.start(batch("long", FOREVER))
        written(backend, "long", "began")
        before = backend.status("long")
        assert backend.start(batch("long", FOREVER)) == "long"
        assert backend.status("long") == before
        backend.stop("long")
        assert list(backend.logs("long")) == ["began"]

    def test_a_job_that_has_succeeded_is_not_run_again(self, backend: Backend) -> None:
        """Its record stays as it is."""
        job = batch("once", "print('began')")
        backend.start(job)
        before = wait(backend, "once", 30)
        backend.start(job)
        assert backend.status("once") == [before]
        assert list(backend.logs("once")) == ["began"]

    @pytest.mark.parametrize("code", [FOREVER, "print('began')", "raise SystemExit(1)"])
    def test_a_name_belongs_to_one_job(self, backend: Backend, code: str) -> None:
        """Another workload is refused, whether the first is alive, done or failed."""
        backend.start(batch("taken", code))
        with pytest.raises(AlreadyExists, match="the name taken is taken by another batch workload"):
            backend.start(batch("taken", "print('another')"))
        if code != FOREVER:
            ended(backend, "taken")
            with pytest.raises(AlreadyExists, match="taken"):
                backend.start(batch("taken", "print('another')"))
        assert "another" not in list(backend.logs("taken"))

    def test_a_failed_job_is_started_again_under_its_name(self, backend: Backend) -> None:
        """The log keeps both attempts."""
        job = batch("weak", "print('began'); raise SystemExit(7)")
        backend.start(job)
        assert ended(backend, "weak").attempt == 1
        backend.start(job)
        again = ended(backend, "weak")
        assert (again.attempt, again.state, again.exit_code) == (2, State.FAILED, 7)
        assert [line for line in backend.logs("weak") if line == "began"] == ["began"] * 2

    def test_a_stopped_job_is_started_again_under_its_name(self, backend: Backend) -> None:
        """It was ended, not done."""
        backend.start(batch("long", FOREVER))
        backend.stop("long")
        backend.start(batch("long", FOREVER))
        (status,) = backend.status("long")
        assert status.state.is_alive
        assert status.attempt == 2

    @pytest.mark.parametrize(
        ("code", "exit_code", "cause"),
        [
            ("raise ValueError('no such tile')", 1, "ValueError: no such tile"),
            ("import sys; sys.exit(7)", 7, "exit code 7"),
            ("import os; os.kill(os.getpid(), 9)", -9, "killed by SIGKILL (out of memory?)"),
            ("import sys; sys.exit('helikon: map.fits has no beam')", 1, "map.fits has no beam"),
        ],
    )
    def test_a_failure_has_an_exit_code_and_a_cause(
        self, backend: Backend, code: str, exit_code: int, cause: str
    ) -> None:
        """The cause is one line that a person can act on."""
        backend.start(batch("weak", code))
        status = ended(backend, "weak")
        assert (status.state, status.exit_code, status.cause) == (State.FAILED, exit_code, cause)

    def test_who_waits_for_a_failed_job_is_told_the_cause(self, backend: Backend) -> None:
        """The same line as in the status."""
        backend.start(batch("weak", "raise ValueError('no such tile')"))
        with pytest.raises(JobFailed, match="job weak failed: got ValueError: no such tile"):
            wait(backend, "weak", 30)

    def test_waiting_has_an_end_and_the_job_goes_on(self, backend: Backend) -> None:
        """Waiting is no hold on the job."""
        backend.start(batch("long", FOREVER))
        with pytest.raises(NotReady, match="job long has not ended"):
            wait(backend, "long", 0.1)
        assert backend.status("long")[0].state.is_alive
