"""Local background and noise, on a mesh that does not depend on tiles.

The map is divided into cells of one global grid. Each cell gives three robust
statistics of its own pixels: the level, the noise, and the noise that the
*negative* pixels of its sixteen parts show. Emission is positive and sidelobes
are not, so the last rises around bright sources with artefacts and does not
rise on real ones; and it falls where the noise falls faster than cells follow.
Tasks compute the cells of their tiles (:func:`mesh_of_tile`);
:func:`assemble_mesh` makes of them a small grid that gives the background of
any window, which is exactly what :func:`estimate_background` makes of the
whole map.
"""

import dataclasses
import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.errors import InputError
from helikon.space.beam import Beam
from helikon.space.fits import open_map
from helikon.space.mesh import cell_edges, cell_statistics, interpolate
from helikon.space.tiles import Tile

__all__ = [
    "Background",
    "BackgroundMesh",
    "MeshPart",
    "assemble_background",
    "assemble_mesh",
    "estimate_background",
    "mesh_of_tile",
    "mesh_size",
]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]

MESH_BEAMS = 20
"""Side of a cell in beams: larger than most galaxies, smaller than the primary beam."""
N_PARTS = 4
"""Parts of a cell along one axis, for noise that changes within it."""
LEAST_RISE, LEAST_FALL = 1.1, 1.2
"""Factors by which the negative pixels' noise is above or below the cell's where that is taken for real."""
LEAST_AREA = 0.6
"""Of the nine parts around that tell a fall; at the map's edge there are six, at its corners four."""
LEAST_NOISE = 1e-7
"""Of the largest value: pixels of 32 bits hold no less. The deepest images there are have 3e-7."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Background and noise of a map.

    Attributes
    ----------
    level, rms : ndarray of float32, shape (ny, nx)
        In the unit of the map, as Jy/beam.
    """

    level: Float
    rms: Float

    def significance(self, data: Float) -> Float:
        """Return (data - level) / rms."""
        with np.errstate(invalid="ignore"):
            return np.asarray((data - self.level) / self.rms, dtype=np.float32)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundMesh:
    """Background and noise of a map on its grid of cells: small, whatever the map's size.

    Attributes
    ----------
    shape : tuple of int
        (ny, nx) of the map.
    mesh_pixels : int
        Side of a cell.
    level, rms : ndarray of float64, shape (n_rows, n_columns)
        In the unit of the map.
    change : ndarray of float64, shape (4 n_rows, 4 n_columns)
        Factor on ``rms`` where the noise changes within a cell: around bright
        sources, at the edge of a mosaic; 1 elsewhere.
    """

    shape: tuple[int, int]
    mesh_pixels: int
    level: Double
    rms: Double
    change: Double

    def window(self, rows: slice, columns: slice) -> Background:
        """Return the background of a window: in every window the same values, to the last bit."""
        y, x = (cell_edges(length, self.mesh_pixels) for length in self.shape)
        rms = interpolate(self.rms, y, x, (rows, columns))
        rms *= interpolate(self.change, _part_edges(y), _part_edges(x), (rows, columns))
        return Background(level=interpolate(self.level, y, x, (rows, columns)), rms=rms)

    def whole(self) -> Background:
        """Return the background of the whole map."""
        return self.window(slice(0, self.shape[0]), slice(0, self.shape[1]))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MeshPart:
    """The statistics of the cells that one tile owns.

    Attributes
    ----------
    row, column : int
        Of the first cell in the map's grid of cells.
    level, rms : ndarray of float64, shape (n_rows, n_columns)
        NaN where a cell has too few pixels.
    negative : ndarray of float64, shape (4 n_rows, 4 n_columns)
        Noise of the negative pixels in the parts of the cells; NaN as above.
    peak : float
        Largest absolute value of all the cells; 0 if all is blank.
    """

    row: int
    column: int
    level: Double
    rms: Double
    negative: Double
    peak: float


def mesh_size(beam_fwhm_pixels: float) -> int:
    """Return the side in pixels of a cell that suits a beam."""
    return N_PARTS * max(8, round(MESH_BEAMS * beam_fwhm_pixels / N_PARTS))


def estimate_background(data: Float, *, mesh_pixels: int) -> Background:
    """Estimate background and noise of a whole map.

    Parameters
    ----------
    data : ndarray of float32, shape (ny, nx)
        NaN where blank.
    mesh_pixels : int
        Side of a cell, see :func:`mesh_size`.

    Raises
    ------
    InputError
        If no cell has enough pixels, or there is no noise.
    """
    rows, columns = (cell_edges(length, mesh_pixels) for length in data.shape)
    part = _measure(data, rows, columns, (0, 0), (0, 0))
    return assemble_background([part], (data.shape[0], data.shape[1]), mesh_pixels)


def mesh_of_tile(path: Path | str, tile: Tile, mesh_pixels: int, *, beam: Beam | None = None) -> MeshPart:
    """Measure the cells whose first pixel lies in the core of a tile.

    Reads only those cells' pixels of the file.
    """
    with open_map(path, beam=beam) as file:
        rows, columns = (cell_edges(length, mesh_pixels) for length in file.shape)
        i0, i1 = np.searchsorted(rows[:-1], [tile.core_y0, tile.core_y1])
        j0, j1 = np.searchsorted(columns[:-1], [tile.core_x0, tile.core_x1])
        mine = rows[i0 : i1 + 1], columns[j0 : j1 + 1]
        if i0 == i1 or j0 == j1:
            return MeshPart(row=i0, column=j0, level=_EMPTY, rms=_EMPTY, negative=_EMPTY, peak=0.0)
        corner = int(mine[0][0]), int(mine[1][0])
        data = file.window(slice(corner[0], int(mine[0][-1])), slice(corner[1], int(mine[1][-1])))
        return _measure(data, *mine, corner, (int(i0), int(j0)))


def assemble_background(parts: Iterable[MeshPart], shape: tuple[int, int], mesh_pixels: int) -> Background:
    """Make the background of a whole map from the parts of all its tiles, in any order."""
    return assemble_mesh(parts, shape, mesh_pixels).whole()


def assemble_mesh(parts: Iterable[MeshPart], shape: tuple[int, int], mesh_pixels: int) -> BackgroundMesh:
    """Make the background of a map from the parts of all its tiles, in any order.

    Raises
    ------
    InputError
        If no cell has enough pixels, or there is no noise.
    """
    n_rows, n_columns = (len(cell_edges(length, mesh_pixels)) - 1 for length in shape)
    level, rms = np.full((2, n_rows, n_columns), np.nan)
    negative = np.full((N_PARTS * n_rows, N_PARTS * n_columns), np.nan)
    peak = 0.0
    for part in parts:
        peak = max(peak, part.peak)
        i, j = part.row, part.column
        n, m = part.level.shape
        level[i : i + n, j : j + m] = part.level
        rms[i : i + n, j : j + m] = part.rms
        negative[N_PARTS * i : N_PARTS * (i + n), N_PARTS * j : N_PARTS * (j + m)] = part.negative
    if not np.isfinite(level).any():
        raise InputError("the background cannot be measured", expected="more pixels that are not blank")
    own = _filled(rms)
    _refuse_without_noise(float(np.median(own)), peak)
    level, rms = _median_of_neighbours(_filled(level)), _median_of_neighbours(own)
    y, x = (np.diff(_part_edges(cell_edges(length, mesh_pixels))) for length in shape)
    change = _change(negative, own, rms, np.multiply.outer(y, x) * (N_PARTS / mesh_pixels) ** 2)
    return BackgroundMesh(shape=shape, mesh_pixels=mesh_pixels, level=level, rms=rms, change=change)


_EMPTY = np.empty((0, 0))


def _measure(
    data: Float,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    corner: tuple[int, int],
    first_cell: tuple[int, int],
) -> MeshPart:
    n, m = len(rows) - 1, len(columns) - 1
    level, rms = np.full((2, n, m), np.nan)
    negative = np.full((N_PARTS * n, N_PARTS * m), np.nan)
    for i in range(n):
        for j in range(m):
            cell = data[
                rows[i] - corner[0] : rows[i + 1] - corner[0],
                columns[j] - corner[1] : columns[j + 1] - corner[1],
            ]
            parts = slice(N_PARTS * i, N_PARTS * (i + 1)), slice(N_PARTS * j, N_PARTS * (j + 1))
            level[i, j], rms[i, j], negative[parts] = cell_statistics(cell, N_PARTS)
    peak = float(np.max(np.abs(data), initial=0.0, where=np.isfinite(data)))
    return MeshPart(
        row=first_cell[0], column=first_cell[1], level=level, rms=rms, negative=negative, peak=peak
    )


def _refuse_without_noise(rms: float, peak: float) -> None:
    if not rms > LEAST_NOISE * peak:
        raise InputError(
            "no noise could be measured",
            got=f"a scatter of {rms:.2g} in the median where pixels reach {peak:.2g}",
            expected="a map with noise",
            next_step="find sources in the restored image, not in a model of the sky",
        )


def _part_edges(edges: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    parts = [np.linspace(a, b, N_PARTS + 1).astype(np.int64)[:-1] for a, b in itertools.pairwise(edges)]
    return np.concatenate([*parts, edges[-1:]])


def _filled(mesh: Double) -> Double:
    """Give a cell without a value that of the nearest that has one."""
    missing = ~np.isfinite(mesh)
    nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    return np.asarray(mesh[tuple(nearest)])


def _median_of_neighbours(mesh: Double) -> Double:
    """Take the median over three cells by three: one object does not make a background."""
    return np.asarray(ndimage.median_filter(mesh, size=3, mode="nearest"))


def _change(negative: Double, own: Double, rms: Double, area: Double) -> Double:
    """How much noisier the negative pixels are than the cell; 1 where that may be chance.

    Where emission varies within a cell, its own noise is more than that of all
    its parts together. By so much the parts may be below it and no noise has
    fallen. Nor has it where the parts around are so few or small that chance
    says so: at corners, in what is less than a cell. ``area`` is that of the
    parts, in whole ones.
    """
    n_rows, n_columns = rms.shape
    whole = _of_parts(rms)
    with np.errstate(invalid="ignore", divide="ignore"):
        power = np.nan_to_num((negative / whole) ** 2, nan=1.0, posinf=1.0)
        parts = (power * whole**2).reshape(n_rows, N_PARTS, n_columns, N_PARTS).mean(axis=(1, 3))
        varied = np.nan_to_num(np.maximum(own**2 / parts, 1.0), nan=1.0, posinf=1.0)
    rise, fall = (
        np.sqrt(ndimage.uniform_filter(each, size=3, mode="nearest"))
        for each in (power, power * _of_parts(varied))
    )
    falls = (fall < 1 / LEAST_FALL) & (ndimage.uniform_filter(area, size=3, mode="constant") > LEAST_AREA)
    return np.asarray(np.where(rise > LEAST_RISE, rise, np.where(falls, fall, 1.0)))


def _of_parts(cells: Double) -> Double:
    return np.asarray(np.kron(cells, np.ones((N_PARTS, N_PARTS))), dtype=np.float64)
