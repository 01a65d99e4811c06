import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import optuna
import psutil
import pytest

from helikon.catalogue.runs import find_run
from helikon.catalogue.tracking import client
from helikon.errors import AlreadyExists, EngineError, InputError
from helikon.settings import Settings
from helikon.spark.choices import make_sampler
from helikon.spark.sessions import session
from helikon.spark.study import StudyUpdate, study_folder
from helikon.spark.tuning import tune
from helikon.testing.polling import eventually


def parabola(trial: optuna.Trial) -> float:
    return -((trial.suggest_float("x", -1, 1) - 0.5) ** 2)


def states(study: optuna.Study) -> Counter[str]:
    return Counter(trial.state.name for trial in study.trials)


@pytest.fixture
def run(warm: Settings, request: pytest.FixtureRequest) -> Callable[..., optuna.Study]:
    """Tune in a study named after the test."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    return functools.partial(tune, settings=warm, study_name=name)


def test_a_study_has_exactly_the_trials_asked_for_and_a_best(run, warm: Settings) -> None:
    updates: list[StudyUpdate] = []
    study = run(parabola, n_trials=12, on_update=updates.append)
    assert states(study) == {"COMPLETE": 12}
    assert updates[-1].n_ended == updates[-1].n_trials == 12
    assert updates[-1].best_value == study.best_value == max(trial.value for trial in study.trials)
    result = json.loads((study_folder(warm, study.study_name) / "result.json").read_text())
    assert result["best"] == [
        {"number": study.best_trial.number, "values": [study.best_value], "params": study.best_params}
    ]


def test_what_is_known_to_be_good_is_tried_first_and_once(run) -> None:
    first = [{"x": 0.25}, {"x": -1.0}]
    study = run(parabola, n_trials=2, first=first)
    assert sorted(trial.params["x"] for trial in study.trials) == [-1.0, 0.25]
    more = run(parabola, n_trials=4, first=first, resume=True)
    assert sum(trial.params["x"] in (-1.0, 0.25) for trial in more.trials) == 2
    assert states(more) == {"COMPLETE": 4}


@pytest.mark.parametrize("first", [{"y": 0.25}, {"x": 7.0}])
def test_what_is_given_and_not_asked_for_or_out_of_range_is_refused_before_a_study_is_made(
    settings: Settings, first: dict[str, float]
) -> None:
    with pytest.raises(InputError, match=r"expected (one of x|-1 to 1)"):
        tune(parabola, settings=settings, n_trials=3, study_name="refused", first=[first])
    assert not study_folder(settings, "refused").exists()


def test_where_it_is_not_known_what_is_asked_for_such_a_trial_fails(run) -> None:
    def handed_on(trial: optuna.Trial) -> float:
        return parabola(trial)

    study = run(handed_on, n_trials=3, n_workers=1, first=[{"y": 0.25}, {"x": 7.0}], plots=False)
    assert states(study) == {"FAIL": 2, "COMPLETE": 1}
    errors = [trial.user_attrs["helikon:error"] for trial in study.trials[:2]]
    assert errors == [
        "ValueError: the objective asks for no y, which was given; it asks for x",
        "ValueError: x = 7.0 was given and is not in the range that is searched",
    ]


def test_every_trial_is_a_run_under_the_studys_run(run, warm: Settings) -> None:
    study = run(parabola, n_trials=3)
    parent = find_run(warm, study.study_name, "tuning")
    mlflow = client(warm)
    found = mlflow.get_run(parent)
    assert found.info.status == "FINISHED"
    assert found.data.metrics["best_value"] == study.best_value
    children = mlflow.search_runs([found.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent}'")
    assert sorted(child.data.metrics["value"] for child in children) == sorted(t.value for t in study.trials)
    assert all(child.info.status == "FINISHED" and "x" in child.data.params for child in children)


def test_an_exception_is_one_failed_trial_and_is_not_tried_again(run) -> None:
    def picky(trial: optuna.Trial) -> float:
        if trial.number in (1, 4):
            raise ValueError("no such filter\nat all")
        return parabola(trial)

    study = run(picky, n_trials=8)
    assert states(study) == {"COMPLETE": 6, "FAIL": 2}
    assert study.trials[4].user_attrs["helikon:error"] == "ValueError: no such filter"


@pytest.mark.parametrize("returned", [None, "much", float("nan"), (1.0, 2.0)])
def test_what_is_no_number_is_a_failed_trial(run, returned: object) -> None:
    study = run(lambda trial: 1.0 if trial.number else returned, n_trials=2, n_workers=1)
    assert states(study) == {"COMPLETE": 1, "FAIL": 1}


def test_a_study_whose_trials_all_fail_says_why(run) -> None:
    def fail(_: optuna.Trial) -> float:
        raise RuntimeError("no calibration table")

    with pytest.raises(EngineError, match=r"all 3 trials .* failed: got RuntimeError: no calibration table"):
        run(fail, n_trials=3)


def test_a_worker_that_is_killed_costs_no_trial_and_leaves_none_running(run, tmp_path: Path) -> None:
    def die_once(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        if trial.number == 3 and not (tmp_path / "x").exists():
            (tmp_path / "x").write_text(str(x))
            os.kill(os.getpid(), signal.SIGKILL)
        return x

    study = run(die_once, n_trials=10)
    assert states(study) == {"COMPLETE": 10}
    assert study.trials[3].value == float((tmp_path / "x").read_text())


def test_a_trial_that_always_kills_its_worker_is_one_failed_trial(run) -> None:
    def deadly(trial: optuna.Trial) -> float:
        if trial.number in (2, 5):
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0

    study = run(deadly, n_trials=8)
    assert states(study) == {"COMPLETE": 6, "FAIL": 2}
    assert "was killed 2 times" in study.trials[5].user_attrs["helikon:error"]


def test_poor_trials_are_pruned_by_the_pruner_given(run) -> None:
    def learn(trial: optuna.Trial) -> float:
        for step in range(3):
            trial.report(1.0 if trial.number == 0 else 0.0, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return 1.0

    pruner = optuna.pruners.ThresholdPruner(lower=0.5)
    assert states(run(learn, n_trials=6, pruner=pruner)) == {"COMPLETE": 1, "PRUNED": 5}


def test_several_values_have_a_front_of_best_trials(run) -> None:
    def both(trial: optuna.Trial) -> tuple[float, float]:
        x = trial.suggest_float("x", 0, 1)
        return x, 1 - x

    study = run(both, n_trials=5, directions=("maximize", "minimize"))
    assert len(study.best_trials) >= 1
    assert states(study) == {"COMPLETE": 5}


def test_workers_do_not_draw_the_same_numbers_but_one_worker_repeats_itself(run, warm: Settings) -> None:
    def drawn(**options: object) -> list[float]:
        study = tune(
            parabola, settings=warm, n_trials=4, sampler=optuna.samplers.RandomSampler(seed=1), **options
        )
        return [trial.params["x"] for trial in study.trials]

    assert drawn(study_name="seeded-1", n_workers=1) == drawn(study_name="seeded-2", n_workers=1)
    assert len(set(drawn(study_name="seeded-3", n_workers=2))) == 4


def test_a_study_goes_on_where_it_ended(run) -> None:
    run(parabola, n_trials=3)
    with pytest.raises(AlreadyExists, match="--resume"):
        run(parabola, n_trials=5)
    assert states(run(parabola, n_trials=5, resume=True)) == {"COMPLETE": 5}
    assert states(run(parabola, n_trials=2, resume=True)) == {"COMPLETE": 5}


def test_after_the_time_is_over_no_trial_is_begun(run) -> None:
    def slow(_: optuna.Trial) -> float:
        time.sleep(0.5)
        return 1.0

    study = run(slow, n_trials=10_000, timeout_s=8)
    assert 0 <= len(study.trials) < 100
    assert set(states(study)) <= {"COMPLETE"}


def test_ctrl_c_leaves_no_trial_running_and_the_study_can_go_on(run, warm: Settings) -> None:
    def slow(trial: optuna.Trial) -> float:
        time.sleep(60 if trial.number > 1 else 0)
        return 1.0

    def stop(update: StudyUpdate) -> None:
        if update.n_complete == 2 and update.n_running == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(slow, n_trials=5, on_update=stop)
    study = run(parabola, n_trials=5, resume=True)
    assert states(study) == {"COMPLETE": 5, "FAIL": 2}


DRIVER = """
import sys, time
from pathlib import Path
from helikon.settings import load
from helikon.spark.tuning import tune

