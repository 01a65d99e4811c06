"""One Spark session and one MLflow database for all these tests; studies differ by name."""

from collections.abc import Iterator

import pytest

from helikon.settings import Settings, load
from helikon.spark.sessions import close, session


@pytest.fixture(scope="session")
def spark_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with two cores, where a lost task is tried three times."""
    spark = {"master": "local[2,3]", "driver_memory_gib": 1}
    folder = tmp_path_factory.mktemp("spark-state")
    return load(environ={}, overrides={"state_dir": str(folder), "owner": "ada", "spark": spark})


@pytest.fixture(scope="session")
def warm(spark_settings: Settings) -> Iterator[Settings]:
    """Settings whose session runs."""
    session(spark_settings, "tests")
    try:
        yield spark_settings
    finally:
        close()
