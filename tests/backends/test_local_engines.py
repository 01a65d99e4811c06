"""Engines put their workers into sessions of their own; they are ended all the same."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from helikon.backends.local import LocalBackend
from helikon.backends.processes import identify, members
from helikon.backends.records import current_attempt
from helikon.settings import Settings
from helikon.testing import eventually
from helikon.workload import BatchJob, State

WORKER = r"""
import os, time
os.write(1, f"worker {os.environ['RANK']}\n".encode())  # in one piece: both write to one log
time.sleep(3600)
"""


@pytest.fixture
def local(settings: Settings) -> Iterator[LocalBackend]:
    backend = LocalBackend(settings, grace_s=5.0)
    yield backend
    for status in backend.status():
        backend.stop(status.name)


@pytest.mark.slow
@pytest.mark.parametrize("runner_is_killed", [False, True])
def test_no_worker_of_torchrun_is_left(local: LocalBackend, tmp_path: Path, runner_is_killed: bool) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    torchrun = ("python", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    local.start(BatchJob(name="train", command=(*torchrun, str(tmp_path / "worker.py"))))
    eventually(lambda: {"worker 0", "worker 1"} <= set(local.logs("train")), timeout_s=120)
    attempt = current_attempt(local.folder / "train")
    assert attempt is not None
    job_id, (runner, _), main = attempt.plan().job_id, attempt.runner(), attempt.main()
    assert main is not None
    sessions = {process.session for process in members(job_id)}
    assert len(sessions) == 4  # the runner's, the main process's and one for each worker
    if runner_is_killed:
        for process in (runner, main):
            os.kill(process.pid, signal.SIGKILL)
            eventually(lambda process=process: identify(process.pid) != process)
        assert local.status("train")[0].state is State.FAILED
        assert members(job_id)
    local.stop("train")
    assert members(job_id) == []
    assert local.status("train")[0].state is (State.FAILED if runner_is_killed else State.STOPPED)
