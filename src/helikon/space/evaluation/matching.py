"""Which entry of a catalogue is which true source, one to one.

Rule B of ``docs/explanation/made-up-skies.md``, fair to finders with and
without masks: a compact source is found by position, an extended one by
overlap or by a position on it.
"""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError
from helikon.space.names import read_outline
from helikon.space.skies import Sky

__all__ = ["COMPACT_BEAMS", "EXTENDED_IOU", "Entries", "Matches", "match", "read_entries"]

COMPACT_BEAMS = 0.5
"""Largest distance of an entry from its compact source, in beam FWHM."""
EXTENDED_IOU = 0.5
"""Least overlap of an entry's outline with its extended source's mask, where its position is not on it."""

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """A catalogue's entries on the pixels of a sky.

    Attributes
    ----------
    x, y : ndarray
        Pixels from 0.
    class_name : ndarray of str
        ``compact`` where the catalogue has no classes.
    int_flux : ndarray
        Jy; NaN where not given.
    footprints : list of (ndarray, ndarray)
        Rows and columns of the pixels within the outline; empty without one.
    """

    x: Double
    y: Double
    class_name: npt.NDArray[np.str_]
    int_flux: Double
    footprints: list[tuple[Int, Int]]

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.x)


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
        For each entry the row of the true source whose mask it lies on, -1 for none.
    """

    entry_of_truth: Int
    truth_of_entry: Int
    on_truth: Int


def read_entries(catalogue: Any, sky: Sky) -> Entries:
    """Put a catalogue on the pixels of a sky.

    Parameters
    ----------
    catalogue : astropy.table.Table
        Needs ``ra`` and ``dec`` (degrees, ICRS); uses ``class``, ``int_flux``
        (Jy) and ``outline`` (STC-S polygons) where they are.

    Raises
    ------
    InputError
        If there are no positions.
    """
    if missing := [name for name in ("ra", "dec") if name not in catalogue.colnames]:
        raise InputError(
            "the catalogue has no positions",
            got=f"no column {' nor '.join(missing)}",
            expected="columns ra and dec in degrees",
        )
    n = len(catalogue)
    ra, dec = (_plain(catalogue[name], "deg") for name in ("ra", "dec"))
    x, y = sky.map.wcs.all_world2pix(ra, dec, 0) if n else (ra, dec)
    classes = catalogue["class"] if "class" in catalogue.colnames else ["compact"] * n
    flux = _plain(catalogue["int_flux"], "Jy") if "int_flux" in catalogue.colnames else np.full(n, np.nan)
    outlines = catalogue["outline"] if "outline" in catalogue.colnames else [""] * n
    return Entries(
        x=np.asarray(x),
        y=np.asarray(y),
        class_name=np.array([str(name) for name in classes], dtype="U24"),
        int_flux=flux,
        footprints=[_footprint(str(text), sky) for text in outlines],
    )


def _plain(column: Any, unit: str) -> Double:
    """Numbers in a unit; a column without unit is taken to be in it."""
    values = column.to_value(unit) if hasattr(column, "to_value") else column
    if getattr(column, "unit", None) is not None and not hasattr(column, "to_value"):
        values = column.quantity.to_value(unit)
    return np.asarray(np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan))


def _footprint(outline: str, sky: Sky) -> tuple[Int, Int]:
    from skimage.draw import polygon

    parts = []
    for corners in read_outline(outline):
        x, y = sky.map.wcs.all_world2pix(corners[:, 0], corners[:, 1], 0)
        parts.append(polygon(y, x, sky.labels.shape))
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    pixels = np.unique(np.concatenate([np.stack(part, axis=1) for part in parts]), axis=0)
    return pixels[:, 0], pixels[:, 1]


def match(entries: Entries, sky: Sky) -> Matches:
    """Match entries with the truth, artefacts apart from sources.

    Entries of class ``spurious`` can only match artefacts and the others only
    sources. Best pairs first: extended by overlap, then compact by distance.
    """
    spurious_truth = np.array([name == "spurious" for name in sky.truth["class"]], dtype=bool)
    spurious_entry = entries.class_name == "spurious"
    on_truth = _on_truth(entries, sky)
    pairs = _extended_pairs(entries, sky, on_truth) + _compact_pairs(entries, sky)
    entry_of_truth, truth_of_entry = np.full(len(sky.truth), -1), np.full(len(entries), -1)
    for _, entry, truth in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        fits = spurious_truth[truth] == spurious_entry[entry]
        if fits and entry_of_truth[truth] < 0 and truth_of_entry[entry] < 0:
            entry_of_truth[truth], truth_of_entry[entry] = entry, truth
    return Matches(entry_of_truth=entry_of_truth, truth_of_entry=truth_of_entry, on_truth=on_truth)


def _is_extended(sky: Sky) -> npt.NDArray[np.bool_]:
    """Whether each true thing has a shape; flagged sources keep that of their galaxy."""
    names, shapes = np.asarray(sky.truth["class"]), np.asarray(sky.truth["shape"])
    return np.asarray((names == "spurious") | ((names != "compact") & (shapes != "compact")))


def _on_truth(entries: Entries, sky: Sky) -> Int:
    from scipy import ndimage

    near = ndimage.maximum_filter(sky.labels, size=3)
    labels = np.where(sky.labels > 0, sky.labels, near)
    row_of_label = np.full(int(sky.labels.max(initial=0)) + 1, -1)
    row_of_label[np.asarray(sky.truth["id"])] = np.arange(len(sky.truth))
    height, width = labels.shape
    inside = np.isfinite(entries.x) & np.isfinite(entries.y)
    x, y = (np.rint(np.where(inside, v, 0)).astype(int) for v in (entries.x, entries.y))
    inside &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = labels[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    return np.where(inside & (found > 0), row_of_label[found], -1)


def _extended_pairs(entries: Entries, sky: Sky, on_truth: Int) -> list[tuple[float, int, int]]:
    """Pairs (quality above 1, entry, truth) of extended sources."""
    extended = _is_extended(sky)
    area = np.bincount(sky.labels.ravel())
    row_of_id = {int(number): row for row, number in enumerate(sky.truth["id"])}
    pairs: list[tuple[float, int, int]] = []
    for entry, (rows, columns) in enumerate(entries.footprints):
        shared = np.bincount(sky.labels[rows, columns]) if len(rows) else np.zeros(0, dtype=np.int64)
        overlap = {
            row_of_id[number]: shared[number] / (len(rows) + area[number] - shared[number])
            for number in np.flatnonzero(shared).tolist()
            if number
        }
        good = {row for row, iou in overlap.items() if iou >= EXTENDED_IOU}
        rows_here = good | ({int(on_truth[entry])} - {-1})
        pairs += [(2.0 + float(overlap.get(row, 0.0)), entry, row) for row in rows_here if extended[row]]
    return pairs


def _compact_pairs(entries: Entries, sky: Sky) -> list[tuple[float, int, int]]:
    """Pairs (quality below 1, entry, truth) of compact sources."""
    from scipy.spatial import cKDTree

    compact = np.flatnonzero(~_is_extended(sky))
    valid = np.flatnonzero(np.isfinite(entries.x) & np.isfinite(entries.y))
    if not len(compact) or not len(valid):
        return []
    limit = COMPACT_BEAMS * sky.map.beam_fwhm_pixels
    x, y = (np.asarray(sky.truth[name], dtype=np.float64)[compact] for name in ("x", "y"))
    tree = cKDTree(np.column_stack([x, y]))
    points = np.column_stack([entries.x[valid], entries.y[valid]])
    pairs = []
    for entry, point, near in zip(valid, points, tree.query_ball_point(points, limit), strict=True):
        for i in near:
            distance = float(np.hypot(x[i] - point[0], y[i] - point[1]))
            pairs.append((1 - distance / limit, int(entry), int(compact[i])))
    return pairs
