"""Robust statistics of one cell, and the way from cells back to pixels."""

import itertools

import numpy as np
import numpy.typing as npt

__all__ = ["cell_edges", "cell_statistics", "interpolate", "median"]

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

CLIP_SIGMA = 3.0
CLIPPED_RMS = 0.98658
"""Standard deviation of a unit normal distribution that is cut at three sigma."""
LEAST_PIXELS = 30
LEAST_FRACTION = 0.1


def cell_edges(length: int, mesh_pixels: int) -> Int:
    """Return the borders of the cells along an axis; the last cell takes the remainder."""
    n_cells = max(1, round(length / mesh_pixels))
    edges = np.arange(n_cells + 1, dtype=np.int64) * mesh_pixels
    edges[-1] = length
    return edges


def cell_statistics(cell: npt.NDArray[np.float32], n_parts: int) -> tuple[float, float, Double]:
    """Return level, rms, and the rms of the negative pixels in n_parts by n_parts parts.

    The level is Pearson's mode of the clipped pixels (as in SExtractor; Bertin
    and Arnouts 1996, A&AS 117, 393), the rms that of the clipped pixels below
    it, which faint sources do not raise. NaN where there are too few pixels.
    """
    nothing = np.full((n_parts, n_parts), np.nan)
    values = cell[np.isfinite(cell)].astype(np.float64)
    if values.size < max(LEAST_PIXELS, LEAST_FRACTION * cell.size):
        return np.nan, np.nan, nothing
    level, spread = _clipped_mode(values)
    below = values[(values < level) & (values > level - CLIP_SIGMA * spread)] - level
    rms = float(np.sqrt(np.mean(below**2))) / CLIPPED_RMS if below.size else 0.0
    y, x = (np.linspace(0, n, n_parts + 1).astype(int) for n in cell.shape)
    parts = [cell[y[i] : y[i + 1], x[j] : x[j + 1]].ravel() for i in range(n_parts) for j in range(n_parts)]
    if values.size < cell.size:
        parts = [part[np.isfinite(part)] for part in parts]
    return level, rms, _negative_rms(parts, level).reshape(n_parts, n_parts)


def interpolate(
    mesh: Double, rows: Int, columns: Int, window: tuple[slice, slice]
) -> npt.NDArray[np.float32]:
    """Interpolate cells linearly to the pixels of a window, constant beyond the outer cells' centres.

    A pixel's value is the same, to the last bit, in every window that holds it.
    """
    i, t = _between(rows, window[0])
    j, u = _between(columns, window[1])
    cells = mesh.astype(np.float32)
    next_i, next_j = np.minimum(i + 1, len(rows) - 2), np.minimum(j + 1, len(columns) - 2)
    along_x = cells[:, j] * (1 - u) + cells[:, next_j] * u
    values = np.empty((len(i), len(j)), dtype=np.float32)
    between_centres = np.flatnonzero(np.diff(i, prepend=-1, append=-1)).tolist()
    for start, end in itertools.pairwise(between_centres):
        below, above = along_x[i[start]], along_x[next_i[start]]
        np.multiply.outer(1 - t[start:end], below, out=values[start:end])
        values[start:end] += np.multiply.outer(t[start:end], above)
    return values


def _between(edges: Int, pixels: slice) -> tuple[Int, npt.NDArray[np.float32]]:
    """Return for each pixel the last cell whose centre is not beyond it, and how far it is to the next."""
    centres = (edges[:-1] + edges[1:] - 1) / 2
    position = np.arange(pixels.start, pixels.stop)
    cell = np.clip(np.searchsorted(centres, position, side="right") - 1, 0, max(0, len(centres) - 2))
    step = np.diff(centres, append=np.inf)[cell]
    return cell, np.clip((position - centres[cell]) / step, 0, 1).astype(np.float32)


def _clipped_mode(values: Double) -> tuple[float, float]:
    values = np.sort(values)  # what is near the middle of sorted values is a slice of them
    for _ in range(10):
        half = values.size // 2
        middle = float(values[half]) if values.size % 2 else float(values[half - 1] + values[half]) / 2
        spread = 1.4826 * _median_deviation(values, middle)
        near = middle - CLIP_SIGMA * spread, middle + CLIP_SIGMA * spread
        kept = values[np.searchsorted(values, near[0], side="right") : np.searchsorted(values, near[1])]
        if kept.size in {0, values.size}:
            break
        values = kept
    mean = float(np.mean(values))
    crowded = abs(mean - middle) > 0.3 * spread
    return middle if crowded else 2.5 * middle - 1.5 * mean, spread


def _median_deviation(ordered: Double, middle: float) -> float:
    """Return the median of the distances from a value of sorted values, without sorting those."""
    half = ordered.size // 2
    if ordered.size % 2:
        return _reach(ordered, middle, half)
    return (_reach(ordered, middle, half - 1) + _reach(ordered, middle, half)) / 2


def _reach(ordered: Double, middle: float, rank: int) -> float:
    """Return the distance that so many values (and one) have at most: those nearest are neighbours."""
    first, last = 0, ordered.size - 1 - rank
    while first < last:
        here = (first + last) // 2
        if middle - ordered[here] > ordered[here + rank + 1] - middle:
            first = here + 1
        else:
            last = here
    return float(max(middle - ordered[first], ordered[first + rank] - middle))


def _negative_rms(parts: list[npt.NDArray[np.float32]], level: float) -> Double:
    """Below the level of the cell or of each part, the lower: the cell's may be an object's.

    Parts of one length are measured together, all at once.
    """
    lengths = np.array([len(part) for part in parts])
    found = np.full(len(parts), np.nan)
    for length in np.unique(lengths[lengths > 0]):
        rows = np.flatnonzero(lengths == length)
        pixels = np.stack([parts[row] for row in rows])
        values = pixels.astype(np.float64) - np.minimum(level, median(pixels))[:, None]
        below = np.minimum(values, 0)
        count = np.count_nonzero(below, axis=1)
        rms = np.sqrt(np.einsum("ij,ij->i", below, below) / np.maximum(count, 1))
        found[rows] = np.where(count >= LEAST_PIXELS // 2, rms, np.nan)
    return found


def median(values: npt.NDArray[np.floating]) -> Double:
    """Return the median of finite values along the last axis: NumPy takes longer over what they might be."""
    half = values.shape[-1] // 2
    if values.shape[-1] % 2:
        return np.asarray(np.partition(values, half)[..., half], dtype=np.float64)
    ordered = np.partition(values, (half - 1, half))
    return np.asarray((ordered[..., half - 1].astype(np.float64) + ordered[..., half]) / 2)
