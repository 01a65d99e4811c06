"""``helikon space find`` goes on after kill -9, and its processes do not outlive it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from helikon.cli import cli

OPTIONS = ["--window-pixels", "300", "--model", "none", "--json"]


def find(map_path: Path, out: Path, *options: str) -> dict[str, object]:
    """Run the command here."""
    words = ["space", "find", str(map_path), "--out", str(out), *OPTIONS, *options]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    summary: dict[str, object] = json.loads(result.stdout)
    return summary


def kill_when_a_window_is_done(map_path: Path, out: Path) -> list[psutil.Process]:
    """Start the command, kill it, and return the processes that it had."""
    words = ["space", "find", str(map_path), "--out", str(out), *OPTIONS, "--processes", "2"]
    process = subprocess.Popen([sys.executable, "-m", "helikon.cli", *words], stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if list(out.glob("unfinished-*/window-*.json")):
            children = psutil.Process(process.pid).children(recursive=True)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(60)
            return children
    pytest.fail("the command ended before it could be killed")


@pytest.mark.slow
def test_a_killed_search_goes_on_and_gives_the_same_files(map_path: Path, tmp_path: Path) -> None:
    shutil.copy2(map_path, tmp_path / "map.fits")
    children = kill_when_a_window_is_done(tmp_path / "map.fits", tmp_path / "killed")
    assert children
    assert psutil.wait_procs(children, 60)[1] == []
    (folder,) = (tmp_path / "killed").glob("unfinished-*")
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("window-*.json")}
    assert 1 <= len(kept) <= 9
    assert not list((tmp_path / "killed").glob("sources*"))
    again = find(tmp_path / "map.fits", tmp_path / "killed")
    straight = find(tmp_path / "map.fits", tmp_path / "straight", "--processes", "1")
    assert again["counts"] == straight["counts"]
    assert not folder.exists()
    for name in ("sources.vot", "sources.reg"):
        one, other = ((tmp_path / place / name).read_bytes() for place in ("killed", "straight"))
        assert one == other, name
