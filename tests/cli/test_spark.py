from pathlib import Path

import pytest
from click.testing import CliRunner

from helikon.cli.root import cli
from helikon.errors import NotFound


def test_an_application_that_is_not_there_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("HELIKON_STATE_DIR", str(tmp_path / "state"))
    result = CliRunner().invoke(cli, ["spark", "submit", "no_such.py"])
    assert isinstance(result.exception, NotFound)
    assert not (tmp_path / "state").exists()


@pytest.mark.slow
def test_a_submitted_application_is_followed_to_its_end(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HELIKON_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HELIKON_SPARK_MASTER", "local[2,3]")
    monkeypatch.setenv("HELIKON_SPARK_DRIVER_MEMORY_GIB", "1")
    example = Path(__file__).parents[2] / "examples" / "source_counts.py"
    words = ["spark", "submit", str(example), "--name", "counts", "--", "--sources", "200000"]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0
    slope = float(result.stdout.partition("slope of N(>S): ")[2].partition(",")[0])
    assert -1.8 < slope < -1.3
    assert "job counts" in result.stderr
