"""Fixtures for all tests: a state folder and settings of their own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
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


@pytest.fixture
def imported() -> Callable[[str, set[str]], set[str]]:
    """Run code in a Python of its own and tell which of some modules it has imported at its end."""

    def run(code: str, names: set[str]) -> set[str]:
        told = f"print(*({names!r} & sys.modules.keys()), file=sys.stderr)"
        lines = f"import sys\ntry:\n    exec({code!r})\nfinally:\n    {told}"
        done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
        return set(done.stderr.splitlines()[-1].split())

    return run


@pytest.fixture(scope="session")
def s3_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings whose ``s3://`` is a SeaweedFS of their own; buckets are made by the first write."""
    from helikon.spark.seaweed import Server

    folder = tmp_path_factory.mktemp("s3-state")
    settings = load(environ={}, overrides={"state_dir": str(folder), "owner": "ada"})
    server = Server(settings=settings)
    try:
        server.up()
        yield settings
    finally:
        server.down()
