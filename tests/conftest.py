"""Fixtures for all tests: a state folder and settings of their own."""

from collections.abc import Iterator
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
