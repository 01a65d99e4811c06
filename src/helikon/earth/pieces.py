"""The composite as an image: pieces that tasks write, put together to Cloud Optimized GeoTIFFs."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.shutil import copy

from helikon.earth.grid import Grid, Window
from helikon.errors import EngineError

if TYPE_CHECKING:
    from helikon.earth.plan import Job
    from helikon.spark.objects import Folder

__all__ = ["join_pieces", "piece_key", "write_piece"]

_CACHE_MIB = 128
_BLOCK = 512
_GDAL_TYPES = {"float32": "Float32", "uint8": "Byte", "int16": "Int16"}


def piece_key(number: int) -> str:
    """Return the key of a unit's piece."""
    return f"pieces/{number:06d}.tif"


def write_piece(job: "Job", number: int, window: Window, pixels: npt.NDArray[Any]) -> str:
    """Write a unit's own pixels, shape (steps, bands, height, width), and return the SHA-256."""
    n_steps, n_bands = pixels.shape[:2]
    content = piece_bytes(job.chips.grid.part(window), pixels.reshape(n_steps * n_bands, *pixels.shape[2:]))
    job.out.write(piece_key(number), content)
    return hashlib.sha256(content).hexdigest()


def piece_bytes(grid: Grid, pixels: npt.NDArray[Any], nodata: float = float("nan")) -> bytes:
    """Return a GeoTIFF of bands, shape (n, height, width)."""
    profile = {
        "driver": "GTiff",
        "height": grid.height,
        "width": grid.width,
        "count": len(pixels),
        "dtype": pixels.dtype.name,
        "crs": grid.crs,
        "transform": grid.affine,
        "nodata": nodata,
        "interleave": "band",
        "tiled": True,
        "blockxsize": _BLOCK,
        "blockysize": _BLOCK,
        "BIGTIFF": "IF_SAFER",
    }
    with rasterio.Env(GDAL_CACHEMAX=64), MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(pixels)
        return bytes(memory.read())


def join_pieces(
    out: "Folder",
    grid: Grid,
    pieces: Sequence[tuple[str, Window]],
    images: Sequence[tuple[str, Sequence[int], Sequence[str]]],
    *,
    dtype: str = "float32",
    nodata: float = float("nan"),
    resampling: str = "average",
    colours: "dict[int, tuple[int, int, int, int]] | None" = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """Make images of pieces: GDAL reads them block by block, so memory stays bounded.

    Parameters
    ----------
    out : Folder
        Holds the pieces, and gets the images.
    grid : Grid
        Of the whole.
    pieces : sequence of (str, Window)
        Key and place of each; where there is none, there is no data.
    images : sequence of (str, sequence of int, sequence of str)
        Key of each image, which bands of the pieces it has (from 0), and what they are called.
    dtype : {"float32", "uint8", "int16"}
    nodata : float
    resampling : str
        For the overviews.
    colours : dict, optional
        Value to red, green, blue and alpha, of classes.
    progress : callable
        Gets the number of images done, and of all.

    Returns
    -------
    list of str
        The images' keys.
    """
    beside = None if out.is_remote else out.url
    with (
        tempfile.TemporaryDirectory(prefix=".cog-", suffix=".partial", dir=beside) as temporary,
        _environment(out),
    ):
        for number, (key, bands, names) in enumerate(images):
            vrt = Path(temporary) / f"{number}.vrt"
            vrt.write_text(_vrt(out, grid, pieces, bands, names, dtype, nodata, colours), encoding="utf-8")
            cog = Path(temporary) / f"{number}.tif"
            try:
                _write_cog(vrt, cog, resampling)
            except (OSError, rasterio.errors.RasterioError) as error:
                raise EngineError(f"{key} cannot be made", got=str(error).splitlines()[0]) from error
            _place(out, key, cog)
            progress(number + 1, len(images))
    return [key for key, _, _ in images]


def _write_cog(vrt: Path, cog: Path, resampling: str) -> None:
    """Copy to a plain file, make its overviews band by band, and copy that to a COG.

    Left to make the overviews itself, GDAL's COG driver took ten times as long for four bands.
    """
    plain = cog.with_suffix(".plain.tif")
    tiles = {"TILED": "YES", "BLOCKXSIZE": str(_BLOCK), "BLOCKYSIZE": str(_BLOCK)}
    copy(str(vrt), str(plain), driver="GTiff", INTERLEAVE="BAND", BIGTIFF="IF_SAFER", **tiles)
    with rasterio.open(plain, "r+") as file:
        factors = _overviews(max(file.height, file.width))
        if factors:
            file.build_overviews(factors, Resampling[resampling])
    copy(
        str(plain),
        str(cog),
        driver="COG",
        COMPRESS="DEFLATE",
        LEVEL="1",
        PREDICTOR="YES",
        BLOCKSIZE=str(_BLOCK),
        OVERVIEWS="FORCE_USE_EXISTING" if factors else "NONE",
        NUM_THREADS="ALL_CPUS",
        BIGTIFF="IF_SAFER",
    )
    plain.unlink()


def _overviews(size: int) -> list[int]:
    """Return the factors of overviews, down to one tile."""
    factors: list[int] = []
    while size > _BLOCK * 2 ** len(factors):
        factors.append(2 ** (len(factors) + 1))
    return factors


def _place(out: "Folder", key: str, made: Path) -> None:
    """Put a file in its place; in a folder it is renamed, for it may be larger than memory."""
    if out.is_remote:
        out.write(key, made)
        made.unlink()
        return
    with made.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(made, Path(out.url) / key)


def _environment(out: "Folder") -> rasterio.Env:
    return rasterio.Env(GDAL_CACHEMAX=_CACHE_MIB, **out.gdal_options())


def _vrt(
    out: "Folder",
    grid: Grid,
    pieces: Sequence[tuple[str, Window]],
    bands: Sequence[int],
    names: Sequence[str],
    dtype: str,
    nodata: float,
    colours: "dict[int, tuple[int, int, int, int]] | None",
) -> str:
    """Write GDAL's virtual raster of pieces."""
    a, b, c, d, e, f = grid.transform
    lines = [
        f'<VRTDataset rasterXSize="{grid.width}" rasterYSize="{grid.height}">',
        f"<SRS>{escape(grid.crs)}</SRS>",
        f"<GeoTransform>{c!r}, {a!r}, {b!r}, {f!r}, {d!r}, {e!r}</GeoTransform>",
    ]
    for position, (band, name) in enumerate(zip(bands, names, strict=True), start=1):
        block = f'blockXSize="{_BLOCK}" blockYSize="{_BLOCK}"'
        lines.append(f'<VRTRasterBand dataType="{_GDAL_TYPES[dtype]}" band="{position}" {block}>')
        lines.append(f"<Description>{escape(name)}</Description>")
        lines.append(f"<NoDataValue>{'nan' if np.isnan(nodata) else format(nodata, 'g')}</NoDataValue>")
        if colours:
            lines.append(_colour_table(colours))
        for key, window in pieces:
            size = f'xSize="{window.width}" ySize="{window.height}"'
            lines.append(
                f'<SimpleSource><SourceFilename relativeToVRT="0">{escape(out.gdal_path(key))}'
                f"</SourceFilename><SourceBand>{band + 1}</SourceBand>"
                f'<SrcRect xOff="0" yOff="0" {size}/>'
                f'<DstRect xOff="{window.col}" yOff="{window.row}" {size}/></SimpleSource>'
            )
        lines.append("</VRTRasterBand>")
    return "\n".join([*lines, "</VRTDataset>"])


def _colour_table(colours: dict[int, tuple[int, int, int, int]]) -> str:
    entries = (colours.get(value, (0, 0, 0, 0)) for value in range(256))
    cells = "".join(f'<Entry c1="{r}" c2="{g}" c3="{b}" c4="{a}"/>' for r, g, b, a in entries)
    return f"<ColorInterp>Palette</ColorInterp><ColorTable>{cells}</ColorTable>"
