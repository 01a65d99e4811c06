"""The contract finds a backend that breaks it."""

import subprocess
import sys
from pathlib import Path

import pytest

BROKEN = """
import pytest
from helikon.backends.local import LocalBackend
from helikon.errors import NotFound
from helikon.settings import load
from helikon.testing import BackendContract, server_commands

class Forgetful(LocalBackend):
    def start(self, workload):
        if "twice" in {breaks!r}:
            try:
                self.stop(workload.name)
            except NotFound:
                pass
        return super().start(workload)

    def stop(self, name):
        if "stop" not in {breaks!r}:
            super().stop(name)

    def status(self, *names):
        return super().status(*sorted(names)) if "order" in {breaks!r} else super().status(*names)

class TestForgetful(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path):
        settings = load(environ={{}}, overrides={{"state_dir": str(tmp_path), "owner": "ada"}})
        backend = Forgetful(settings, commands=server_commands, grace_s=0.2)
        yield backend
        for status in LocalBackend.status(backend):
            LocalBackend.stop(backend, status.name)
"""


@pytest.mark.parametrize(
    ("breaks", "test"),
    [
        ("twice", "test_the_same_workload_again_is_the_same_job"),
        ("stop", "test_stop_ends_a_job"),
        ("order", "test_status_answers_in_the_order_asked_or_oldest_first"),
    ],
)
def test_a_broken_promise_fails_its_test(breaks: str, test: str, tmp_path: Path) -> None:
    (tmp_path / "test_forgetful.py").write_text(BROKEN.format(breaks=breaks))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path), "-k", test],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout
