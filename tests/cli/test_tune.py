import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from helikon.cli.root import cli
from helikon.errors import AlreadyExists, NotFound
from helikon.spark.session import close

OBJECTIVE = """
def loss(trial):
    return (trial.suggest_float("rate", 0, 1) - 0.3) ** 2
"""


@pytest.fixture
def _small(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HELIKON_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HELIKON_SPARK_MASTER", "local[2,3]")
    monkeypatch.setenv("HELIKON_SPARK_DRIVER_MEMORY_GIB", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "objective.py").write_text(OBJECTIVE)


@pytest.mark.slow
@pytest.mark.usefixtures("_small")
def test_a_search_prints_its_best_trials_and_can_go_on() -> None:
    words = ["tune", "objective.py:loss", "--direction", "minimize", "--study", "loss"]
    try:
        first = CliRunner().invoke(cli, [*words, "--trials", "4"], catch_exceptions=False)
        assert first.stdout.split()[:3] == ["TRIAL", "VALUE", "rate"]
        assert len(first.stdout.splitlines()) == 5
        assert "4 of 4 trials, 0 pruned, 0 failed, best" in first.stderr
        again = CliRunner().invoke(cli, [*words, "--trials", "6"])
        assert isinstance(again.exception, AlreadyExists)
        more = CliRunner().invoke(cli, [*words, "--trials", "6", "--resume", "--json"])
        best = json.loads(more.stdout)
        assert len(best) == 6
        assert best == sorted(best, key=lambda trial: trial["values"])
    finally:
        close()


@pytest.mark.usefixtures("_small")
def test_an_objective_that_is_not_there_is_named() -> None:
    result = CliRunner().invoke(cli, ["tune", "space/no-such"])
    assert isinstance(result.exception, NotFound)
    assert "objectives" in str(result.exception)
