"""How good a catalogue is, where the truth is known.

:func:`score` does it all; ``matching.py`` says who is who, and
``evaluate_report.py`` tells it as text and as a picture.
"""

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.space.evaluation.matching import Matches, match, read_entries
from helikon.space.evaluation.scores import Bin, ClassScore, Score
from helikon.space.model import CLASSES
from helikon.space.skies import Sky

__all__ = ["BIN_EDGES", "COUNTED_SIGMA", "Bin", "ClassScore", "Score", "score", "wilson"]

BIN_EDGES = (3.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0, math.inf)
"""Borders of the bins in signal to noise."""
COUNTED_SIGMA = 5.0
"""Sources that must be found have a true peak of this many local sigma."""
FLUX_SIGMA = 10.0
"""Flux densities are compared above it."""


def score(catalogue: Any, sky: Sky) -> Score:
    """Score a catalogue of a made-up sky.

    Parameters
    ----------
    catalogue : astropy.table.Table
        See :func:`helikon.space.matching.read_entries`.
    sky : Sky

    Returns
    -------
    Score
    """
    entries = read_entries(catalogue, sky)
    matches = match(entries, sky)
    truth_class = np.asarray(sky.truth["class"], dtype="U24")
    snr = np.asarray(sky.truth["snr"], dtype=np.float64)
    counted = (truth_class != "spurious") & (snr >= COUNTED_SIGMA)
    claims = entries.class_name != "spurious"
    true_rows = np.append(truth_class != "spurious", False)  # the last is for "none"
    matched = matches.truth_of_entry >= 0
    on_source = true_rows[matches.on_truth]
    false = claims & ~matched & ~on_source
    completeness = _share(int((matches.entry_of_truth[counted] >= 0).sum()), int(counted.sum()))
    reliability = 1 - _share(int(false.sum()), int(claims.sum()), empty=0.0)
    confusion = _confusion(entries.class_name, truth_class, snr, matches)
    ratio, deviation = _flux_ratio(entries.int_flux, sky, matches, snr, truth_class)
    measured = _measured_snr(catalogue, len(entries))
    single = _single(matches, claims, truth_class, counted, ("extended", "extended-multi-island"))
    return Score(
        n_true=int(counted.sum()),
        n_entries=int(claims.sum()),
        n_false=int(false.sum()),
        n_fragments=int((claims & ~matched & on_source).sum()),
        completeness=completeness,
        reliability=reliability,
        f1=_harmonic(completeness, reliability),
        single_entry=single,
        single_entry_multi=_single(matches, claims, truth_class, counted, ("extended-multi-island",)),
        completeness_bins=_bins(snr[true_rows[:-1]], (matches.entry_of_truth >= 0)[true_rows[:-1]]),
        reliability_bins=_bins(measured[claims], ~false[claims]),
        classes=tuple(_class_score(confusion, index) for index in range(len(CLASSES))),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
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


def _bins(snr: npt.NDArray[np.float64], good: npt.NDArray[np.bool_]) -> tuple[Bin, ...]:
    bins = []
    for low, high in itertools.pairwise(BIN_EDGES):
        inside = (snr >= low) & (snr < high)
        n, n_good = int(inside.sum()), int((inside & good).sum())
        share_low, share_high = wilson(n_good, n)
        bins.append(
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
    return tuple(bins)


def _measured_snr(catalogue: Any, n: int) -> npt.NDArray[np.float64]:
    """Signal to noise as the catalogue says; without it all entries are in one bin."""
    if "snr" not in catalogue.colnames:
        return np.full(n, COUNTED_SIGMA)
    values = catalogue["snr"]
    return np.asarray(getattr(values, "value", values), dtype=np.float64)


def _confusion(
    entry_class: npt.NDArray[np.str_],
    truth_class: npt.NDArray[np.str_],
    snr: npt.NDArray[np.float64],
    matches: Matches,
) -> npt.NDArray[np.int64]:
    """Count classes. Who is who is asked without regard to class, so that spurious mistakes show."""
    none = len(CLASSES)
    table = np.zeros((none + 1, none + 1), dtype=np.int64)
    index = {name: i for i, name in enumerate(CLASSES)}
    truth_of_entry = np.where(matches.truth_of_entry >= 0, matches.truth_of_entry, matches.on_truth)
    taken = matches.entry_of_truth >= 0
    for entry, name in enumerate(entry_class):
        truth = int(truth_of_entry[entry])
        first = matches.truth_of_entry[entry] >= 0 or (truth >= 0 and not taken[truth])
        if truth >= 0 and first:
            taken[truth] = True
            if snr[truth] >= COUNTED_SIGMA or truth_class[truth] == "spurious":
                table[index[str(truth_class[truth])], index.get(str(name), none)] += 1
        elif truth < 0:
            table[none, index.get(str(name), none)] += 1
    for truth in np.flatnonzero(~taken).tolist():
        if snr[truth] >= COUNTED_SIGMA or truth_class[truth] == "spurious":
            table[index[str(truth_class[truth])], none] += 1
    return table


def _class_score(confusion: npt.NDArray[np.int64], index: int) -> ClassScore:
    n_true, n_found = int(confusion[index].sum()), int(confusion[:, index].sum())
    right = int(confusion[index, index])
    return ClassScore(
        name=CLASSES[index],
        n_true=n_true,
        n_found=n_found,
        n_right=right,
        precision=_share(right, n_found),
        recall=_share(right, n_true),
        f1=_share(2 * right, n_true + n_found),
    )


def _single(
    matches: Matches,
    claims: npt.NDArray[np.bool_],
    truth_class: npt.NDArray[np.str_],
    counted: npt.NDArray[np.bool_],
    names: tuple[str, ...],
) -> float:
    wanted = np.flatnonzero(np.isin(truth_class, names) & counted)
    touching = np.where(matches.truth_of_entry >= 0, matches.truth_of_entry, matches.on_truth)
    n_entries = np.bincount(touching[claims & (touching >= 0)], minlength=len(truth_class))
    good = (matches.entry_of_truth[wanted] >= 0) & (n_entries[wanted] == 1)
    return _share(int(good.sum()), len(wanted))


def _flux_ratio(
    int_flux: npt.NDArray[np.float64],
    sky: Sky,
    matches: Matches,
    snr: npt.NDArray[np.float64],
    truth_class: npt.NDArray[np.str_],
) -> tuple[float, float]:
    rows = np.flatnonzero((truth_class == "compact") & (snr >= FLUX_SIGMA) & (matches.entry_of_truth >= 0))
    true = np.asarray(sky.truth["int_flux"], dtype=np.float64)[rows]
    ratio = int_flux[matches.entry_of_truth[rows]] / true
    ratio = ratio[np.isfinite(ratio)]
    if not len(ratio):
        return math.nan, math.nan
    median = float(np.median(ratio))
    return median, float(1.4826 * np.median(np.abs(ratio - median)))
