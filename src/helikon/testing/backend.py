"""The contract of the seam, as tests.

Every backend passes this class::

    class TestMyBackend(BackendContract):
        @pytest.fixture
        def backend(self, settings):
            yield MyBackend(settings)

        def elsewhere(self, backend):
            return "from mine import MyBackend; backend = MyBackend(...)"

The jobs say what they do in their logs, so that nothing here looks at a disk
or a process table. The parts: ``lives.py``, ``ends.py``, ``words.py``,
``servers.py``, and here what needs callers in other processes.
"""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from helikon.backends import Backend, wait
from helikon.testing.ends import EndContract
from helikon.testing.lives import LifeContract
from helikon.testing.one_liners import FOREVER, batch, written
from helikon.testing.servers import ServerContract
from helikon.testing.words import WordContract
from helikon.workload import BatchJob, to_json

__all__ = ["BackendContract"]


class BackendContract(LifeContract, EndContract, WordContract, ServerContract):
    """What every backend does; override ``backend`` and :meth:`elsewhere`."""

    @pytest.fixture
    def backend(self) -> Iterator[Backend]:
        """Yield the backend under test, with nothing in it; stop everything of it afterwards."""
        raise NotImplementedError

    def elsewhere(self, backend: Backend) -> str:
        """Return Python code that binds ``backend`` to the same place in another process."""
        raise NotImplementedError

    def test_two_starts_at_once_are_one_job(self, backend: Backend) -> None:
        """From two processes."""
        callers = [self._call(backend, batch("race", FOREVER)) for _ in range(2)]
        for caller in callers:
            output, _ = caller.communicate(timeout=60)
            assert (caller.returncode, output) == (0, "race\n")
        written(backend, "race", "began")
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
