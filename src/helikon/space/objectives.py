"""What ``helikon tune`` searches: the finder's thresholds, judged on made-up skies."""

import functools
import math
import statistics
from typing import TYPE_CHECKING

from helikon.space.model import SourceModel, load_model
from helikon.space.skies import Sky, simulate_sky

if TYPE_CHECKING:
    from optuna import Trial

    from helikon.space.evaluation.score import Score

__all__ = ["TUNING_SEEDS", "default_thresholds", "quality", "thresholds"]

TUNING_SEEDS = {"askap": 900_001, "meerkat": 900_002, "vla-b": 900_003}
"""Array to seed of its sky; no test and no training uses these seeds."""
SKY_PIXELS = 768


def thresholds(trial: "Trial") -> float:
    """Find the sources of three made-up skies with a trial's thresholds.

    Suggests ``seed_sigma`` (4 to 6), ``flood_sigma`` (2 to 4) and
    ``score_threshold`` (0.1 to 0.5), and reports the mean quality after each
    sky, so that poor trials can be pruned.

    Parameters
    ----------
    trial : optuna.Trial

    Returns
    -------
    float
        Mean of :func:`quality` over the skies, 0 to 1; more is better.

    Raises
    ------
    optuna.TrialPruned
        If the study's pruner has seen enough.
    """
    import optuna

    from helikon.space.evaluation.score import score
    from helikon.space.finder import FinderSettings, find_sources

    settings = FinderSettings(
        seed_sigma=trial.suggest_float("seed_sigma", 4.0, 6.0),
        flood_sigma=trial.suggest_float("flood_sigma", 2.0, 4.0),
        score_threshold=trial.suggest_float("score_threshold", 0.1, 0.5),
    )
    qualities: list[float] = []
    for number, (array, seed) in enumerate(TUNING_SEEDS.items()):
        sky = _sky(array, seed)
        qualities.append(quality(score(find_sources(sky.map, _model(), settings), sky)))
        trial.report(sum(qualities) / len(qualities), number)
        if trial.should_prune():
            raise optuna.TrialPruned
    return sum(qualities) / len(qualities)


def default_thresholds() -> dict[str, float]:
    """Return what is searched by :func:`thresholds` as the finder has it by default: a good first trial."""
    from helikon.space.finder_settings import FinderSettings

    usual = FinderSettings()
    return {name: getattr(usual, name) for name in ("seed_sigma", "flood_sigma", "score_threshold")}


def quality(score: "Score") -> float:
    """Harmonic mean of completeness, of the share of entries that are one source, and of whole galaxies.

    The last is the share of extended sources with exactly one entry: there are so
    few that the two others alone would have every galaxy in pieces.

    Parameters
    ----------
    score : Score

    Returns
    -------
    float
        0 to 1. Unlike ``score.f1``, fragments of a source count as false.
    """
    if not score.n_entries or math.isnan(score.completeness):
        return 0.0
    shares = [score.completeness, 1 - (score.n_false + score.n_fragments) / score.n_entries]
    if not math.isnan(score.single_entry):
        shares.append(score.single_entry)
    return statistics.harmonic_mean(shares)


@functools.cache
def _sky(array: str, seed: int) -> Sky:
    """Made once in each worker process."""
    return simulate_sky(seed, size=SKY_PIXELS, array=array)


@functools.cache
def _model() -> SourceModel:
    return load_model()
