"""A model server checks what it was given before it becomes BentoML."""

import os

import pytest
from tests.serving.conftest import SERVICE

from helikon.errors import SettingsError
from helikon.serving.main import main
from helikon.settings import Settings

Executed = list[tuple[str, list[str], dict[str, str]]]


@pytest.fixture
def executed(tiny: Settings, monkeypatch: pytest.MonkeyPatch) -> Executed:
    """What would have been executed; the environment is that of a job of ``tiny``."""
    monkeypatch.setenv("HELIKON_STATE_DIR", str(tiny.state_dir))
    monkeypatch.setenv("HELIKON_JOB", "trial")
    monkeypatch.setenv("HELIKON_PORT", "8123")
    return []


def _main(executed: Executed, model: str) -> int:
    return main([SERVICE, "--model", model], execute=lambda *given: executed.append(given))


def test_it_becomes_bentoml_with_the_models_files(executed: Executed, tiny: Settings) -> None:
    assert _main(executed, "models:/scale/1") == 0
    ((_, command, environment),) = executed
    assert command[1:5] == ["-m", "bentoml", "serve", "helikon.serving.secured:service"]
    assert "8123" in command
    assert environment["HELIKON_MODEL_DIR"] == str(tiny.state_dir / "models" / "scale" / "1")
    assert environment["HELIKON_SERVER_PID"] == str(os.getpid())


def test_threads_that_the_caller_set_stay(executed: Executed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert _main(executed, "models:/scale/1") == 0
    assert executed[0][2]["OMP_NUM_THREADS"] == "7"


def test_an_unknown_version_is_one_line_and_exit_code_1(
    executed: Executed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main(executed, "models:/scale/9") == 1
    assert capsys.readouterr().err == "helikon: model scale has no version 9: expected one of 1, 2\n"
    assert executed == []


def test_without_a_port_nothing_is_served(
    executed: Executed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HELIKON_PORT")
    assert _main(executed, "models:/scale/1") == SettingsError.exit_code
    assert "the port to listen on" in capsys.readouterr().err
