"""Fixtures for all tests: a state folder and settings of their own."""

from pathlib import Path

import pytest

from helikon.settings import Settings, load


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no HELIKON_* variable of the caller."""
    import os

    for name in list(os.environ):
        if name.startswith("HELIKON_"):
            monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a state folder of their own."""
    return load(environ={}, overrides={"state_dir": str(tmp_path / "state"), "owner": "ada"})
