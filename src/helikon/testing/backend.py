"""The contract of the seam, as tests.

Every backend passes this class::

    class TestMyBackend(BackendContract):
        @pytest.fixture
        def backend(self, settings):
            yield MyBackend(settings)

        def elsewhere(self, backend):
            return "from mine import MyBackend; backend = MyBackend(...)"

The jobs run Python one-liners and say what they do in their logs, so that
nothing here looks at a disk or a process table. ``servers.py`` holds the part
about model servers.
"""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from helikon.backends import Backend, wait
from helikon.errors import AlreadyExists, JobFailed, NotFound, NotReady
from helikon.testing.polling import eventually
from helikon.testing.servers import ServerContract
from helikon.workload import BatchJob, State, Status, to_json

__all__ = ["BackendContract"]

FOREVER = "print('began', flush=True); import time; time.sleep(3600)"
TICK_IN_A_SESSION_OF_ITS_OWN = """
import os, sys, time, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.setsid()
while True:
    print('tick', flush=True)
    time.sleep(0.02)
"""
LEAVE_A_CHILD = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, '-c', {TICK_IN_A_SESSION_OF_ITS_OWN!r}])
time.sleep(0.5)
"""


def batch(name: str, code: str, **fields: object) -> BatchJob:
    """Return a job that runs Python code."""
    return BatchJob(name=name, owner="ada", command=("python", "-c", code), **fields)  # type: ignore[arg-type]


class BackendContract(ServerContract):
    """What every backend does; override ``backend`` and :meth:`elsewhere`."""

    @pytest.fixture
    def backend(self) -> Iterator[Backend]:
        """Yield the backend under test, with nothing in it; stop everything of it afterwards."""
        raise NotImplementedError

    def elsewhere(self, backend: Backend) -> str:
        """Return Python code that binds ``backend`` to the same place in another process."""
        raise NotImplementedError

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
        _running(backend, "long")

    def test_the_same_workload_again_is_the_same_job(self, backend: Backend) -> None:
        """While it is alive nothing new runs."""
        backend.start(batch("long", FOREVER))
        _line(backend, "long", "began")
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
            _ended(backend, "taken")
            with pytest.raises(AlreadyExists, match="taken"):
                backend.start(batch("taken", "print('another')"))
        assert "another" not in list(backend.logs("taken"))

    def test_a_failed_job_is_started_again_under_its_name(self, backend: Backend) -> None:
        """The log keeps both attempts."""
        job = batch("weak", "print('began'); raise SystemExit(7)")
        backend.start(job)
        assert _ended(backend, "weak").attempt == 1
        backend.start(job)
        again = _ended(backend, "weak")
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
        status = _ended(backend, "weak")
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

    def test_stop_ends_a_job(self, backend: Backend) -> None:
        """Stopped is not failed."""
        backend.start(batch("long", FOREVER))
        backend.stop("long")
        (status,) = backend.status("long")
        assert (status.state, status.cause) == (State.STOPPED, None)
        assert status.ended is not None

    def test_stop_ends_children_that_ignore_it_in_sessions_of_their_own(self, backend: Backend) -> None:
        """When stop returns nothing of it writes any more."""
        backend.start(batch("parent", LEAVE_A_CHILD.replace("0.5", "3600")))
        _line(backend, "parent", "tick")
        backend.stop("parent")
        _assert_quiet(backend, "parent")

    def test_a_job_that_ends_leaves_no_child_behind(self, backend: Backend) -> None:
        """What its main process forgot is ended too."""
        backend.start(batch("parent", LEAVE_A_CHILD))
        _line(backend, "parent", "tick")
        assert _ended(backend, "parent").state is State.SUCCEEDED
        _assert_quiet(backend, "parent")

    def test_stop_does_nothing_to_what_is_not_alive(self, backend: Backend) -> None:
        """Unknown, stopped twice, done: all the same."""
        backend.stop("unknown")
        backend.start(batch("long", FOREVER))
        backend.stop("long")
        stopped = backend.status("long")
        backend.stop("long")
        assert backend.status("long") == stopped
        backend.start(batch("hello", "print('hello')"))
        done = wait(backend, "hello", 30)
        backend.stop("hello")
        assert backend.status("hello") == [done]
        with pytest.raises(NotFound):
            backend.status("unknown")

    def test_status_answers_in_the_order_asked_or_oldest_first(self, backend: Backend) -> None:
        """One call for many."""
        assert backend.status() == []
        for name in ("c", "a", "b"):
            backend.start(batch(name, "print('began')"))
        assert [s.name for s in backend.status("b", "c", "a", "b")] == ["b", "c", "a", "b"]
        assert [s.name for s in backend.status()] == ["c", "a", "b"]

    def test_names_that_are_not_known_are_said(self, backend: Backend) -> None:
        """At the call, not at the first line."""
        backend.start(batch("known", "print('began')"))
        with pytest.raises(NotFound, match="no job unknown"):
            backend.status("known", "unknown")
        with pytest.raises(NotFound, match="no job unknown"):
            backend.logs("unknown")

    def test_logs_take_any_bytes(self, backend: Backend) -> None:
        """What is no UTF-8 is replaced; a last line without an end is a line; standard error is there."""
        code = r"import os; os.write(1, b'gal\xe9xie\n\n'); os.write(2, '5 µJy'.encode())"
        backend.start(batch("bytes", code))
        wait(backend, "bytes", 30)
        assert list(backend.logs("bytes")) == ["gal\ufffdxie", "", "5 µJy"]

    def test_followed_logs_come_while_the_job_runs_and_end_with_it(self, backend: Backend) -> None:
        """The first line is there long before the end."""
        backend.start(batch("long", FOREVER))
        lines = backend.logs("long", follow=True)
        assert next(lines) == "began"
        assert backend.status("long")[0].state.is_alive
        backend.stop("long")
        assert list(lines) == []
        assert list(backend.logs("long", follow=True)) == ["began"]

    def test_a_job_knows_its_name_its_settings_and_its_environment(self, backend: Backend) -> None:
        """The settings are the backend's, not those of the caller's shell."""
        code = (
            "import os; from helikon.settings import load; "
            "print(os.environ['HELIKON_JOB'], os.environ['FIELD'], load().owner)"
        )
        backend.start(batch("curious", code, environment=(("FIELD", "scorpio"),)))
        wait(backend, "curious", 30)
        assert list(backend.logs("curious")) == ["curious scorpio ada"]

    def test_two_starts_at_once_are_one_job(self, backend: Backend) -> None:
        """From two processes."""
        callers = [self._call(backend, batch("race", FOREVER)) for _ in range(2)]
        for caller in callers:
            output, _ = caller.communicate(timeout=60)
            assert (caller.returncode, output) == (0, "race\n")
        _line(backend, "race", "began")
        backend.stop("race")
        assert list(backend.logs("race")) == ["began"]
        assert backend.status("race")[0].attempt == 1

    def test_a_job_outlives_a_killed_caller(self, backend: Backend) -> None:
        """Kill -9 right after start has returned."""
        code = "import sys, time; time.sleep(1); print('done')"
        caller = self._call(backend, batch("orphan", code), then="import os; os.kill(os.getpid(), 9)")
        caller.communicate(timeout=60)
        assert caller.returncode == -9
        wait(backend, "orphan", 30)
        assert list(backend.logs("orphan")) == ["done"]

    def test_many_jobs_at_once(self, backend: Backend) -> None:
        """Started by threads of one process."""
        jobs = [batch(f"job-{i}", f"print({i})") for i in range(8)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(backend.start, jobs))
        for i, job in enumerate(jobs):
            wait(backend, job.name, 60)
            assert list(backend.logs(job.name)) == [str(i)]

    def _call(self, backend: Backend, job: BatchJob, then: str = "") -> "subprocess.Popen[str]":
        """Start a job from another process."""
        code = (
            f"{self.elsewhere(backend)}\nfrom helikon.workload import from_json\n"
            f"print(backend.start(from_json({to_json(job)!r})), flush=True)\n{then}"
        )
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def _ended(backend: Backend, name: str) -> Status:
    """Return the status once it is not alive."""
    eventually(lambda: not backend.status(name)[0].state.is_alive)
    return backend.status(name)[0]


def _running(backend: Backend, name: str) -> None:
    eventually(lambda: backend.status(name)[0].state is State.RUNNING)


def _line(backend: Backend, name: str, line: str) -> None:
    """Wait until the job has written a line."""
    eventually(lambda: line in list(backend.logs(name)))


def _assert_quiet(backend: Backend, name: str) -> None:
    """Nothing of the job writes any more: its children write every 20 ms."""
    before = len(list(backend.logs(name)))
    with pytest.raises(AssertionError):
        eventually(lambda: len(list(backend.logs(name))) > before, timeout_s=0.5)
