"""Read a window of a scene on the grid: calibrated, masked, with its indices.

The order is fixed: reflectance, mask, indices, and only then resampling, so
that no cloud is mixed into its neighbours. Everything is float32, NaN where
there is nothing.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.earth.expressions import Index, evaluate
from helikon.earth.grid import Grid, Window
from helikon.earth.qa import TABLES, flagged
from helikon.earth.rasters import geometry, grid_of, read_numbers
from helikon.earth.resample import block_mean, needed_window, positions, refine, resample
from helikon.earth.scene import Band, Raster, Scene
from helikon.errors import HelikonError, InputError

__all__ = ["SceneFault", "Wanted", "read_scene", "reason", "scene_grid"]

Float = npt.NDArray[np.float32]


class SceneFault(HelikonError):
    """A scene that cannot be read, whatever is asked of it."""

    exit_code = 1

    def __init__(self, scene_id: str, reason: str) -> None:
        super().__init__(f"scene {scene_id} cannot be read", got=reason)
        self.scene_id, self.reason = scene_id, reason

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes."""
        return SceneFault, (self.scene_id, self.reason)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is made of each scene.

    Attributes
    ----------
    bands : tuple of str
        Bands that are kept as they are.
    indices : tuple of Index
        Made of bands; they come after these.
    mask : tuple of str
        Categories of :data:`helikon.earth.qa.CATEGORIES`.
    qa : str
        Table that reads every quality band, instead of the scene's own; empty for that.
    resampling : str
        See :data:`helikon.earth.resample.METHODS`.
    """

    bands: tuple[str, ...]
    indices: tuple[Index, ...] = ()
    mask: tuple[str, ...] = ()
    qa: str = ""
    resampling: str = "nearest"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what comes out, in order."""
        return (*self.bands, *(index.name for index in self.indices))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Bands that must be read."""
        used = (band for index in self.indices for band in index.bands)
        return tuple(dict.fromkeys([*self.bands, *used]))


def read_scene(scene: Scene, wanted: Wanted, grid: Grid, window: Window) -> Float | None:
    """Return a window of the grid as a scene shows it.

    Returns
    -------
    ndarray, shape (len(wanted.names), height, width), or None
        None if the scene does not reach there.

    Raises
    ------
    SceneFault
        If one of the scene's files is broken.
    """
    with _told(scene):
        native = scene_grid(scene, wanted)
        if wanted.resampling != "average":
            return _on(scene, wanted, native, grid, window, wanted.resampling)
        finer, inner, n = refine(grid, window, native)
        found = _on(scene, wanted, native, finer, inner, "nearest")
        return None if found is None else block_mean(found, n)


def scene_grid(scene: Scene, wanted: Wanted) -> Grid:
    """Return the finest grid among the bands that are read; the first of several."""
    grids = [grid_of(scene.band(name).raster) for name in wanted.inputs]
    return min(grids, key=lambda grid: grid.resolution[0] * grid.resolution[1])


def _on(scene: Scene, wanted: Wanted, native: Grid, grid: Grid, window: Window, method: str) -> Float | None:
    if grid.is_aligned(native):
        return _aligned(scene, wanted, native, grid, window)
    rows, cols = positions(grid, window, native)
    needed = needed_window(rows, cols, native)
    if needed.is_empty:
        return None
    pixels = _native(scene, wanted, native, needed)
    return resample(pixels, rows - needed.row, cols - needed.col, method)


def _aligned(scene: Scene, wanted: Wanted, native: Grid, grid: Grid, window: Window) -> Float | None:
    """Copy pixels where no resampling is needed."""
    down, along = (round(shift) for shift in native.shift_to(grid))
    asked = Window(row=window.row + down, col=window.col + along, height=window.height, width=window.width)
    there = asked.meet(native.window)
    if there.is_empty:
        return None
    pixels = _native(scene, wanted, native, there)
    if there == asked:
        return pixels
    whole = np.full((len(pixels), window.height, window.width), np.nan, dtype=np.float32)
    row, col = there.row - asked.row, there.col - asked.col
    whole[:, row : row + there.height, col : col + there.width] = pixels
    return whole


def _native(scene: Scene, wanted: Wanted, native: Grid, window: Window) -> Float:
    """Return bands and indices in the scene's own grid."""
    made = np.empty((len(wanted.names), window.height, window.width), dtype=np.float32)
    hidden = _hidden(scene, wanted, native, window)
    n_kept = len(wanted.bands)
    bands = dict(zip(wanted.bands, made[:n_kept], strict=True))
    for name in wanted.inputs:
        if name not in bands:
            bands[name] = np.empty_like(made[0])
        _read_reflectance(scene.band(name), native, window, hidden, bands[name])
    for pixels, index in zip(made[n_kept:], wanted.indices, strict=True):
        evaluate(index, bands, pixels)
    return made


