"""Tuning the thresholds."""

import math
import pickle
from types import SimpleNamespace
from typing import Any

import optuna
import pytest

from helikon.space import objectives
from helikon.space.objectives import default_thresholds, quality, thresholds
from helikon.space.skies import simulate_sky


@pytest.fixture
def _small_skies(monkeypatch: pytest.MonkeyPatch) -> None:
    skies = {array: simulate_sky(1, size=192, array=array) for array in objectives.TUNING_SEEDS}
    monkeypatch.setattr(objectives, "_sky", lambda array, seed: skies[array])


def test_the_objective_travels_to_workers() -> None:
    assert pickle.loads(pickle.dumps(thresholds)) is thresholds


@pytest.mark.usefixtures("_small_skies")
def test_a_trial_reports_after_each_sky_and_scores_between_zero_and_one() -> None:
    study = optuna.create_study(direction="maximize")
    study.enqueue_trial({"seed_sigma": 5.0, "flood_sigma": 3.0, "score_threshold": 0.5})
    study.enqueue_trial({"seed_sigma": 4.0, "flood_sigma": 4.0, "score_threshold": 0.5})
    study.optimize(thresholds, n_trials=2)
    trial = study.trials[0]
    assert len(trial.intermediate_values) == 3
    assert trial.value == trial.intermediate_values[2]
    assert 0.3 < trial.value <= 1.0


@pytest.mark.usefixtures("_small_skies")
def test_the_thresholds_by_default_are_all_that_is_searched_and_within_its_ranges() -> None:
    study = optuna.create_study(direction="maximize")
    study.enqueue_trial(default_thresholds())
    study.optimize(thresholds, n_trials=1)
    assert study.best_params == default_thresholds()
    for name, value in default_thresholds().items():
        assert study.best_trial.distributions[name]._contains(value)


@pytest.mark.usefixtures("_small_skies")
def test_a_pruned_trial_stops_after_its_first_sky() -> None:
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.ThresholdPruner(lower=1.1))
    study.optimize(thresholds, n_trials=1)
    assert study.trials[0].state == optuna.trial.TrialState.PRUNED
    assert len(study.trials[0].intermediate_values) == 1


@pytest.mark.usefixtures("_small_skies")
def test_fragments_count_against_the_quality() -> None:
    from helikon.space.evaluation.score import score

    sky = simulate_sky(1, size=192)
    result = score(sky.truth["ra", "dec", "class"], sky)
    assert quality(result) <= result.f1
    assert quality(score(sky.truth["ra", "dec", "class"][:0], sky)) == 0.0


def test_galaxies_in_pieces_count_as_much_as_many_compact_sources() -> None:
    def of(single_entry: float) -> float:
        shares: Any = SimpleNamespace(
            completeness=0.9, n_entries=100, n_false=5, n_fragments=5, single_entry=single_entry
        )
        return quality(shares)

    assert of(0.9) == pytest.approx(0.9)
    assert of(0.3) == pytest.approx(3 / (2 / 0.9 + 1 / 0.3))
    assert of(0.0) < 1e-6
    assert of(math.nan) == pytest.approx(0.9)
