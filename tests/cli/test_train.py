"""helikon train: follow, detach, stop, resume."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from helikon.cli import main
from helikon.cli.root import cli

ROOT = Path(__file__).parents[2]
RECIPE = "tests.training.tiny:line"


def _environment(state: Path) -> dict[str, str]:
    ours = {"HELIKON_STATE_DIR": str(state), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return {key: value for key, value in os.environ.items() if not key.startswith("HELIKON_")} | ours


def _helikon(state: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "helikon.cli", *arguments]
    pipe = subprocess.PIPE
    # A shell lets its background jobs ignore SIGINT, and so would all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        command,
        env=_environment(state),
        cwd=ROOT,
        stdout=pipe,
        stderr=pipe,
        text=True,
        start_new_session=True,
    )


def _job(state: Path, name: str) -> dict[str, object]:
    with _helikon(state, "job", "show", name, "--json") as process:
        said, _ = process.communicate(timeout=60)
    found: dict[str, object] = json.loads(said)
    return found


@pytest.mark.slow
def test_ctrl_c_stops_the_job_and_the_same_command_goes_on_with_it(tmp_path: Path) -> None:
    command = ("train", RECIPE, "--name", "night", "-o", "n_steps=60", "-o", "pause_s=0.05")
    metrics = tmp_path / "training" / "night" / "metrics.jsonl"
    with _helikon(tmp_path, *command) as first:
        deadline = time.monotonic() + 120
        while not metrics.exists() or not metrics.read_text():
            assert first.poll() is None, first.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(first.pid, signal.SIGINT)
        out, err = first.communicate(timeout=60)
    assert (first.returncode, out) == (130, "")
    assert "Ctrl-C stops it" in err
    assert _job(tmp_path, "night")["state"] == "stopped"
    with _helikon(tmp_path, *command) as second:
        out, err = second.communicate(timeout=200)
    assert second.returncode == 0, err
    assert out.startswith("night: step 60")
    assert f"model: {tmp_path}/training/night/model" in out
    assert "helikon model publish" in err
    assert _job(tmp_path, "night")["attempt"] == 2
    with _helikon(tmp_path, *command) as third:
        again, err = third.communicate(timeout=60)
    assert (third.returncode, again) == (0, out)
    assert "not run again; if the recipe has changed, take another --name" in err


@pytest.mark.slow
def test_a_detached_job_runs_on_by_itself(tmp_path: Path) -> None:
    with _helikon(
        tmp_path, "train", RECIPE, "--name", "on", "--detach", "--json", "-o", "n_steps=5"
    ) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["name"] == "on"
    deadline = time.monotonic() + 120
    while _job(tmp_path, "on")["state"] in ("pending", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert _job(tmp_path, "on")["state"] == "succeeded"


def test_an_unknown_recipe_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HELIKON_STATE_DIR", str(tmp_path))
    with pytest.raises(SystemExit) as caught:
        main(["train", "space/nothing"])
    assert caught.value.code == 1
    assert "space/mask-rcnn" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_option_without_a_value_is_wrong_usage() -> None:
    said = CliRunner().invoke(cli, ["train", RECIPE, "--option", "n_steps"])
    assert said.exit_code == 2
    assert "is not KEY=VALUE" in said.stderr
