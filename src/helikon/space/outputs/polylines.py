"""Fewer corners for a line of many."""

import numpy as np
import numpy.typing as npt

__all__ = ["simplified"]

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


def simplified(corners: Double, tolerance: float) -> Double:
    """Leave out corners from which the line then stays within ``tolerance`` (Douglas and Peucker 1973).

    As ``skimage.measure.approximate_polygon``, whose import takes half a second.

    Parameters
    ----------
    corners : ndarray, shape (n, 2)
        Of a line; one whose ends are equal is closed.
    tolerance : float
        In the unit of the corners; with 0 all stay.
    """
    if tolerance <= 0 or len(corners) < 3:
        return corners
    kept = np.array([0, len(corners) - 1])
    while True:
        distance = _from_segments(corners, kept)
        farthest = np.maximum.reduceat(distance, kept[:-1])
        too_far = np.flatnonzero(farthest > tolerance)
        if not len(too_far):
            return np.asarray(corners[kept])
        is_farthest = np.flatnonzero(distance == np.repeat(farthest, np.diff(kept)))
        first = is_farthest[np.searchsorted(is_farthest, kept[too_far])]
        kept = np.sort(np.concatenate([kept, first]))


def _from_segments(corners: Double, kept: Int) -> Double:
    """Return how far each corner but the last is from the segment between the kept ones around it."""
    n_of_segment = np.diff(kept)
    start, along = corners[kept[:-1]], np.diff(corners[kept], axis=0)
    length2 = (along**2).sum(axis=1)
    length2[length2 == 0] = np.inf
    start, along, length2 = (np.repeat(each, n_of_segment, axis=0) for each in (start, along, length2))
    offset = corners[:-1] - start
    share = np.clip((offset * along).sum(axis=1) / length2, 0, 1)
    return np.asarray(np.hypot(*(offset - share[:, None] * along).T))
