"""What is true of each entry and each true source of one field: the ground of every score."""

import dataclasses

import numpy as np
import numpy.typing as npt

from helikon.space.evaluation.entries import Entries
from helikon.space.evaluation.matching import Matches, match
from helikon.space.skies import Sky

__all__ = ["BRIGHT_BEAMS", "BRIGHT_SIGMA", "COUNTED_SIGMA", "Judgement", "judge"]

COUNTED_SIGMA = 5.0
"""Sources that must be found have a true peak of this many local sigma."""
BRIGHT_SIGMA, BRIGHT_BEAMS = 300.0, 25.0
"""Near a bright source: within so many beams of a true source of so many sigma."""

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What became of a field.

    Attributes
    ----------
    truth_class, truth_snr : ndarray
        Of each true thing.
    found : ndarray of bool
        Whether an entry that claims to be a source matches it (for class
        ``spurious``: one of that class).
    n_entries : ndarray of int
        Entries of any class that match it or lie on it.
    found_snr, flux_ratio, offset_x, offset_y : ndarray
        Measured S/N, measured over true flux density, and offset in beam
        FWHM; NaN if not found.
    entry_class, entry_snr : ndarray
        Of each entry.
    claim : ndarray of bool
        Entries that say they are sources: any class but spurious.
    false, fragment : ndarray of bool
        Claims that lie on no true source of 3 sigma or more, and claims that
        lie on one without matching it.
    near_bright : ndarray of bool
    entry_truth : ndarray of int
        Row of the true thing in the same place, whatever the class; -1 for none or
        if another entry is the better one.
    joined, joined_right : ndarray of bool
        Entries over two or more true islands, and those whose islands are of one source.
    probabilities : ndarray, shape (n, 5)
    """

    truth_class: npt.NDArray[np.str_]
    truth_snr: Double
    found: Bool
    n_entries: Int
    found_snr: Double
    flux_ratio: Double
    offset_x: Double
    offset_y: Double
    entry_class: npt.NDArray[np.str_]
    entry_snr: Double
    claim: Bool
    false: Bool
    fragment: Bool
    near_bright: Bool
    entry_truth: Int
    joined: Bool
    joined_right: Bool
    probabilities: Double


def judge(entries: Entries, sky: Sky) -> Judgement:
    """Judge every entry and every true source of a field by rule B."""
    matches = match(entries, sky)
    truth_class = np.asarray(sky.truth["class"], dtype="U24")
    is_source = np.append(truth_class != "spurious", False)  # the last is for "none"
    claim = entries.class_name != "spurious"
    matched = matches.truth_of_entry >= 0
    real = matched | is_source[matches.on_truth] | matches.near_truth
    found_snr, ratio, offset_x, offset_y = _measures(entries, sky, matches)
    joined, right = _joined(entries, sky)
    return Judgement(
        truth_class=truth_class,
        truth_snr=np.asarray(sky.truth["snr"], dtype=np.float64),
        found=matches.entry_of_truth >= 0,
        n_entries=np.bincount(matches.touching[matches.touching >= 0], minlength=len(truth_class)),
        found_snr=found_snr,
        flux_ratio=ratio,
        offset_x=offset_x,
        offset_y=offset_y,
        entry_class=entries.class_name,
        entry_snr=entries.snr,
        claim=claim,
        false=claim & ~real,
        fragment=claim & real & ~matched,
        near_bright=_near_bright(entries, sky),
        entry_truth=_same_place(match(entries, sky, by_class=False)),
        joined=joined,
        joined_right=right,
        probabilities=entries.probabilities,
    )


def _measures(entries: Entries, sky: Sky, matches: Matches) -> tuple[Double, ...]:
    rows = np.flatnonzero(matches.entry_of_truth >= 0)
    chosen = matches.entry_of_truth[rows]
    pairs = (
        entries.snr[chosen],
        (entries.int_flux[chosen] / np.asarray(sky.truth["int_flux"], dtype=np.float64)[rows]),
        (entries.x[chosen] - np.asarray(sky.truth["x"], dtype=np.float64)[rows]) / sky.map.beam_fwhm_pixels,
        (entries.y[chosen] - np.asarray(sky.truth["y"], dtype=np.float64)[rows]) / sky.map.beam_fwhm_pixels,
    )
    found = np.full((4, len(sky.truth)), np.nan)
    for column, values in zip(found, pairs, strict=True):
        column[rows] = values
    return tuple(found)


def _same_place(matches: Matches) -> Int:
    """Row of the truth for each entry; of several on one true thing without a match, the first has it."""
    truth = matches.touching.copy()
    taken = matches.entry_of_truth >= 0
    for entry in np.flatnonzero(matches.truth_of_entry < 0).tolist():
        row = int(truth[entry])
        if row >= 0 and taken[row]:
            truth[entry] = -1
        elif row >= 0:
            taken[row] = True
    return truth


def _near_bright(entries: Entries, sky: Sky) -> Bool:
    from scipy.spatial import cKDTree

    bright = (np.asarray(sky.truth["snr"]) > BRIGHT_SIGMA) & (np.asarray(sky.truth["class"]) != "spurious")
    valid = np.isfinite(entries.x) & np.isfinite(entries.y)
    near = np.zeros(len(entries), dtype=bool)
    if not bright.any() or not valid.any():
        return near
    x, y = (np.asarray(sky.truth[name], dtype=np.float64)[bright] for name in ("x", "y"))
    limit = BRIGHT_BEAMS * sky.map.beam_fwhm_pixels
    distance, _ = cKDTree(np.column_stack([x, y])).query(
        np.column_stack([entries.x[valid], entries.y[valid]]), distance_upper_bound=limit
    )
    near[valid] = np.isfinite(distance)
    return near


def _joined(entries: Entries, sky: Sky) -> tuple[Bool, Bool]:
    """Which entries cover half of two or more true islands above 5 sigma, and whether of one source."""
    from skimage.measure import label

    strong = (np.asarray(sky.truth["snr"]) >= COUNTED_SIGMA) & (np.asarray(sky.truth["class"]) != "spurious")
    kept = np.where(np.isin(sky.labels, np.asarray(sky.truth["id"])[strong]), sky.labels, 0)
    islands = label(kept, background=0, connectivity=2)
    area = np.bincount(islands.ravel())
    joined, right = np.zeros(len(entries), dtype=bool), np.zeros(len(entries), dtype=bool)
    for entry, (rows, columns) in enumerate(entries.footprints):
        here, first, shared = np.unique(islands[rows, columns], return_index=True, return_counts=True)
        covered = (here > 0) & (2 * shared >= area[here])
        owners = kept[rows[first[covered]], columns[first[covered]]]
        joined[entry] = len(owners) > 1
        right[entry] = len(owners) > 1 and len(set(owners.tolist())) == 1
    return joined, right
