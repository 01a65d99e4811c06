"""What is said of a finder over many fields, with errors from drawing the fields again."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from helikon.space.evaluation.judge import COUNTED_SIGMA, Judgement
from helikon.space.evaluation.score import FLUX_SIGMA, class_scores, confusion, flux_ratio

__all__ = ["Measure", "bootstrap", "measures"]

RELIABLE = 0.995
"""Finders are also compared where each is cut at the S/N that makes it so reliable."""
NORMAL_MAD = 1.4826
"""Standard deviation of a normal distribution over its median deviation."""
N_QUANTILES = 100
"""Of the S/N and of the noise, to say what the noise alone leaves."""
EXTENDED, MULTI = "extended", "extended-multi-island"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure and its 68 % interval."""

    value: float
    low: float
    high: float


def measures(fields: Sequence[Judgement]) -> dict[str, float]:
    """Sum the fields up and give every figure of ``docs/explanation/judged.md``.

    Parameters
    ----------
    fields : sequence of Judgement
        One at least; of one finder.

    Returns
    -------
    dict
        Shares from 0 to 1; NaN where there is nothing to divide by.
    """
    table = np.sum([confusion(one) for one in fields], axis=0)
    ratio, scatter = flux_ratio(*fields)
    n_claims = sum(int(one.claim.sum()) for one in fields)
    n_false = sum(int(one.false.sum()) for one in fields)
    near = sum(int((one.false & one.near_bright).sum()) for one in fields)
    joined = sum(int(one.joined.sum()) for one in fields)
    return (
        {name: _found(fields, "compact", *limits) for name, limits in _RANGES.items()}
        | {
            "the same where reliability is 99.5 %": _at_reliability(fields, RELIABLE),
            "reliability": 1 - n_false / n_claims if n_claims else math.nan,
            "false near bright, a field": near / len(fields),
            "false elsewhere, a field": (n_false - near) / len(fields),
            "second entries, a field": sum(int(one.fragment.sum()) for one in fields) / len(fields),
        }
        | _one_entry(fields, EXTENDED)
        | _one_entry(fields, MULTI)
        | {
            "purity of joining": sum(int(one.joined_right.sum()) for one in fields) / joined
            if joined
            else math.nan,
            "flux ratio": ratio,
            "flux scatter": scatter,
            "flux median deviation": scatter / NORMAL_MAD,
            "position scatter, beams": _position_scatter(fields),
        }
        | _noise_alone(fields)
        | {f"F1 {one.name} (B)": one.f1 for one in class_scores(table)}
    )


_RANGES = {
    "compact completeness > 5": (COUNTED_SIGMA, math.inf),
    "compact completeness 5-7": (5.0, 7.0),
    "compact completeness 7-10": (7.0, 10.0),
    "compact completeness > 10": (10.0, math.inf),
}


def _truth(fields: Sequence[Judgement], name: str, low: float, high: float) -> list[npt.NDArray[np.bool_]]:
    return [(one.truth_class == name) & (one.truth_snr >= low) & (one.truth_snr < high) for one in fields]


def _found(fields: Sequence[Judgement], name: str, low: float, high: float) -> float:
    wanted = _truth(fields, name, low, high)
    found = sum(int(one.found[mask].sum()) for one, mask in zip(fields, wanted, strict=True))
    return found / n if (n := sum(int(mask.sum()) for mask in wanted)) else math.nan


def _at_reliability(fields: Sequence[Judgement], wanted: float) -> float:
    """Compact completeness above 5 sigma with the lowest cut in measured S/N that is reliable enough."""
    snr = np.concatenate([one.entry_snr[one.claim] for one in fields])
    false = np.concatenate([one.false[one.claim] for one in fields])
    order = np.argsort(-snr)
    good = np.flatnonzero(1 - np.cumsum(false[order]) / np.arange(1, len(snr) + 1) >= wanted)
    if not len(good):
        return math.nan
    cut = snr[order][good[-1]]
    wanted_rows = _truth(fields, "compact", COUNTED_SIGMA, math.inf)
    found = sum(
        int((one.found_snr[mask] >= cut).sum()) for one, mask in zip(fields, wanted_rows, strict=True)
    )
    return found / n if (n := sum(int(mask.sum()) for mask in wanted_rows)) else math.nan


def _one_entry(fields: Sequence[Judgement], name: str) -> dict[str, float]:
    wanted = _truth(fields, name, COUNTED_SIGMA, math.inf)
    n_entries = np.concatenate([one.n_entries[mask] for one, mask in zip(fields, wanted, strict=True)])
    found = np.concatenate([one.found[mask] for one, mask in zip(fields, wanted, strict=True)])
    return {
        f"{name} found": float(found.mean()) if len(found) else math.nan,
        f"{name} as one entry": float((found & (n_entries == 1)).mean()) if len(found) else math.nan,
        f"{name}: entries each": float(n_entries[found].mean()) if found.any() else math.nan,
    }


def _noise_alone(fields: Sequence[Judgement]) -> dict[str, float]:
    """What the noise leaves to a finder that misses nothing and measures each peak as well as one pixel can.

    Such a finder measures a true S/N of s as s plus a normal deviate, and a flux density with a
    relative error of that over s: the cut at 5 sigma takes some true sources from it, too.
    """
    snr = np.concatenate(
        [
            one.truth_snr[mask]
            for one, mask in zip(fields, _truth(fields, "compact", COUNTED_SIGMA, math.inf), strict=True)
        ]
    )
    strong = snr[snr >= FLUX_SIGMA]
    middles = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
    found, scatter = math.nan, math.nan
    if len(snr):
        found = float(ndtr(snr - COUNTED_SIGMA).mean())
    if len(strong):
        errors = np.outer(ndtri((1 + middles) / 2), 1 / np.quantile(strong, middles))
        scatter = float(NORMAL_MAD * np.median(errors))
    return {
        "compact completeness > 5, noise alone": found,
        "flux scatter, noise alone": scatter,
        "flux median deviation, noise alone": scatter / NORMAL_MAD,
    }


def _position_scatter(fields: Sequence[Judgement]) -> float:
    """Scatter of one coordinate of compact sources above 10 sigma, in beam FWHM."""
    offsets = np.concatenate(
        [
            part[(one.truth_class == "compact") & (one.truth_snr >= FLUX_SIGMA)]
            for one in fields
            for part in (one.offset_x, one.offset_y)
        ]
    )
    offsets = offsets[np.isfinite(offsets)]
    return float(NORMAL_MAD * np.median(np.abs(offsets - np.median(offsets)))) if len(offsets) else math.nan


def bootstrap(fields: Sequence[Judgement], *, n_draws: int = 200, seed: int = 1) -> dict[str, Measure]:
    """Give every figure with the interval that fields drawn again with replacement leave.

    Parameters
    ----------
    fields : sequence of Judgement
    n_draws : int
        How often the fields are drawn.
    seed : int
    """
    rng = np.random.default_rng(seed)
    whole = measures(fields)
    draws = [
        measures([fields[i] for i in rng.integers(len(fields), size=len(fields))]) for _ in range(n_draws)
    ]
    found = {}
    for name, value in whole.items():
        values = np.array([draw[name] for draw in draws])
        values = values[np.isfinite(values)]
        low, high = np.percentile(values, (16, 84)) if len(values) else (math.nan, math.nan)
        found[name] = Measure(value=value, low=float(low), high=float(high))
    return found
