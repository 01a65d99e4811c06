import warnings
from pathlib import Path

import optuna
import pytest
from matplotlib.figure import Figure
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from helikon.spark import plots
from helikon.spark.plots import draw_study

SPACE = {
    "rate": FloatDistribution(1e-5, 1e-1, log=True),
    "depth": IntDistribution(1, 9),
    "kernel": CategoricalDistribution(["rbf", None]),
}


def study_of(n_trials: int, n_values: int = 1) -> optuna.Study:
    study = optuna.create_study(study_name="drawn", directions=["minimize"] * n_values)
    for i in range(n_trials):
        params = {"rate": 10.0 ** -(1 + i % 4), "depth": 1 + i % 9, "kernel": ["rbf", None][i % 2]}
        values = [float((i * 7) % 11 + j * i) for j in range(n_values)]
        study.add_trial(create_trial(params=params, distributions=SPACE, values=values))
    return study


def names(paths: list[Path]) -> list[str]:
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000 for path in paths)
    return [path.name for path in paths]


def test_a_study_is_drawn(tmp_path: Path) -> None:
    study = study_of(20)
    study.add_trial(create_trial(state=TrialState.PRUNED))
    study.add_trial(create_trial(state=TrialState.FAIL))
    study.add_trial(create_trial(params={"rate": 1e-3}, distributions={"rate": SPACE["rate"]}, value=1e400))
    assert names(draw_study(study, tmp_path / "plots")) == ["history.png", "importance.png", "parallel.png"]
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {
        "history.png",
        "importance.png",
        "parallel.png",
    }


def test_the_history_reaches_to_the_last_trial_though_it_was_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, tuple[float, float]] = {}

    def keep(figure: Figure, path: Path) -> Path:
        seen[path.stem] = figure.axes[0].get_xlim()
        return path

    monkeypatch.setattr(plots, "_save", keep)
    study = study_of(2)
    for _ in range(6):
        study.add_trial(create_trial(state=TrialState.PRUNED))
    draw_study(study, tmp_path)
    assert seen["history"][0] < 0
    assert 7 < seen["history"][1] < 9


@pytest.mark.parametrize("n_values", [2, 3])
def test_of_several_objectives_the_front_is_drawn(tmp_path: Path, n_values: int) -> None:
    assert "front.png" in names(draw_study(study_of(15, n_values), tmp_path))


def test_little_is_drawn_of_little(tmp_path: Path) -> None:
    assert draw_study(study_of(0), tmp_path) == []
    assert names(draw_study(study_of(1), tmp_path)) == ["history.png", "parallel.png"]
    bare = optuna.create_study()
    bare.add_trial(create_trial(value=1.0))
    assert names(draw_study(bare, tmp_path)) == ["history.png"]


@pytest.mark.parametrize("n_trials", [1, 2])
def test_long_names_and_few_trials_leave_room_for_what_is_drawn(tmp_path: Path, n_trials: int) -> None:
    name = "what-the-weather-was-like-in-the-year-of-the-observation-" * 2
    study = optuna.create_study(study_name=name)
    study.optimize(lambda trial: trial.suggest_float("temperature_of_the_receiver_" * 2, 0, 1), n_trials)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "parallel.png" in {path.name for path in draw_study(study, tmp_path)}