def slow(trial):
    x = trial.suggest_float("x", 0, 1)
    time.sleep(0 if trial.number < 2 else 600)
    return x

print(tune(slow, settings=load(), n_trials=6, study_name="killed"))
"""


@pytest.mark.slow
def test_a_driver_that_is_killed_loses_nothing_and_leaves_no_process(warm: Settings, tmp_path: Path) -> None:
    environ = os.environ | {
        "HELIKON_STATE_DIR": str(tmp_path),
        "HELIKON_SPARK_MASTER": "local[2,3]",
        "HELIKON_SPARK_DRIVER_MEMORY_GIB": "1",
        "HELIKON_TRACKING_URI": f"sqlite:///{warm.state_dir}/mlflow/mlflow.db",
    }
    journal = tmp_path / "studies" / "killed" / "journal.log"
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], env=environ)
    try:
        eventually(lambda: journal.exists() and journal.read_text().count('"x"') == 4, timeout_s=150)
        family = psutil.Process(driver.pid).children(recursive=True)
        assert any("java" in process.name() for process in family)
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        eventually(lambda: not any(process.is_running() for process in family), timeout_s=20)
    finally:
        driver.kill()
        driver.wait()
    study = tune(
        lambda trial: trial.suggest_float("x", 0, 1),
        settings=warm,
        n_trials=6,
        study_name="killed",
        storage_folder=journal.parent,
        resume=True,
    )
    assert states(study) == {"COMPLETE": 6}


@pytest.mark.slow
def test_a_jvm_that_is_killed_costs_no_trial(run, warm: Settings) -> None:
    def kill_jvm(update: StudyUpdate) -> None:
        if update.n_complete >= 2 and not killed:
            killed.append(session(warm).sparkContext._gateway.proc.pid)
            os.kill(killed[0], signal.SIGKILL)

    def slow(trial: optuna.Trial) -> float:
        time.sleep(0.5)
        return 1.0

    killed: list[int] = []
    study = run(slow, n_trials=8, on_update=kill_jvm)
    assert killed
    assert states(study) == {"COMPLETE": 8}


def test_an_objective_may_end_the_study(run) -> None:
    def enough(trial: optuna.Trial) -> float:
        if trial.number == 3:
            trial.study.stop()
        time.sleep(0.5)
        return 1.0

    study = run(enough, n_trials=1000)
    # The other worker ends the trial that it is in, and has begun another if word reaches it late.
    assert 4 <= len(study.trials) <= 7
    assert set(states(study)) == {"COMPLETE"}


@pytest.mark.parametrize(("sampler", "n_workers"), [("grid", 1), ("grid", 2), ("brute-force", 1)])
def test_a_sampler_that_has_tried_everything_ends_the_study(run, sampler: str, n_workers: int) -> None:
    def both(trial: optuna.Trial) -> float:
        time.sleep(0.05 * (trial.number % 3))
        return trial.suggest_int("x", 0, 2) + (trial.suggest_categorical("kind", ["a", "b"]) == "b")

    options = {"search_space": {"x": [0, 1, 2], "kind": ["a", "b"]}} if sampler == "grid" else {}
    made = make_sampler(sampler, seed=1, options=options)
    study = run(both, n_trials=50, n_workers=n_workers, sampler=made)
    tried = {(trial.params["x"], trial.params["kind"]) for trial in study.trials}
    assert len(tried) == 6
    assert len(study.trials) == 6 or (sampler == "brute-force" and len(study.trials) < 12)
    assert set(states(study)) == {"COMPLETE"}


def test_a_grid_that_was_stopped_and_goes_on_tries_each_point_once(run) -> None:
    def slow(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 9)
        time.sleep(60 if trial.number in (2, 3) else 0)
        return x

    def stop(update: StudyUpdate) -> None:
        assert update.n_trials == 7
        if update.n_complete == 2 and update.n_running == 2:
            raise KeyboardInterrupt

    grid = optuna.samplers.GridSampler({"x": [float(x) for x in range(7)]})
    with pytest.raises(KeyboardInterrupt):
        run(slow, n_trials=20, sampler=grid, on_update=stop, plots=False)
    study = run(slow, n_trials=20, sampler=grid, resume=True, plots=False)
    assert states(study) == {"COMPLETE": 7, "FAIL": 2}
    assert sorted(trial.params["x"] for trial in study.trials if trial.value is not None) == list(range(7))
    assert len(run(slow, n_trials=20, sampler=grid, resume=True, plots=False).trials) == 9


def test_a_grid_need_not_be_asked_for_in_all_its_points_but_holds_all_that_is_asked(run) -> None:
    def depth_of_trees(trial: optuna.Trial) -> float:
        is_tree = trial.suggest_categorical("kind", ["tree", "line"]) == "tree"
        return float(trial.suggest_int("depth", 1, 2) if is_tree else trial.suggest_int("width", 1, 2))

    grid = optuna.samplers.GridSampler({"kind": ["tree", "line"], "depth": [1, 2]})
    study = run(depth_of_trees, n_trials=9, sampler=grid, plots=False)
    assert states(study) == {"COMPLETE": 2, "FAIL": 2}
    told = {trial.user_attrs.get("helikon:error") for trial in study.trials}
    assert told == {None, "ValueError: the grid has no width: it has depth, kind"}


def test_why_trials_failed_is_told_together(run, warm: Settings) -> None:
    def picky(trial: optuna.Trial) -> float:
        if trial.number in (1, 4, 5):
            raise ValueError("no such filter" if trial.number < 5 else "no light")
        return 1.0

    updates: list[StudyUpdate] = []
    study = run(picky, n_trials=8, on_update=updates.append, plots=False)
    failures = [(one.cause, one.trials) for one in updates[-1].failures]
    assert failures == [("ValueError: no such filter", (1, 4)), ("ValueError: no light", (5,))]
    result = json.loads((study_folder(warm, study.study_name) / "result.json").read_text())
    assert result["failed"][1] == {"cause": "ValueError: no light", "trials": [5]}


def test_its_plots_and_its_result_are_kept_with_its_run(run, warm: Settings) -> None:
    def both(trial: optuna.Trial) -> tuple[float, float]:
        x = trial.suggest_float("x", 0, 1)
        return x, (1 - x) ** 2

    study = run(both, n_trials=6, directions=("maximize", "maximize"))
    parent = find_run(warm, study.study_name, "tuning")
    mlflow = client(warm)
    assert [one.path for one in mlflow.list_artifacts(parent)] == ["plots", "result.json"]
    drawn = {one.path for one in mlflow.list_artifacts(parent, "plots")}
    assert drawn == {f"plots/{name}.png" for name in ("front", "history", "importance", "parallel")}
    run(parabola, n_trials=1, study_name="without-plots", plots=False)
    parent = find_run(warm, "without-plots", "tuning")
    assert [one.path for one in mlflow.list_artifacts(parent)] == ["result.json"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_trials": 0}, "number of trials"),
        ({"n_trials": 1, "n_workers": 0}, "number of workers"),
        ({"n_trials": 1, "directions": ("up",)}, "directions"),
        ({"n_trials": 1, "directions": ()}, "directions"),
    ],
)
def test_numbers_that_cannot_be_used_are_refused(settings: Settings, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tune(parabola, settings=settings, study_name="s", **options)
