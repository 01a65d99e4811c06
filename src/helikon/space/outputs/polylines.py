"""Fewer corners for a line of many."""

import numpy as np
import numpy.typing as npt

__all__ = ["simplified"]

Double = npt.NDArray[np.float64]


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
    kept = np.zeros(len(corners), dtype=bool)
    kept[[0, -1]] = True
    todo = [(0, len(corners) - 1)]
    while todo:
        start, end = todo.pop()
        if end - start < 2:
            continue
        distance = _from_segment(corners[start + 1 : end], corners[start], corners[end])
        if distance.max() > tolerance:
            farthest = start + 1 + int(np.argmax(distance))
            kept[farthest] = True
            todo += [(start, farthest), (farthest, end)]
    return np.asarray(corners[kept])


def _from_segment(points: Double, start: Double, end: Double) -> Double:
    along = end - start
    length2 = float(along @ along)
    share = np.clip((points - start) @ along / length2, 0, 1) if length2 else np.zeros(len(points))
    return np.asarray(np.hypot(*(points - start - share[:, None] * along).T))
