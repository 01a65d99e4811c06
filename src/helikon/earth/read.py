"""Read a window of a scene on the grid: calibrated, masked, with its indices.

The order is fixed: reflectance, mask, indices, and only then resampling, so
that no cloud is mixed into its neighbours. Everything is float32, NaN where
there is nothing.
"""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.windows import Window as RasterWindow

from helikon.earth.expressions import Index, evaluate
from helikon.earth.grid import Grid, Window, crs_text
from helikon.earth.qa import TABLES, flagged
from helikon.earth.resample import block_mean, needed_window, positions, refine, resample
from helikon.earth.scene import Band, Raster, Scene
from helikon.errors import HelikonError, InputError

__all__ = ["SceneFault", "Wanted", "grid_of", "read_scene", "reason", "scene_grid"]

Float = npt.NDArray[np.float32]

_CACHE_MIB = 64
_OPEN_FILES = 128


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


def grid_of(raster: Raster) -> Grid:
    """Return the grid of a file.

    Raises
    ------
    InputError
        If it has no CRS, or is not north up.
    """
    with _environment(raster):
        return _geometry(raster)[0]


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
    bands = {name: _reflectance(scene.band(name), native, window) for name in wanted.inputs}
    hidden = _hidden(scene, wanted, native, window)
    for pixels in bands.values():
        pixels[hidden] = np.nan
    made = [bands[name] for name in wanted.bands] + [evaluate(index, bands) for index in wanted.indices]
    return np.stack(made)


def _reflectance(band: Band, native: Grid, window: Window) -> Float:
    numbers = _numbers(band.raster, native, window)
    low, high = band.valid
    there = (numbers >= low) & (numbers <= high)
    for nodata in {band.nodata, _geometry(band.raster)[1]}:
        if nodata is not None and low <= nodata <= high:
            there &= numbers != nodata
    pixels = numbers.astype(np.float32) * np.float32(band.scale) + np.float32(band.offset)
    pixels[~there] = np.nan
    return np.asarray(pixels)


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
    own, _ = _geometry(raster)
    if own.crs != native.crs:
        raise InputError(f"{raster.url} lies in another CRS than its scene", got=own.crs, expected=native.crs)
    if own.is_aligned(native):
        down, along = (round(shift) for shift in own.shift_to(native))
        asked = Window(
            row=window.row + down, col=window.col + along, height=window.height, width=window.width
        )
        if asked.meet(own.window) == asked:
            return _read(raster, asked)
    rows, cols = positions(native, window, own)
    down_index = np.clip(np.floor(rows[:, 0] + 1e-10).astype(np.intp), 0, own.height - 1)
    along_index = np.clip(np.floor(cols[0] + 1e-10).astype(np.intp), 0, own.width - 1)
    row, col = int(down_index[0]), int(along_index[0])
    part = Window(
        row=row, col=col, height=int(down_index[-1]) - row + 1, width=int(along_index[-1]) - col + 1
    )
    return np.asarray(_read(raster, part)[np.ix_(down_index - row, along_index - col)])


def _read(raster: Raster, window: Window) -> npt.NDArray[Any]:
    place = RasterWindow(window.col, window.row, window.width, window.height)

    def read() -> npt.NDArray[Any]:
        return np.asarray(_open(raster).read(raster.index, window=place))

    with _environment(raster):
        return np.asarray(raster.folder.patiently(read))


def _geometry(raster: Raster) -> tuple[Grid, float | None]:
    """Return a file's grid and its own nodata."""
    return _geometry_of(raster, *_version(raster))


@functools.lru_cache(maxsize=4096)
def _geometry_of(raster: Raster, _pid: int, _version: object) -> tuple[Grid, float | None]:
    with _environment(raster):
        file = raster.folder.patiently(lambda: _open(raster))
    a, b, c, d, e, f = file.transform[:6]
    if not file.crs or b or d or e >= 0 or a <= 0:
        raise InputError(
            f"{raster.url} is not georeferenced as is needed",
            got=f"CRS {file.crs}, transform {tuple(file.transform)[:6]}",
            expected="a CRS and north up",
        )
    grid = Grid(crs=crs_text(file.crs), transform=(a, b, c, d, e, f), height=file.height, width=file.width)
    return grid, file.nodatavals[raster.index - 1]


def _open(raster: Raster) -> Any:
    return _opened(raster.folder.gdal_path(raster.key), *_version(raster))


@functools.lru_cache(maxsize=_OPEN_FILES)
def _opened(path: str, _pid: int, _version: object) -> Any:
    """Open a file once in a process; never one that was opened before a fork, or has changed since."""
    return rasterio.open(path)


def _version(raster: Raster) -> tuple[int, object]:
    if raster.folder.is_remote:
        return os.getpid(), None
    with contextlib.suppress(OSError):
        stat = os.stat(raster.folder.gdal_path(raster.key))
        return os.getpid(), (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return os.getpid(), None


@contextlib.contextmanager
def _environment(raster: Raster) -> Iterator[None]:
    with rasterio.Env(GDAL_CACHEMAX=_CACHE_MIB, **raster.folder.gdal_options()):
        yield


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
