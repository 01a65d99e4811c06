"""The root command: fast help, and how errors meet the world."""

import subprocess
import sys

import pytest

from helikon.cli.root import main
from helikon.errors import EngineError, InputError


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "helikon.cli", *arguments], capture_output=True, text=True, timeout=60
    )


def test_help_lists_every_noun() -> None:
    text = run("--help").stdout
    for noun in ("doctor", "demo", "up", "status", "down", "job", "spark", "train", "tune", "model", "space"):
        assert f"\n  {noun} " in text


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom helikon.cli.root import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch','numpy','pyspark','mlflow','bentoml','jupyterhub','astropy','optuna','pandas'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_an_unknown_command_is_a_usage_error() -> None:
    done = run("nonsense")
    assert done.returncode == 2
    assert "No such command 'nonsense'" in done.stderr


@pytest.mark.parametrize(("error", "code"), [(InputError("bad map"), 1), (EngineError("no JVM"), 70)])
def test_our_errors_are_one_line_and_an_exit_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr("helikon.cli.root._run", fail)
    with pytest.raises(SystemExit) as stopped:
        main(["status"])
    assert stopped.value.code == code
    assert capsys.readouterr().err == f"helikon: {error}\n"


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: list[str]) -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr("helikon.cli.root._run", fail)
    with pytest.raises(SystemExit) as stopped:
        main(["--debug", "status"])
    assert stopped.value.code == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_settings_file_that_is_not_there_is_named() -> None:
    done = run("--config", "/nowhere/helikon.yaml", "job", "list")
    assert done.returncode == 1
    assert "/nowhere/helikon.yaml" in done.stderr
    assert "Traceback" not in done.stderr