def _read_reflectance(
    band: Band, native: Grid, window: Window, hidden: npt.NDArray[np.bool_], out: Float
) -> None:
    """Read a band into ``out``: NaN where it is hidden or has nothing."""
    numbers = _numbers(band.raster, native, window)
    low, high = band.valid
    nothing = hidden | (numbers < low) | (numbers > high)
    for nodata in {band.nodata, geometry(band.raster)[1]}:
        if nodata is not None and low <= nodata <= high:
            nothing |= numbers == nodata
    out[...] = numbers
    out *= np.float32(band.scale)
    out += np.float32(band.offset)
    np.copyto(out, np.float32(np.nan), where=nothing)


def _hidden(scene: Scene, wanted: Wanted, native: Grid, window: Window) -> npt.NDArray[np.bool_]:
    hidden = np.zeros((window.height, window.width), dtype=np.bool_)
    if not scene.quality and wanted.mask:
        raise InputError(
            f"scene {scene.id} has no quality band",
            expected=f"one to mask {', '.join(wanted.mask)} by",
            next_step="add the product's quality file, or give --mask none",
        )
    for quality in scene.quality:
        table = TABLES[wanted.qa or quality.table]
        hidden |= flagged(table, _numbers(quality.raster, native, window), wanted.mask)
    return hidden


def _numbers(raster: Raster, native: Grid, window: Window) -> npt.NDArray[Any]:
    """Read a file's numbers in the scene's grid; one of larger pixels is repeated, not interpolated."""
    own, _ = geometry(raster)
    if own.crs != native.crs:
        raise InputError(f"{raster.url} lies in another CRS than its scene", got=own.crs, expected=native.crs)
    if own.is_aligned(native):
        down, along = (round(shift) for shift in own.shift_to(native))
        asked = Window(
            row=window.row + down, col=window.col + along, height=window.height, width=window.width
        )
        if asked.meet(own.window) == asked:
            return read_numbers(raster, asked)
    rows, cols = positions(native, window, own)
    down_index = np.clip(np.floor(rows[:, 0] + 1e-10).astype(np.intp), 0, own.height - 1)
    along_index = np.clip(np.floor(cols[0] + 1e-10).astype(np.intp), 0, own.width - 1)
    row, col = int(down_index[0]), int(along_index[0])
    part = Window(
        row=row, col=col, height=int(down_index[-1]) - row + 1, width=int(along_index[-1]) - col + 1
    )
    return np.asarray(read_numbers(raster, part)[np.ix_(down_index - row, along_index - col)])


@contextlib.contextmanager
def _told(scene: Scene) -> Iterator[None]:
    """Say which scene it is that cannot be read."""
    try:
        yield
    except OSError as error:  # rasterio's are of this kind
        raise SceneFault(scene.id, reason(error)) from error


def reason(error: OSError) -> str:
    """Return why a file cannot be read, in one line: GDAL's own words where rasterio has them."""
    said = str(error.__cause__ or error).strip().splitlines()
    return said[0] if said else type(error).__name__
