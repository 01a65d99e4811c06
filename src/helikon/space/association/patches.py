"""Pictures of pairs of pieces, turned and scaled so that the two are always in the same places."""

import numpy as np
import numpy.typing as npt

from helikon.space.association.surroundings import Shapes
from helikon.space.detect import Pieces

__all__ = ["SHAPE", "Patches"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

HEIGHT, WIDTH = 32, 48
LENGTHS = 2.5, 6.0
"""Lengths of the near and the wide patch, in distances of the two pieces, whose middle is theirs."""
SHAPE = (2 * len(LENGTHS), HEIGHT, WIDTH)
LEAST_BEAMS = 4.0
"""Pieces nearer than this are shown as if they were so far apart: a patch is never smaller than ten beams."""
N_LEVELS = 5
"""The coarsest of the maps that wide patches are cut from has cells of sixteen pixels."""
SOFT_SIGMA, UNIT = 2.0, 3.0
"""Signal to noise is shown as arcsinh(x / 2) / 3."""


class Patches:
    """Cuts patches out of one map.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
        (map - background) / rms.
    pieces : Pieces
    shapes : Shapes
    beam_fwhm_pixels : float
    """

    def __init__(self, significance: Float, pieces: Pieces, shapes: Shapes, beam_fwhm_pixels: float) -> None:
        self._levels = [significance]
        self._pieces, self._shapes = pieces, shapes
        self.beam_fwhm_pixels = beam_fwhm_pixels
        for _ in range(N_LEVELS - 1):
            self._levels.append(_coarser(self._levels[-1]))

    def cut(self, one: Int, other: Int) -> Float:
        """Return the patches (n, 4, 32, 48) of pairs of pieces: near signal and mask, then wide ones.

        Signal is that to noise, the brighter piece left; a mask is 1 on the
        pixels of the two. What is off the map is 0.
        """
        snr = self._shapes.snr
        swap = snr[other] > snr[one]
        first, second = np.where(swap, other, one), np.where(swap, one, other)
        patches = np.zeros((len(one), *SHAPE), dtype=np.float32)
        for number, length in enumerate(LENGTHS):
            x, y, step = self._grid(first, second, length)
            patches[:, 2 * number] = self._signal(x, y, step)
            patches[:, 2 * number + 1] = self._mask(first, second, x, y)
        return patches

    def _grid(self, first: Int, second: Int, length: float) -> tuple[Double, Double, Double]:
        """Pixels (n, 32, 48) of the patches' cells in the map, and the cells' sides (n,)."""
        x, y = self._shapes.x, self._shapes.y
        dx, dy = x[second] - x[first], y[second] - y[first]
        distance = np.maximum(np.hypot(dx, dy), 1e-6)
        step = length * np.maximum(distance, LEAST_BEAMS * self.beam_fwhm_pixels) / WIDTH
        along = (np.arange(WIDTH) + 0.5 - WIDTH / 2)[None, None] * step[:, None, None]
        across = (np.arange(HEIGHT) + 0.5 - HEIGHT / 2)[None, :, None] * step[:, None, None]
        cos, sin = ((part / distance)[:, None, None] for part in (dx, dy))
        middle_x, middle_y = ((axis[first] + axis[second])[:, None, None] / 2 for axis in (x, y))
        return middle_x + along * cos - across * sin, middle_y + along * sin + across * cos, step

    def _signal(self, x: Double, y: Double, step: Double) -> Float:
        level = np.clip(np.floor(np.log2(np.maximum(step, 1e-6))), 0, N_LEVELS - 1).astype(int)
        signal = np.zeros(x.shape, dtype=np.float32)
        for number in np.unique(level):
            rows = np.flatnonzero(level == number)
            at = [(axis[rows] + 0.5) / 2**number - 0.5 for axis in (y, x)]
            signal[rows] = _interpolated(self._levels[number], *at)
        return signal

    def _mask(self, first: Int, second: Int, x: Double, y: Double) -> npt.NDArray[np.bool_]:
        labels = self._pieces.labels
        rows, columns = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
        inside = (rows >= 0) & (rows < labels.shape[0]) & (columns >= 0) & (columns < labels.shape[1])
        here = labels[np.where(inside, rows, 0), np.where(inside, columns, 0)]
        mine = (here == first[:, None, None] + 1) | (here == second[:, None, None] + 1)
        return np.asarray(mine & inside)


def _interpolated(image: Float, y: Double, x: Double) -> Double:
    """Return what is shown of an image between its pixels, linearly; 0 off it."""
    height, width = image.shape
    inside = (y >= 0) & (y <= height - 1) & (x >= 0) & (x <= width - 1)
    y, x = (np.where(inside, axis, 0.0) for axis in (y, x))
    row, column = (np.floor(axis).astype(np.int64) for axis in (y, x))
    dy, dx = y - row, x - column
    below, right = np.minimum(row + 1, height - 1), np.minimum(column + 1, width - 1)
    upper = _shown(image[row, column]) * (1 - dx) + _shown(image[row, right]) * dx
    lower = _shown(image[below, column]) * (1 - dx) + _shown(image[below, right]) * dx
    return np.asarray(np.where(inside, upper * (1 - dy) + lower * dy, 0.0))


def _shown(significance: Float) -> Float:
    clean = np.nan_to_num(significance, nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(np.arcsinh(clean / SOFT_SIGMA) / UNIT)


def _coarser(image: Float) -> Float:
    """Return the highest of each four pixels, so that what is small stays to be seen."""
    rows = _higher(image)
    return np.ascontiguousarray(_higher(rows.T).T)


def _higher(image: Float) -> Float:
    """Return the higher of each two rows; a last one without its other stays."""
    highest = image[::2].copy()
    n_both = len(image) // 2
    np.fmax(highest[:n_both], image[1::2], out=highest[:n_both])
    return highest
