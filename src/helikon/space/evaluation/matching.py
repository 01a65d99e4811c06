"""Which entry of a catalogue is which true source, one to one.

Rule B of ``docs/explanation/judged.md``, the same for finders with and
without masks: a compact source is found by position and flux density, an
extended one by overlap or by a place on it.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from helikon.space.evaluation.entries import Entries
from helikon.space.skies import Sky

__all__ = ["COMPACT_BEAMS", "EXTENDED_IOU", "FLUX_FACTOR", "FLUX_SIGMA", "Matches", "extended_truth", "match"]

COMPACT_BEAMS = 0.5
"""Largest distance of an entry from its compact source, in beam FWHM."""
FLUX_FACTOR, FLUX_SIGMA = 2.0, 3.0
"""Its flux density is within this factor of the true one, or within so many local sigma."""
EXTENDED_IOU = 0.5
"""Least overlap of an entry's outline with its extended source's mask, where it does not peak on it."""

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Who is who.

    Attributes
    ----------
    entry_of_truth : ndarray of int
        Row of the catalogue for each row of the truth, -1 for none.
    truth_of_entry : ndarray of int
        The reverse.
    on_truth : ndarray of int
        For each entry the row of the true thing that it lies on, -1 for none:
        whose mask holds its position, or else the brightest pixel of its
        outline, or else half of its outline.
    near_truth : ndarray of bool
        For each entry, whether a true source is within half a beam.
    """

    entry_of_truth: Int
    truth_of_entry: Int
    on_truth: Int
    near_truth: Bool

    @property
    def touching(self) -> Int:
        """For each entry the row that it matches, or else lies on; -1 for none."""
        return np.where(self.truth_of_entry >= 0, self.truth_of_entry, self.on_truth)


def match(entries: Entries, sky: Sky, *, by_class: bool = True) -> Matches:
    """Match entries with the truth. Best pairs first: extended by overlap, then compact by distance.

    Parameters
    ----------
    entries : Entries
    sky : Sky
    by_class : bool
        Entries of class ``spurious`` match artefacts alone and the others
        true sources alone; else class plays no part.
    """
    spurious_truth = np.array([name == "spurious" for name in sky.truth["class"]], dtype=bool)
    spurious_entry = entries.class_name == "spurious"
    overlaps = _overlaps(entries, sky)
    on_truth = _on_truth(entries, sky, overlaps)
    compact, near = _compact_pairs(entries, sky)
    pairs = _extended_pairs(entries, sky, on_truth, overlaps) + compact
    entry_of_truth, truth_of_entry = np.full(len(sky.truth), -1), np.full(len(entries), -1)
    for _, entry, truth in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        fits = not by_class or spurious_truth[truth] == spurious_entry[entry]
        if fits and entry_of_truth[truth] < 0 and truth_of_entry[entry] < 0:
            entry_of_truth[truth], truth_of_entry[entry] = entry, truth
    return Matches(
        entry_of_truth=entry_of_truth, truth_of_entry=truth_of_entry, on_truth=on_truth, near_truth=near
    )


def extended_truth(sky: Sky) -> Bool:
    """Whether each true thing has a shape; flagged sources keep that of their galaxy."""
    names, shapes = np.asarray(sky.truth["class"]), np.asarray(sky.truth["shape"])
    return np.asarray((names == "spurious") | ((names != "compact") & (shapes != "compact")))


def _rows_of_labels(sky: Sky) -> Int:
    """Row of the truth for each label; -1 for 0 and for labels without a row."""
    ids = np.asarray(sky.truth["id"], dtype=np.int64)
    rows = np.full(max(int(sky.labels.max(initial=0)), int(ids.max(initial=0))) + 1, -1)
    rows[ids] = np.arange(len(ids))
    return rows


