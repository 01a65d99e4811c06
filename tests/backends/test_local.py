"""The local backend keeps the contract, also through kill -9 at every moment."""

import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from helikon.backends import Backend, wait
from helikon.backends.local import LocalBackend
from helikon.backends.processes import identify
from helikon.backends.records import Attempt, current_attempt, write
from helikon.errors import EngineError, NotFound
from helikon.settings import Settings
from helikon.testing import BackendContract, eventually, server_commands
from helikon.testing.one_liners import FOREVER, LEAVE_A_CHILD, batch
from helikon.workload import BatchJob, ModelServer, State, Status


@pytest.fixture
def local(settings: Settings) -> Iterator[LocalBackend]:
    backend = LocalBackend(settings, commands=server_commands, grace_s=1.0)
    yield backend
    for status in backend.status():
        backend.stop(status.name)


def connecting_code(backend: LocalBackend) -> str:
    return (
        "from helikon.backends.local import LocalBackend\nfrom helikon.settings import load\n"
        f"settings = load(overrides={{'state_dir': {str(backend.folder.parent)!r}, 'owner': 'ada'}})\n"
        "backend = LocalBackend(settings)"
    )


def attempt_of(backend: LocalBackend, name: str) -> Attempt:
    attempt = current_attempt(backend.folder / name)
    assert attempt is not None
    return attempt


def kill_runner(backend: LocalBackend, name: str) -> None:
    runner, _ = attempt_of(backend, name).runner()
    os.kill(runner.pid, signal.SIGKILL)
    eventually(lambda: identify(runner.pid) != runner)


def kill_main(backend: LocalBackend, name: str) -> None:
    main = eventually(lambda: attempt_of(backend, name).main())
    os.kill(main.pid, signal.SIGKILL)
    eventually(lambda: identify(main.pid) != main)


def status_of(backend: LocalBackend, name: str) -> Status:
    return backend.status(name)[0]


def began(backend: LocalBackend, name: str, line: str = "began") -> None:
    eventually(lambda: line in list(backend.logs(name)))


