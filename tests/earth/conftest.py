"""Made-up products and a Spark session for the tests of earth."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helikon.settings import Settings, load
from helikon.spark.sessions import close, session


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings whose Spark session runs: two cores, a lost task is tried three times."""
    spark = {"master": "local[2,3]", "driver_memory_gib": 1}
    folder = tmp_path_factory.mktemp("earth-spark-state")
    settings = load(environ={}, overrides={"state_dir": str(folder), "owner": "ada", "spark": spark})
    session(settings, "tests")
    try:
        yield settings
    finally:
        close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where a preparation goes."""
    return tmp_path / "out"