def _overlaps(entries: Entries, sky: Sky) -> list[dict[int, tuple[int, float]]]:
    """For each entry, the rows that its outline overlaps, with shared pixels and intersection over union."""
    area = np.bincount(sky.labels.ravel())
    row_of_label = _rows_of_labels(sky)
    found = []
    for rows, columns in entries.footprints:
        numbers, shared = np.unique(sky.labels[rows, columns], return_counts=True)
        found.append(
            {
                int(row_of_label[number]): (int(n), float(n / (len(rows) + area[number] - n)))
                for number, n in zip(numbers, shared, strict=True)
                if number and row_of_label[number] >= 0
            }
        )
    return found


def _on_truth(entries: Entries, sky: Sky, overlaps: list[dict[int, tuple[int, float]]]) -> Int:
    row_of_label, (height, width) = _rows_of_labels(sky), sky.labels.shape
    inside = np.isfinite(entries.x) & np.isfinite(entries.y)
    x, y = (np.rint(np.where(inside, v, -1)).astype(int) for v in (entries.x, entries.y))
    inside &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
    here = row_of_label[sky.labels[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]]
    on_truth = np.where(inside, here, -1)
    for entry in np.flatnonzero(on_truth < 0).tolist():
        rows, columns = entries.footprints[entry]
        if overlaps[entry]:
            brightest = int(np.argmax(np.nan_to_num(sky.map.data[rows, columns], nan=-np.inf)))
            on_truth[entry] = row_of_label[sky.labels[rows[brightest], columns[brightest]]]
            most = max(overlaps[entry], key=lambda row: overlaps[entry][row][0])
            if on_truth[entry] < 0 and 2 * overlaps[entry][most][0] >= len(rows):
                on_truth[entry] = most
    return on_truth


def _extended_pairs(
    entries: Entries, sky: Sky, on_truth: Int, overlaps: list[dict[int, tuple[int, float]]]
) -> list[tuple[float, int, int]]:
    """Pairs (quality above 1, entry, truth) of extended sources."""
    extended = extended_truth(sky)
    pairs: list[tuple[float, int, int]] = []
    for entry in range(len(entries)):
        iou = {row: share for row, (_, share) in overlaps[entry].items()}
        rows = {row for row, share in iou.items() if share >= EXTENDED_IOU} | ({int(on_truth[entry])} - {-1})
        pairs += [(2.0 + iou.get(row, 0.0), entry, row) for row in rows if extended[row]]
    return pairs


def _compact_pairs(entries: Entries, sky: Sky) -> tuple[list[tuple[float, int, int]], Bool]:
    """Pairs (quality below 1, entry, truth) of compact sources; which entries are near any true source."""
    from scipy.spatial import cKDTree

    compact = ~extended_truth(sky)
    source = np.flatnonzero(np.asarray(sky.truth["class"]) != "spurious")
    valid = np.flatnonzero(np.isfinite(entries.x) & np.isfinite(entries.y))
    near = np.zeros(len(entries), dtype=bool)
    if not len(source) or not len(valid):
        return [], near
    limit = COMPACT_BEAMS * sky.map.beam_fwhm_pixels
    x, y = (np.asarray(sky.truth[name], dtype=np.float64)[source] for name in ("x", "y"))
    tree = cKDTree(np.column_stack([x, y]))
    points = np.column_stack([entries.x[valid], entries.y[valid]])
    pairs = []
    for entry, point, found in zip(valid, points, tree.query_ball_point(points, limit), strict=True):
        near[entry] = bool(found)
        for i in found:
            if compact[source[i]] and _flux_fits(entries.int_flux[entry], sky, int(source[i])):
                distance = float(np.hypot(x[i] - point[0], y[i] - point[1]))
                pairs.append((1 - distance / limit, int(entry), int(source[i])))
    return pairs, near


def _flux_fits(flux: float, sky: Sky, row: int) -> bool:
    """Whether a flux density (Jy) may be that of a compact source; NaN may."""
    true, peak, snr = (float(sky.truth[name][row]) for name in ("int_flux", "peak_flux", "snr"))
    ratio = flux / true
    near = abs(flux - true) <= FLUX_SIGMA * peak / snr
    return bool(np.isnan(flux) or near or 1 / FLUX_FACTOR <= ratio <= FLUX_FACTOR)
