"""How good a catalogue is, where the truth is known.

:func:`score` does it all for one field; ``matching.py`` says who is who,
``judge.py`` what follows for each entry and each source, ``measures.py`` sums
over many fields, and ``scores.py`` tells it as text and ``plot.py`` as a picture.
"""

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.space.classes import CLASSES
from helikon.space.evaluation.entries import read_entries
from helikon.space.evaluation.judge import COUNTED_SIGMA, Judgement, judge
from helikon.space.evaluation.scores import Bin, ClassScore, Score
from helikon.space.skies import Sky

__all__ = [
    "BIN_EDGES",
    "COUNTED_SIGMA",
    "FLUX_SIGMA",
    "Bin",
    "ClassScore",
    "Score",
    "bins",
    "class_scores",
    "confusion",
    "flux_ratio",
    "score",
    "single_entry",
    "wilson",
]

BIN_EDGES = (3.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0, math.inf)
"""Borders of the bins in signal to noise."""
FLUX_SIGMA = 10.0
"""Flux densities are compared above it."""
EXTENDED = ("extended", "extended-multi-island")


def score(catalogue: Any, sky: Sky) -> Score:
    """Score a catalogue of a made-up sky.

    Parameters
    ----------
    catalogue : astropy.table.Table
        See :func:`helikon.space.evaluation.entries.read_entries`.
    sky : Sky

    Returns
    -------
    Score
    """
    one = judge(read_entries(catalogue, sky), sky)
    source = one.truth_class != "spurious"
    counted = source & (one.truth_snr >= COUNTED_SIGMA)
    completeness = _share(int(one.found[counted].sum()), int(counted.sum()))
    reliability = 1 - _share(int(one.false.sum()), int(one.claim.sum()), empty=0.0)
    table = confusion(one)
    ratio, deviation = flux_ratio(one)
    return Score(
        n_true=int(counted.sum()),
        n_entries=int(one.claim.sum()),
        n_false=int(one.false.sum()),
        n_fragments=int(one.fragment.sum()),
        completeness=completeness,
        reliability=reliability,
        f1=_harmonic(completeness, reliability),
        single_entry=single_entry(one, EXTENDED),
        single_entry_multi=single_entry(one, EXTENDED[1:]),
        completeness_bins=bins(one.truth_snr[source], one.found[source]),
        reliability_bins=bins(one.entry_snr[one.claim], ~one.false[one.claim]),
        classes=class_scores(table),
        confusion=tuple(tuple(int(n) for n in row) for row in table),
        flux_ratio=ratio,
        flux_ratio_mad=deviation,
    )


def _share(part: int, whole: int, *, empty: float = math.nan) -> float:
    return part / whole if whole else empty


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b > 0 else 0.0


def wilson(n_good: int, n: int) -> tuple[float, float]:
    """Return the 68 % interval of a binomial share (Wilson 1927, JASA 22, 209)."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = n_good / n, 1.0
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def bins(snr: npt.NDArray[np.float64], good: npt.NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Count how many are good in each bin of :data:`BIN_EDGES`."""
    found = []
    for low, high in itertools.pairwise(BIN_EDGES):
        inside = (snr >= low) & (snr < high)
        n, n_good = int(inside.sum()), int((inside & good).sum())
        share_low, share_high = wilson(n_good, n)
        found.append(
            Bin(
                low=low,
                high=high,
                n=n,
                n_good=n_good,
                share=_share(n_good, n),
                share_low=share_low,
                share_high=share_high,
            )
        )
    return tuple(found)


def confusion(one: Judgement) -> npt.NDArray[np.int64]:
    """Count classes of whatever lies in the same place, so that spurious mistakes show.

    Returns
    -------
    ndarray, shape (6, 6)
        Rows: the five true classes, then none. Columns: the five classes of
        entries, then missed. True sources below 5 sigma count for nothing,
        with the entries on them.
    """
    none = len(CLASSES)
    index = {name: i for i, name in enumerate(CLASSES)}
    table = np.zeros((none + 1, none + 1), dtype=np.int64)
    counted = (one.truth_snr >= COUNTED_SIGMA) | (one.truth_class == "spurious")
    met = np.zeros(len(one.truth_class), dtype=bool)
    for truth, name in zip(one.entry_truth.tolist(), one.entry_class.tolist(), strict=True):
        column = index.get(name, none)
        if truth < 0:
            table[none, column] += 1
        else:
            met[truth] = True
            if counted[truth]:
                table[index[str(one.truth_class[truth])], column] += 1
    for truth in np.flatnonzero(counted & ~met).tolist():
        table[index[str(one.truth_class[truth])], none] += 1
    return table


def class_scores(table: npt.NDArray[np.int64]) -> tuple[ClassScore, ...]:
    """Score each class of a confusion table."""
    return tuple(_class_score(table, index) for index in range(len(CLASSES)))


def _class_score(table: npt.NDArray[np.int64], index: int) -> ClassScore:
    n_true, n_found = int(table[index].sum()), int(table[:, index].sum())
    right = int(table[index, index])
    return ClassScore(
        name=CLASSES[index],
        n_true=n_true,
        n_found=n_found,
        n_right=right,
        precision=_share(right, n_found),
        recall=_share(right, n_true),
        f1=_share(2 * right, n_true + n_found),
    )


def single_entry(one: Judgement, names: tuple[str, ...]) -> float:
    """Share of the true sources of some classes, above 5 sigma, that have exactly one entry."""
    wanted = np.isin(one.truth_class, names) & (one.truth_snr >= COUNTED_SIGMA)
    good = one.found & (one.n_entries == 1)
    return _share(int(good[wanted].sum()), int(wanted.sum()))


def flux_ratio(*judgements: Judgement) -> tuple[float, float]:
    """Median of measured over true flux density of compact sources above 10 sigma, and its scatter."""
    chosen = [
        one.flux_ratio[(one.truth_class == "compact") & (one.truth_snr >= FLUX_SIGMA)] for one in judgements
    ]
    ratio = np.concatenate(chosen) if chosen else np.empty(0)
    ratio = ratio[np.isfinite(ratio)]
    if not len(ratio):
        return math.nan, math.nan
    median = float(np.median(ratio))
    return median, float(1.4826 * np.median(np.abs(ratio - median)))
