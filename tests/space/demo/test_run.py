"""The demo runs through every real engine, and stops what it started whatever happens."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from astropy.table import QTable

from helikon.backends import connect
from helikon.settings import load

COMMAND = [sys.executable, "-m", "helikon.cli", "demo", "--training-seconds", "8", "--trials", "3"]


def start(out: Path, *more: str) -> "subprocess.Popen[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HELIKON_")}
    return subprocess.Popen(
        [*COMMAND, "--out", str(out), *more],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=out.parent,
    )


def of_the_demo(out: Path) -> list[psutil.Process]:
    """Processes whose environment or command line names the demo's own folder."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(out) in word for word in words):
            found.append(process)
    return found


def wait_for_line(process: "subprocess.Popen[str]", word: str) -> None:
    """Read the demo's lines until one holds the word."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if word in line:
            return
    raise AssertionError("the demo ended early:\n" + "".join(seen))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_made_up_map_goes_through_every_service_to_a_catalogue(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done = start(out)
    _, said = done.communicate(timeout=580)
    assert done.returncode == 0, said
    for engine in ("Spark", "Optuna", "torchrun", "MLflow", "BentoML"):
        assert engine in said
    assert len(QTable.read(out / "sources.vot")) > 20
    report = json.loads((out / "report.json").read_text())
    assert report["score"]["completeness"] > 0.8
    assert (out / "sources.png").stat().st_size > 50_000
    assert of_the_demo(out) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_in_the_training_stops_everything_and_the_next_demo_resumes_it(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    cut = start(out, "--training-seconds", "300")
    wait_for_line(cut, "torchrun")
    metrics = list(out.glob("state/training/*/checkpoint"))
    deadline = time.monotonic() + 120
    while not metrics and time.monotonic() < deadline:
        time.sleep(0.5)
        metrics = list(out.glob("state/training/*/checkpoint"))
    assert metrics, "no checkpoint within two minutes"
    cut.send_signal(signal.SIGINT)
    cut.communicate(timeout=60)
    assert cut.returncode == 130
    assert of_the_demo(out) == []
    backend = connect(load(environ={}, overrides={"state_dir": str(out / "state")}))
    assert {status.state for status in backend.status()} == {"stopped"}


@pytest.mark.slow
def test_a_step_that_fails_stops_everything(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    failing = start(out, "--trials", "0")
    _, said = failing.communicate(timeout=200)
    assert failing.returncode == 1
    assert "[3/6]" in said
    assert said.splitlines()[-1].startswith("helikon: ")
    assert of_the_demo(out) == []


def test_a_map_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.fits"
    bad.write_text("no FITS at all")
    done = start(tmp_path / "demo", "--map", str(bad))
    _, said = done.communicate(timeout=60)
    assert done.returncode == 1
    assert said.splitlines()[-1].startswith("helikon: ")
    assert "Traceback" not in said
