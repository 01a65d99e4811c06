import shutil
from pathlib import Path

import numpy as np
import optuna
import psutil
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from helikon.errors import InputError, NotFound
from helikon.settings import Settings
from helikon.spark.choices import make_pruner
from helikon.spark.objectives import recipe_objective, sklearn_objective
from helikon.spark.tuning import tune

TINY = Path(__file__).parents[1] / "training" / "tiny.py"


@pytest.fixture(scope="module")
def moons() -> tuple[np.ndarray, np.ndarray]:
    """Two classes that a line does not part."""
    draw = np.random.default_rng(1)
    x = draw.normal(size=(120, 2))
    return x, (np.hypot(*x.T) > 1.1).astype(int)


def test_an_estimator_is_tuned_by_cross_validation(warm: Settings, moons) -> None:
    pipeline = make_pipeline(StandardScaler(), SVC())
    space = {"svc__C": "1e-2..1e2 log", "svc__kernel": "rbf,linear"}
    study = tune(
        sklearn_objective(pipeline, space, *moons, cv=3),
        settings=warm,
        n_trials=12,
        study_name="svc",
        plots=False,
    )
    assert {trial.state.name for trial in study.trials} <= {"COMPLETE", "PRUNED"}
    assert study.best_params["svc__kernel"] == "rbf"
    best = pipeline.set_params(**study.best_params)
    assert study.best_value == pytest.approx(cross_val_score(best, *moons, cv=3).mean(), abs=1e-12)
    assert study.best_trial.user_attrs["score_std"] >= 0


def test_scoring_groups_and_other_ranges_are_heeded(moons) -> None:
    x, y = moons
    groups = np.arange(len(x)) % 6
    folds = GroupKFold(3)
    space = {"alpha": optuna.distributions.FloatDistribution(0.1, 10), "fit_intercept": [True, False]}
    objective = sklearn_objective(
        Ridge(), space, x, y, scoring="neg_mean_absolute_error", cv=folds, groups=groups
    )
    study = optuna.create_study(direction="maximize", pruner=make_pruner("none"))
    study.optimize(objective, n_trials=2)
    trial = study.trials[0]
    expected = cross_val_score(
        Ridge(**trial.params), x, y, groups=groups, cv=folds, scoring="neg_mean_absolute_error"
    )
    assert trial.value == pytest.approx(expected.mean(), abs=1e-12)
    assert len(trial.intermediate_values) == 3


def test_a_poor_estimator_is_pruned_after_a_fold(moons) -> None:
    objective = sklearn_objective(SVC(), {"C": "1..2"}, *moons, cv=3)
    study = optuna.create_study(direction="maximize", pruner=make_pruner("threshold", options={"lower": 1.1}))
    study.optimize(objective, n_trials=1)
    assert study.trials[0].state.name == "PRUNED"
    assert len(study.trials[0].intermediate_values) == 1


def test_a_parameter_that_the_estimator_has_not_is_named(moons) -> None:
    with pytest.raises(InputError, match=r"SVC has no parameter colour: expected one of C, break_ties"):
        sklearn_objective(SVC(), {"colour": "a,b"}, *moons)


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a recipe that learns a line, in a module of the import path."""
    shutil.copy(TINY, tmp_path / "tiny_recipe.py")
    monkeypatch.syspath_prepend(tmp_path)
    return "tiny_recipe:line"


@pytest.mark.slow
def test_a_recipe_is_tuned_by_a_figure_of_its_record(warm: Settings, recipe: str) -> None:
    objective = recipe_objective(warm, recipe, fixed=["n_steps=30"], searched=["scale=0.5,1"], metric="error")
    study = tune(
        objective,
        settings=warm,
        n_trials=2,
        study_name="line",
        directions=("minimize",),
        plots=False,
        sampler=optuna.samplers.GridSampler({"scale": ["0.5", "1"]}),
    )
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 2, study.trials[-1].user_attrs
    assert {trial.params["scale"] for trial in study.trials} == {"0.5", "1"}
    assert all(0 < trial.value < 5 for trial in study.trials)
    for number in range(2):
        folder = warm.state_dir / "training" / f"line-{number}"
        assert (folder / "model" / "weights.safetensors").exists()
        assert not (folder / "checkpoint").exists()


@pytest.mark.slow
def test_a_recipe_that_fails_is_a_failed_trial_with_its_cause_and_a_pruned_one_is_ended(
    warm: Settings, recipe: str
) -> None:
    from helikon.spark.worker import run_trial

    study = optuna.create_study(study_name="ended", pruner=make_pruner("threshold", options={"upper": 0.0}))
    slow = recipe_objective(
        warm, recipe, fixed=["n_steps=100000", "pause_s=0.01"], searched=["scale=1,2"], metric="loss"
    )
    run_trial(study, study.ask()._trial_id, slow)
    broken = recipe_objective(warm, recipe, fixed=["n_steps=many"], searched=["scale=1,2"])
    run_trial(study, study.ask()._trial_id, broken)
    assert [trial.state.name for trial in study.trials] == ["PRUNED", "FAIL"], study.trials
    assert "invalid literal for int() with base 10: 'many'" in study.trials[1].user_attrs["helikon:error"]
    assert not any("helikon.training.main" in " ".join(p.cmdline()) for p in psutil.Process().children())


def test_a_recipe_needs_something_to_search_and_to_be_known(settings: Settings) -> None:
    with pytest.raises(InputError, match="nothing to search"):
        recipe_objective(settings, "m:f")
    with pytest.raises(InputError, match="option of a recipe cannot be read"):
        recipe_objective(settings, "m:f", fixed=["x"], searched=["a=1..2"])
    with pytest.raises(NotFound, match="recipes"):
        recipe_objective(settings, "space/no-such", searched=["a=1..2"])