def processes_with(token: str) -> list[int]:
    """Return the pids of living processes with a word in their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        is_dead = process.info["status"] == psutil.STATUS_ZOMBIE
        if not is_dead and any(token in word for word in process.info["cmdline"] or ()):
            found.append(process.pid)
    return found


class TestContract(BackendContract):
    @pytest.fixture
    def backend(self, local: LocalBackend) -> Backend:
        return local

    def elsewhere(self, backend: Backend) -> str:
        assert isinstance(backend, LocalBackend)
        return connecting_code(backend)


class TestKilledRunner:
    """The runner is killed with -9; what it watched lives on or not."""

    def test_its_job_still_runs_and_is_not_run_twice(self, local: LocalBackend) -> None:
        local.start(batch("long", FOREVER))
        began(local, "long")
        kill_runner(local, "long")
        assert status_of(local, "long").state is State.RUNNING
        local.start(batch("long", FOREVER))
        assert status_of(local, "long").attempt == 1
        main = attempt_of(local, "long").main()
        local.stop("long")
        assert main is not None
        assert identify(main.pid) is None
        assert status_of(local, "long").state is State.STOPPED

    def test_a_job_that_then_ends_has_failed_for_its_exit_code_is_lost(self, local: LocalBackend) -> None:
        local.start(batch("long", FOREVER))
        began(local, "long")
        kill_runner(local, "long")
        kill_main(local, "long")
        status = status_of(local, "long")
        assert (status.state, status.exit_code) == (State.FAILED, None)
        assert status.cause == "lost: its runner was killed, so its exit code is not known"

    def test_what_a_lost_job_left_behind_is_ended_before_it_is_started_again(
        self, local: LocalBackend, tmp_path: Path
    ) -> None:
        job = batch("parent", LEAVE_A_CHILD.replace("0.5", "3600") + f"# {tmp_path}")
        local.start(job)
        began(local, "parent", "tick")
        marker = attempt_of(local, "parent").plan().job_id
        kill_runner(local, "parent")
        kill_main(local, "parent")
        assert status_of(local, "parent").state is State.FAILED
        assert marked(marker)
        local.start(job)
        assert marked(marker) == []
        assert status_of(local, "parent").attempt == 2

    def test_stop_ends_what_a_lost_job_left_behind(self, local: LocalBackend) -> None:
        local.start(batch("parent", LEAVE_A_CHILD.replace("0.5", "3600")))
        began(local, "parent", "tick")
        marker = attempt_of(local, "parent").plan().job_id
        kill_runner(local, "parent")
        kill_main(local, "parent")
        local.stop("parent")
        assert marked(marker) == []
        assert status_of(local, "parent").state is State.FAILED

    def test_a_server_without_runner_still_becomes_ready(self, local: LocalBackend) -> None:
        local.start(ModelServer(name="finder", service="testing:Server", model="one"))
        kill_runner(local, "finder")
        eventually(lambda: status_of(local, "finder").state is not State.PENDING)
        status = status_of(local, "finder")
        assert status.state in (State.RUNNING, State.FAILED)  # killed before or after the server's fork
        assert (status.url is not None) == (status.state is State.RUNNING)


class TestKilledCaller:
    """Who starts a job is killed with -9 in the middle."""

    @pytest.mark.parametrize("seed", range(3))
    def test_at_any_moment_the_next_start_makes_it_one_job(self, local: LocalBackend, seed: int) -> None:
        moments = random.Random(seed)
        for i in range(4):
            token = f"token-{os.getpid()}-{seed}-{i}"
            job = batch(f"job-{i}", f"{FOREVER}  # {token}")
            code = (
                f"{connecting_code(local)}\nfrom helikon.testing.one_liners import batch\n"
                f"job = batch({job.name!r}, {job.command[2]!r})\n"
                "print('go', flush=True)\nbackend.start(job)\n"
            )
            caller = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
            assert caller.stdout is not None
            assert caller.stdout.readline() == "go\n"
            deadline = time.monotonic() + moments.uniform(0, 0.12)
            eventually(lambda deadline=deadline: time.monotonic() > deadline, interval_s=0.001)
            caller.kill()
            caller.communicate()
            local.start(job)
            began(local, job.name)
            assert len(processes_with(token)) == 1
            assert status_of(local, job.name).attempt == 1
            assert list(local.logs(job.name)) == ["began"]
            local.stop(job.name)
            assert processes_with(token) == []

    def test_what_was_never_accepted_is_no_job(
        self, local: LocalBackend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("helikon.backends.launching._RUNNER", "helikon.no_such_runner")
            with pytest.raises(EngineError, match="the runner of job hello did not start"):
                local.start(batch("hello", "print('hello')"))
        assert local.status() == []
        with pytest.raises(NotFound):
            local.status("hello")
        local.stop("hello")
        local.start(batch("hello", "print('another workload under that name')"))
        assert wait(local, "hello", 30).attempt == 1


class TestIdentity:
    """A pid alone says nothing."""

    def test_a_pid_that_another_process_got_is_not_ours(self, local: LocalBackend) -> None:
        self.pretend(local, start_change=1)
        status = status_of(local, "long")
        assert status.state is State.FAILED
        local.stop("long")
        local.start(batch("long", FOREVER))
        assert status_of(local, "long").attempt == 2

    def test_a_job_is_lost_with_its_machine(self, local: LocalBackend) -> None:
        self.pretend(local, boot="another")
        assert status_of(local, "long").cause == "lost with its machine, which was restarted"
        local.start(batch("long", FOREVER))
        assert status_of(local, "long").attempt == 2

    def pretend(self, local: LocalBackend, *, start_change: int = 0, boot: str | None = None) -> None:
        """Write down that the job's processes had our own pid, and left no word of their end."""
        local.start(batch("long", FOREVER))
        local.stop("long")
        attempt, ourselves = attempt_of(local, "long"), identify(os.getpid())
        assert ourselves is not None
        us = {"pid": ourselves.pid, "start": ourselves.start + start_change, "boot": boot or ourselves.boot}
        write(attempt.folder / "runner.json", {"process": us, "started": time.time()})
        write(attempt.folder / "main.json", us)
        for name in ("exit", "stop"):
            (attempt.folder / f"{name}.json").unlink()


