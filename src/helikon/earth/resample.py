"""Put pixels of one grid onto another; every pixel's value is the same in whatever window it is asked for.

GDAL's warper approximates positions anew for each window, so its results
differ in the last bits between windows. Here positions follow from the pixel's
own row and column: exactly where both grids have one CRS, else interpolated
between exact positions on a lattice of every eighth pixel.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio.warp import transform

from helikon.earth.grid import Grid, Window
from helikon.errors import InputError

__all__ = ["METHODS", "needed_window", "positions", "refine", "resample"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]

METHODS = ("nearest", "bilinear", "cubic", "average")
_LATTICE = 8
_TIE = 1e-10
"""Pixels; GDAL's own, so that a position on a pixel's very edge falls into the same pixel."""
_MARGIN = 2
_STRIP = 2**17
"""Pixels that are averaged at a time: they and what is made of them stay in a core's own cache."""
_LEAST_WEIGHT = 1e-5


def positions(target: Grid, window: Window, source: Grid) -> tuple[Double, Double]:
    """Return where the centres of a window's pixels lie in another grid.

    Returns
    -------
    rows, cols : ndarray
        In the source's pixels, whose first reaches from 0 to 1; of shapes that
        broadcast to the window's. NaN where there is no such place.
    """
    rows, cols = np.arange(window.height) + window.row, np.arange(window.width) + window.col
    if target.crs == source.crs:
        down, along = _along(target, source, rows + 0.5, axis=0), _along(target, source, cols + 0.5, axis=1)
        return down[:, None], along[None, :]
    row_nodes, row_weights, row_cells = _lattice(rows)
    col_nodes, col_weights, col_cells = _lattice(cols)
    x = target.transform[2] + (col_nodes + 0.5) * target.transform[0]
    y = target.transform[5] + (row_nodes + 0.5) * target.transform[4]
    grid_y, grid_x = np.meshgrid(y, x, indexing="ij")
    xs, ys = transform(target.crs, source.crs, grid_x.ravel(), grid_y.ravel())
    node_cols = (np.array(xs) - source.transform[2]) / source.transform[0]
    node_rows = (np.array(ys) - source.transform[5]) / source.transform[4]
    parts = []
    for nodes in (node_rows, node_cols):
        nodes[~np.isfinite(nodes)] = np.nan
        square = nodes.reshape(grid_x.shape)
        upper = _between(square[row_cells], square[row_cells + 1], row_weights[:, None])
        parts.append(_between(upper[:, col_cells], upper[:, col_cells + 1], col_weights[None, :]))
    return parts[0], parts[1]


def needed_window(rows: Double, cols: Double, source: Grid) -> Window:
    """Return the source's window that positions need, with the neighbours that are interpolated from."""
    edges = []
    for values, size in ((rows, source.height), (cols, source.width)):
        known = values[np.isfinite(values)]
        if known.size == 0:
            return Window(row=0, col=0, height=0, width=0)
        start = max(0, int(np.floor(known.min())) - _MARGIN)
        stop = min(size, int(np.floor(known.max())) + 1 + _MARGIN)
        edges.append((start, max(0, stop - start)))
    return Window(row=edges[0][0], col=edges[1][0], height=edges[0][1], width=edges[1][1])


def refine(target: Grid, window: Window, source: Grid) -> tuple[Grid, Window, int]:
    """Return a target grid as many times finer as its pixels are larger than the source's, and the number."""
    size = _size_in(target, source)
    n = max(1, int(np.ceil(size - 1e-3)))
    a, b, c, d, e, f = target.transform
    finer = Grid(
        crs=target.crs,
        transform=(a / n, b, c, d, e / n, f),
        height=target.height * n,
        width=target.width * n,
    )
    row, col, height, width = (value * n for value in (window.row, window.col, window.height, window.width))
    return finer, Window(row=row, col=col, height=height, width=width), n


def resample(pixels: Float, rows: Double, cols: Double, method: str) -> Float:
    """Return pixels at positions; NaN does not count, and where nothing counts there is NaN.

    Parameters
    ----------
    pixels : ndarray, shape (n, h, w)
        NaN where there is nothing.
    rows, cols : ndarray
        In these pixels, whose first reaches from 0 to 1; shapes that broadcast.
    method : {"nearest", "bilinear", "cubic"}
        Weights of pixels without data are shared by the others; cubic
        (convolution, a = -0.5, Keys 1981) is bilinear where one of its 16
        pixels has no data. For ``average`` see :func:`block_mean`.
    """
    if method == "nearest":
        return _nearest(pixels, rows, cols)
    if method == "bilinear":
        return _bilinear(pixels, rows, cols)
    if method == "cubic":
        return _cubic(pixels, rows, cols)
    raise InputError("there is no such resampling", got=repr(method), expected=f"one of {', '.join(METHODS)}")


