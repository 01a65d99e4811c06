import json
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import psutil
import pytest
from click.testing import CliRunner
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from helikon.cli.root import cli
from helikon.errors import AlreadyExists, InputError, NotFound
from helikon.spark.sessions import close
from helikon.testing.polling import eventually

OBJECTIVE = """
import time

def loss(trial):
    return (trial.suggest_float("rate", 0, 1) - 0.3) ** 2

def both(trial):
    rate = trial.suggest_int("rate", 0, 2)
    return rate, rate**2

def picky(trial):
    if trial.suggest_int("n", 0, 3) % 2:
        raise RuntimeError("no odd numbers")
    return 1.0

def slow(trial):
    rate = trial.suggest_float("rate", 0, 1)
    time.sleep(600 if trial.number > 1 else 0)
    return rate
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
        known = ["--first", "rate=0.25", "--first", "rate=0.5"]
        first = CliRunner().invoke(cli, [*words, *known, "--trials", "4"], catch_exceptions=False)
        assert first.stdout.split()[:3] == ["TRIAL", "VALUE", "rate"]
        assert len(first.stdout.splitlines()) == 5
        assert "4 of 4 trials, 0 pruned, 0 failed, best" in first.stderr
        again = CliRunner().invoke(cli, [*words, "--trials", "6"])
        assert isinstance(again.exception, AlreadyExists)
        more = CliRunner().invoke(cli, [*words, "--trials", "6", "--resume", "--json"])
        told = json.loads(more.stdout)
        best = told["best"]
        assert (len(best), told["n_complete"], told["failed"]) == (6, 6, [])
        assert best == sorted(best, key=lambda trial: trial["values"])
        rates = {trial["params"]["rate"] for trial in best if trial["number"] < 2}
        assert rates == {0.25, 0.5}
    finally:
        close()


@pytest.mark.slow
@pytest.mark.usefixtures("_small")
def test_several_objectives_and_a_sampler_with_options() -> None:
    grid = "search_space={rate: [0, 1, 2]}"
    words = [
        "tune",
        "objective.py:both",
        "--direction",
        "minimize",
        "--direction",
        "maximize",
    ]
    try:
        found = CliRunner().invoke(
            cli,
            [*words, "--sampler", "grid", "--sampler-option", grid, "--pruner", "none", "--json"],
            catch_exceptions=False,
        )
        assert sorted(trial["values"] for trial in json.loads(found.stdout)["best"]) == [
            [0, 0],
            [1, 1],
            [2, 4],
        ]
    finally:
        close()


@pytest.mark.slow
@pytest.mark.usefixtures("_small")
def test_why_trials_failed_is_said() -> None:
    grid = ["--sampler", "grid", "--sampler-option", "search_space={n: [0, 1, 2, 3]}", "--seed", "1"]
    try:
        done = CliRunner().invoke(
            cli, ["tune", "objective.py:picky", *grid, "--json"], catch_exceptions=False
        )
        (failed,) = json.loads(done.stdout)["failed"]
        assert (failed["cause"], len(failed["trials"])) == ("RuntimeError: no odd numbers", 2)
        numbers = ", ".join(str(number) for number in failed["trials"])
        assert f"2 of 4 trials failed:\n  trials {numbers}: RuntimeError: no odd numbers\n" in done.stderr
        assert "4 of 4 trials, 0 pruned, 2 failed, best 1" in done.stderr
    finally:
        close()


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    ("first", "said"),
    [("rat=0.25", "expected one of rate"), ("rate=2", "got 2, expected 0 to 1"), ("rate=1e1", "got 10.0")],
)
def test_a_first_trial_that_cannot_be_is_refused_before_spark_starts(first: str, said: str) -> None:
    done = CliRunner().invoke(cli, ["tune", "objective.py:loss", "--first", first])
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)


@pytest.mark.slow
@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_signal_ends_a_study_before_its_trials_end_and_leaves_nothing_running(
    tmp_path: Path, number: signal.Signals
) -> None:
    journal = tmp_path / "state" / "studies" / "slow" / "journal.log"
    command = [sys.executable, "-c", "import signal; signal.signal(2, signal.default_int_handler)\n" + CALL]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as driver:
        try:
            eventually(lambda: journal.exists() and journal.read_text().count('"rate"') == 4, timeout_s=150)
            family = psutil.Process(driver.pid).children(recursive=True)
            assert any("java" in process.name() for process in family)
            driver.send_signal(number)
            said = driver.communicate(timeout=120)[1]  # a trial sleeps for 600 s
            assert driver.returncode == 130
            assert said.splitlines()[-1] == "helikon: stopped"
            eventually(lambda: not any(process.is_running() for process in family))
        finally:
            driver.kill()
    storage = JournalStorage(JournalFileBackend(str(journal)))
    trials = optuna.load_study(study_name="slow", storage=storage).trials
    assert sorted(trial.state.name for trial in trials) == ["COMPLETE", "COMPLETE", "FAIL", "FAIL"]


CALL = """
from helikon.cli import main
main(["tune", "objective.py:slow", "--study", "slow", "--trials", "6"])
"""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tune"], "give either an OBJECTIVE or --recipe"),
        (["tune", "m:f", "--recipe", "m:f"], "give either an OBJECTIVE or --recipe"),
        (["tune", "objective.py:loss", "--search", "a=1..2"], "belong to --recipe"),
        (["tune", "objective.py:loss", "--sampler", "annealing"], "'annealing' is not one of 'tpe'"),
    ],
)
@pytest.mark.usefixtures("_small")
def test_wrong_usage_is_said(words: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.usefixtures("_small")
def test_an_objective_that_is_not_there_is_named() -> None:
    result = CliRunner().invoke(cli, ["tune", "space/no-such"])
    assert isinstance(result.exception, NotFound)
    assert "objectives" in str(result.exception)
