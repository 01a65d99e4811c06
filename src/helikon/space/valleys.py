"""Valleys between peaks: how deep they are, and which peaks are no more than ripples."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["merge_ripples", "saddles"]

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int32]


def merge_ripples(heights: Float, parts: Int, *, least: float, least_share: float) -> Int:
    """Merge parts whose peak does not stand out over the saddle to a higher one.

    Parameters
    ----------
    heights : ndarray of float32, shape (h, w)
    parts : ndarray of int32, shape (h, w)
        Part number from 1, 0 elsewhere.
    least, least_share : float
        Least height over the saddle, and the same as a share of the peak's own height.

    Returns
    -------
    ndarray of int32
        Numbered from 1 without gaps.
    """
    n_parts = int(parts.max(initial=0))
    height = ndimage.maximum(heights, parts, np.arange(n_parts + 1))
    target = np.arange(n_parts + 1)
    for saddle, one, other in sorted(saddles(heights, parts), reverse=True):
        a, b = _root(target, one), _root(target, other)
        if a == b:
            continue
        low, high = (a, b) if height[a] < height[b] else (b, a)
        if height[low] - saddle < max(least, least_share * height[low]):
            target[low] = high
    roots = np.array([_root(target, i) for i in range(n_parts + 1)])
    return np.asarray(np.unique(roots, return_inverse=True)[1].astype(np.int32)[parts])


def _root(target: npt.NDArray[np.int64], i: int) -> int:
    while target[i] != i:
        i = int(target[i])
    return i


def saddles(heights: Float, parts: Int) -> list[tuple[float, int, int]]:
    """Return the highest pass between each pair of neighbouring parts."""
    found: dict[tuple[int, int], float] = {}
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a, b = _shifted(parts, dy, dx)
        u, v = _shifted(heights, dy, dx)
        touch = (a != b) & (a > 0) & (b > 0)
        one, other = a[touch], b[touch]
        low, first, second = np.minimum(u[touch], v[touch]), np.minimum(one, other), np.maximum(one, other)
        for i, j, value in zip(first.tolist(), second.tolist(), low.tolist(), strict=True):
            if value > found.get((i, j), -np.inf):
                found[i, j] = value
    return [(value, i, j) for (i, j), value in found.items()]


def _shifted(array: npt.NDArray[np.generic], dy: int, dx: int) -> tuple[npt.NDArray, npt.NDArray]:  # type: ignore[type-arg]
    ny, nx = array.shape
    left, right = slice(max(0, -dx), nx - max(0, dx)), slice(max(0, dx), nx + min(0, dx))
    return array[: ny - dy, left], array[dy:, right]