class TestProcesses:
    """Who belongs to a job, and what is left behind."""

    def test_a_child_without_the_marker_is_stopped_too(self, local: LocalBackend, tmp_path: Path) -> None:
        token = f"scrubbed-{tmp_path.name}-{os.getpid()}"
        code = (
            "import subprocess, sys, time\n"
            f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)', {token!r}],"
            " env={}, start_new_session=True)\nprint('began', flush=True)\ntime.sleep(3600)"
        )
        local.start(batch("parent", code))
        began(local, "parent")
        assert eventually(lambda: processes_with(token))
        local.stop("parent")
        assert processes_with(token) == []

    def test_a_job_that_another_job_started_lives_on_without_it(self, local: LocalBackend) -> None:
        code = (
            f"{connecting_code(local)}\nfrom helikon.testing.one_liners import FOREVER, batch\n"
            "backend.start(batch('inner', FOREVER))\nprint('began', flush=True)\n"
            "import time\ntime.sleep(3600)"
        )
        local.start(batch("outer", code))
        began(local, "outer")
        began(local, "inner")
        local.stop("outer")
        assert status_of(local, "outer").state is State.STOPPED
        assert status_of(local, "inner").state is State.RUNNING
        local.stop("inner")
        assert status_of(local, "inner").state is State.STOPPED

    def test_the_caller_has_no_child_to_bury(self, local: LocalBackend) -> None:
        local.start(batch("hello", "print('hello')"))
        wait(local, "hello", 30)
        assert psutil.Process().children() == []

    def test_a_signal_to_the_runner_reaches_the_job(self, local: LocalBackend) -> None:
        local.start(batch("long", FOREVER))
        began(local, "long")
        runner, _ = attempt_of(local, "long").runner()
        os.kill(runner.pid, signal.SIGTERM)
        eventually(lambda: not status_of(local, "long").state.is_alive)
        status = status_of(local, "long")
        assert (status.state, status.exit_code, status.cause) == (State.FAILED, -15, "killed by SIGTERM")

    def test_a_job_does_not_inherit_what_python_ignores(self, local: LocalBackend) -> None:
        local.start(BatchJob(name="signals", command=("grep", "SigIgn", "/proc/self/status")))
        wait(local, "signals", 30)
        (line,) = local.logs("signals")
        by_python = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
        assert [name for name in by_python if int(line.split()[1], 16) & 1 << name - 1] == []


class TestFolder:
    """What is on disk."""

    def test_nobody_else_can_read_a_job(self, local: LocalBackend) -> None:
        local.start(batch("hello", "print('hello')"))
        wait(local, "hello", 30)
        assert mode(local.folder / "hello") == 0o700
        files = [path for path in (local.folder / "hello").rglob("*") if path.is_file()]
        assert {"log", "lock", "settings.yaml", "workload.json"} <= {path.name for path in files}
        assert {mode(path) for path in files} == {0o600}

    def test_the_jobs_settings_are_the_backends_and_not_the_shells(
        self, local: LocalBackend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HELIKON_OWNER", "mallory")
        monkeypatch.setenv("HELIKON_PORT", "1")
        local.start(
            batch(
                "curious",
                "import os; from helikon.settings import load; "
                "print(load().owner, load().state_dir, os.environ.get('HELIKON_PORT'))",
            )
        )
        wait(local, "curious", 30)
        assert list(local.logs("curious")) == [f"ada {local.folder.parent} None"]

    def test_a_record_that_cannot_be_read_hides_no_other_job(self, local: LocalBackend) -> None:
        for name in ("broken", "hello"):
            local.start(batch(name, "print('hello')"))
            wait(local, name, 30)
        (attempt_of(local, "broken").folder / "workload.json").write_text("{")
        by_name = {status.name: status for status in local.status()}
        assert by_name["hello"].state is State.SUCCEEDED
        assert by_name["broken"].state is State.FAILED
        assert "cannot be read" in (by_name["broken"].cause or "")

    def test_status_tells_the_truth_while_attempts_follow_each_other(self, local: LocalBackend) -> None:
        job = batch("weak", "raise SystemExit(1)")

        def start_again_and_again() -> None:
            for _ in range(8):
                local.start(job)
                eventually(lambda: not status_of(local, "weak").state.is_alive)

        with ThreadPoolExecutor(1) as pool:
            starts = pool.submit(start_again_and_again)
            seen: list[Status] = []
            eventually(lambda: seen.extend(local.status()) or starts.done(), interval_s=0.005)
        assert {status.kind for status in seen} == {"batch"}
        assert {status.cause for status in seen} <= {None, "exit code 1"}
        assert [status.attempt for status in seen] == sorted(status.attempt for status in seen)
        assert seen[-1].attempt == 8

    def test_attempts_are_separated_in_the_log(self, local: LocalBackend) -> None:
        job = batch("weak", "import os; os.write(1, b'no line end'); raise SystemExit(1)")
        for _ in range(2):
            local.start(job)
            eventually(lambda: not status_of(local, "weak").state.is_alive)
        first, separator, second = local.logs("weak")
        assert (first, second) == ("no line end", "no line end")
        assert separator.startswith("--- attempt 2, ")

    def test_a_program_that_is_not_there_is_named(self, local: LocalBackend) -> None:
        local.start(BatchJob(name="typo", command=("no-such-program", "x")))
        eventually(lambda: not status_of(local, "typo").state.is_alive)
        status = status_of(local, "typo")
        assert status.exit_code == 127
        assert status.cause == "cannot run no-such-program: No such file or directory"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def marked(job_id: str) -> list[int]:
    """Return the living processes with a job's marker in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            is_marked = f"HELIKON_JOB_ID={job_id}".encode() in (path / "environ").read_bytes()
        except OSError:
            continue
        if is_marked and identify(int(path.name)):
            found.append(int(path.name))
    return found
