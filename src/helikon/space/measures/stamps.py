"""Stamps: the pixels around each piece of emission, all on one grid."""

import dataclasses

import numpy as np
import numpy.typing as npt

from helikon.space.detect import Pieces
from helikon.space.measures.gaussians import FWHM, Grid

__all__ = ["Stamps", "cut_stamps"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

RADIUS = 1.0
"""Pixels this many beam widths around the peak are fitted (those of the piece always are)."""
MOST_SAMPLES = 6.0
"""Pixels a beam width that are used of a map with smaller ones: the others say the same."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stamps:
    """Pixels around n pieces on a grid of p.

    Attributes
    ----------
    piece : ndarray of int, shape (n,)
        Whose stamps these are, from 0.
    grid : Grid
        Offsets from the pieces' highest pixels.
    index : ndarray of int, shape (n, p)
        Places in the flattened map.
    values : ndarray, shape (n, p)
        Map less background; 0 where there is none.
    own : ndarray of bool, shape (n, p)
        Pixels of the piece itself.
    free : ndarray of bool, shape (n, p)
        Pixels of no other island, on the map, with a value.
    core : ndarray of bool, shape (p,)
        Pixels of the grid within a beam width of its middle.
    """

    piece: npt.NDArray[np.intp]
    grid: Grid
    index: npt.NDArray[np.int64]
    values: Double
    own: Bool
    free: Bool
    core: Bool

    @property
    def weights(self) -> Double:
        """1 for the pixels that a fit of the shape uses."""
        return (self.free & (self.own | self.core)).astype(np.float64)


def cut_stamps(
    data: Float,
    pieces: Pieces,
    chosen: npt.NDArray[np.intp],
    *,
    half: int,
    form: tuple[float, float, float],
    fwhm: float,
) -> Stamps:
    """Cut stamps of ``half`` pixels to each side around the pieces ``chosen``."""
    step = max(1, round(fwhm / MOST_SAMPLES))
    offsets = np.arange(-(half // step) * step, half + 1, step)
    dy, dx = (axis.ravel() for axis in np.meshgrid(offsets, offsets, indexing="ij"))
    y, x = pieces.y[chosen, None] + dy, pieces.x[chosen, None] + dx
    ny, nx = data.shape
    inside = (y >= 0) & (y < ny) & (x >= 0) & (x < nx)
    index = np.clip(y, 0, ny - 1).astype(np.int64) * nx + np.clip(x, 0, nx - 1)
    values = data.ravel()[index].astype(np.float64)
    labels = pieces.labels.ravel()[index]
    island = np.concatenate([[0], pieces.island])[labels]
    own = (labels == chosen[:, None] + 1) & inside
    alike = (labels == 0) | (island == pieces.island[chosen, None])
    free = inside & alike & np.isfinite(values)
    core = form[0] * dx**2 + 2 * form[1] * dx * dy + form[2] * dy**2 < (FWHM * RADIUS) ** 2
    grid = Grid(dx.astype(float), dy.astype(float), fwhm)
    return Stamps(chosen, grid, index, np.nan_to_num(values), own, free, core)