def block_mean(pixels: Float, n: int) -> Float:
    """Return the mean of what there is in each block of ``n × n`` pixels; summed in float64."""
    if n == 1:
        return pixels
    count, height, width = pixels.shape
    means = np.empty((count, height // n, width // n), dtype=np.float32)
    step = max(1, _STRIP // (n * width))
    for band, mean in zip(pixels, means, strict=True):
        for row in range(0, height // n, step):
            _mean_of_strip(band[row * n : (row + step) * n], n, mean[row : row + step])
    return means


def _mean_of_strip(pixels: Float, n: int, out: Float) -> None:
    there = ~np.isnan(pixels)
    if there.all():
        number: Any = n * n
    else:
        pixels = (pixels.view(np.uint32) * there).view(np.float32)  # thrice as fast as np.where(…, 0)
        number = _summed(there.view(np.uint8), n, np.uint8 if n < 16 else np.uint32)
    with np.errstate(invalid="ignore"):
        np.divide(_summed(pixels, n, np.float64), number, out=out, casting="same_kind")


def _summed(values: npt.NDArray[Any], n: int, kind: type[np.generic]) -> npt.NDArray[Any]:
    """Return the sums of blocks of ``n × n`` values: rows first, for they lie together in memory."""
    rows = np.add(values[0::n], values[1::n], dtype=kind)
    for row in range(2, n):
        rows += values[row::n]
    blocks = rows[:, 0::n] + rows[:, 1::n]
    for col in range(2, n):
        blocks += rows[:, col::n]
    return np.asarray(blocks)


def _along(target: Grid, source: Grid, pixels: npt.NDArray[Any], *, axis: int) -> Double:
    step, origin = (4, 5) if axis == 0 else (0, 2)
    scale = target.transform[step] / source.transform[step]
    return pixels * scale + (target.transform[origin] - source.transform[origin]) / source.transform[step]


def _lattice(pixels: npt.NDArray[Any]) -> tuple[Double, Double, npt.NDArray[np.intp]]:
    """Return the lattice's nodes around pixels, and each pixel's weight and cell."""
    first, last = int(pixels[0]) // _LATTICE, int(pixels[-1]) // _LATTICE + 1
    nodes = np.arange(first, last + 1, dtype=np.float64) * _LATTICE
    cells = pixels // _LATTICE - first
    return nodes, (pixels % _LATTICE) / _LATTICE, cells.astype(np.intp)


def _between(low: Double, high: Double, weight: Double) -> Double:
    return np.asarray(low * (1.0 - weight) + high * weight)


def _size_in(target: Grid, source: Grid) -> float:
    """Return how many of the source's pixels a target's pixel is wide or high, whichever is more."""
    if target.crs == source.crs:
        mine, its = target.resolution, source.resolution
        return max(mine[0] / its[0], mine[1] / its[1])
    west, south, east, north = target.bounds_in(source.crs)
    along = (east - west) / target.width / source.resolution[0]
    down = (north - south) / target.height / source.resolution[1]
    return max(along, down)


def _pick(pixels: Float, rows: npt.NDArray[np.intp], cols: npt.NDArray[np.intp]) -> Float:
    """Return pixels by index, NaN for those outside."""
    _, height, width = pixels.shape
    inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
    found = pixels[:, np.clip(rows, 0, height - 1), np.clip(cols, 0, width - 1)]
    return np.where(inside, found, np.float32(np.nan))


def _index(values: Double) -> npt.NDArray[np.intp]:
    """Round down; what is no number becomes -9, which is outside with all its neighbours."""
    return np.where(np.isfinite(values), np.floor(values), -9).astype(np.intp)


def _nearest(pixels: Float, rows: Double, cols: Double) -> Float:
    return _pick(pixels, _index(rows + _TIE), _index(cols + _TIE))


def _bilinear(pixels: Float, rows: Double, cols: Double) -> Float:
    row, col = _index(rows - 0.5), _index(cols - 0.5)
    down, along = rows - 0.5 - row, cols - 0.5 - col
    total: Any = 0.0
    weights: Any = 0.0
    for i, wi in ((0, 1.0 - down), (1, down)):
        for j, wj in ((0, 1.0 - along), (1, along)):
            value = _pick(pixels, row + i, col + j)
            weight = np.where(np.isnan(value), 0.0, wi * wj)
            total = total + np.where(weight > 0, value, 0.0) * weight
            weights = weights + weight
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weights > _LEAST_WEIGHT, total / weights, np.nan).astype(np.float32)


def _cubic(pixels: Float, rows: Double, cols: Double) -> Float:
    row, col = _index(rows - 0.5), _index(cols - 0.5)
    down, along = _keys(rows - 0.5 - row), _keys(cols - 0.5 - col)
    total: Any = 0.0
    for i in range(4):
        for j in range(4):
            total = total + _pick(pixels, row + i - 1, col + j - 1) * (down[i] * along[j])
    return np.where(np.isnan(total), _bilinear(pixels, rows, cols), total).astype(np.float32)


def _keys(t: Double) -> tuple[Double, ...]:
    """Return the four weights of cubic convolution with a = -0.5 at a fraction of a pixel."""
    return (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
