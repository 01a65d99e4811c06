"""Open files once in a process, and read windows of their numbers."""

import collections
import contextlib
import functools
import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.windows import Window as RasterWindow

from helikon.earth.grid import Grid, Window, crs_text
from helikon.earth.scene import Raster
from helikon.errors import InputError

__all__ = ["geometry", "grid_of", "read_numbers"]

_CACHE_MIB = 64
_OPEN_FILES = 128
_OPENED: collections.OrderedDict[tuple[str, int], tuple[object, Any]] = collections.OrderedDict()
_LOCK = threading.Lock()


def grid_of(raster: Raster) -> Grid:
    """Return the grid of a file.

    Raises
    ------
    InputError
        If it has no CRS, or is not north up.
    """
    with _environment(raster):
        return geometry(raster)[0]


def read_numbers(raster: Raster, window: Window) -> npt.NDArray[Any]:
    """Return a window of a file's numbers as they are, shape (height, width)."""
    place = RasterWindow(window.col, window.row, window.width, window.height)

    def read() -> npt.NDArray[Any]:
        return np.asarray(_open(raster).read(raster.index, window=place))

    with _environment(raster):
        return np.asarray(raster.folder.patiently(read))


def geometry(raster: Raster) -> tuple[Grid, float | None]:
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
    """Open a file once in a process; anew after a fork, and if it has changed since."""
    pid, version = _version(raster)
    place = raster.folder.gdal_path(raster.key), pid
    with _LOCK:
        known = _OPENED.pop(place, None)
        if known is not None and known[0] == version:
            _OPENED[place] = known  # the last used is last
            return known[1]
    if known is not None:
        known[1].close()  # else GDAL would go on to read what it remembers of it
    opened = rasterio.open(place[0])
    with _LOCK:
        _OPENED[place] = version, opened
        while len(_OPENED) > _OPEN_FILES:
            _OPENED.popitem(last=False)
    return opened


def _version(raster: Raster) -> tuple[int, object]:
    if raster.folder.is_remote:
        return os.getpid(), raster.version
    with contextlib.suppress(OSError):
        stat = os.stat(raster.folder.gdal_path(raster.key))
        return os.getpid(), (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return os.getpid(), None


@contextlib.contextmanager
def _environment(raster: Raster) -> Iterator[None]:
    with rasterio.Env(GDAL_CACHEMAX=_CACHE_MIB, **raster.folder.gdal_options()):
        yield
