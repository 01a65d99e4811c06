"""The manifest: one row for each chip, and what they all have in common. Written last, it is the commit.

It is GeoParquet 1.1, so geopandas, DuckDB and QGIS read the footprints. The
chips' STAC items stand in one ItemCollection for each shard: a file for each
chip would be as many requests to object storage as there are chips.
"""

import dataclasses
import io
import json
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from helikon.earth.chips import Chip, ChipPlan
from helikon.errors import InputError, NotFound

if TYPE_CHECKING:
    import pyarrow

    from helikon.spark.objects import Folder

__all__ = ["MANIFEST", "ChipRow", "Summary", "manifest_bytes", "read_manifest"]

MANIFEST = "manifest.parquet"
_KEY = b"helikon"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChipRow:
    """A chip in the manifest.

    Attributes
    ----------
    key : str
        ``r00012c00034``: row and column of chips.
    shard : str
        Key of the object that holds it.
    offset : int
        Its number in the shard, or along the Zarr array's first axis.
    row, col : int
        Of its first pixel in the grid.
    split : str
        See :data:`helikon.earth.chips.SPLITS`.
    clear : float
        Share of its pixels that have all bands, averaged over the time steps.
    crs : str
    transform : tuple of float
        GDAL's a, b, c, d, e, f of the chip.
    start, end : str
        First and last time of the scenes, ISO 8601; empty if not known.
    footprint : tuple of (float, float)
        Corners, longitude and latitude in degrees, counter-clockwise and closed.
    sha256 : str
        Of its float32 numbers in C order, little endian.
    """

    key: str
    shard: str
    offset: int
    row: int
    col: int
    split: str
    clear: float
    crs: str
    transform: tuple[float, ...]
    start: str
    end: str
    footprint: tuple[tuple[float, float], ...]
    sha256: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What all chips have in common; kept in the manifest's metadata.

    Attributes
    ----------
    bands : tuple of str
        In the order of the chips' band axis.
    times : tuple of str
        Labels of the time axis; one means that chips have no such axis.
    shape : tuple of int
        Of a chip.
    form : str
        ``npz``, ``zarr`` or ``none``.
    n_slots : int
        Chips in a Zarr shard.
    grid : dict
        crs, transform, height, width.
    size, overlap : int
        Of chips in pixels.
    images : tuple of str
        Keys of the composite's images.
    scenes : tuple of str
        Those that were used.
    failed : dict
        Scenes that cannot be read, and why.
    mean, std : tuple of float
        Of each band, that chips were normalised with; empty if they were not.
    clear : float
        Share of the grid's pixels with data.
    options : dict
        What was asked for.
    request, work : str
        SHA-256 of what was asked for, and of the tasks that did it.
    """

    bands: tuple[str, ...]
    times: tuple[str, ...]
    shape: tuple[int, ...]
    form: str
    n_slots: int
    grid: dict[str, Any]
    size: int
    overlap: int
    images: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()
    failed: dict[str, str] = dataclasses.field(default_factory=dict)
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    clear: float = 0.0
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    request: str = ""
    work: str = ""


def footprints(plan: ChipPlan, chips: Sequence[Chip]) -> list[tuple[tuple[float, float], ...]]:
    """Return each chip's corners in longitude and latitude, counter-clockwise and closed."""
    from rasterio.warp import transform

    boxes = [plan.grid.part(plan.window(chip)).bounds for chip in chips]
    xs = [x for west, _, east, _ in boxes for x in (west, east, east, west, west)]
    ys = [y for _, south, _, north in boxes for y in (south, south, north, north, south)]
    corners = [
        (round(x, 7), round(y, 7))
        for x, y in zip(*transform(plan.grid.crs, "EPSG:4326", xs, ys), strict=True)
    ]
    return [tuple(corners[start : start + 5]) for start in range(0, len(corners), 5)]


def manifest_bytes(rows: Sequence[ChipRow], summary: Summary) -> bytes:
    """Write the manifest; the same rows give the same bytes."""
    import pyarrow
    from pyarrow import parquet

    columns: dict[str, Any] = {
        "key": pyarrow.string(),
        "shard": pyarrow.string(),
        "offset": pyarrow.int32(),
        "row": pyarrow.int32(),
        "col": pyarrow.int32(),
        "split": pyarrow.string(),
        "clear": pyarrow.float64(),
        "crs": pyarrow.string(),
        "transform": pyarrow.list_(pyarrow.float64()),
        "start": pyarrow.string(),
        "end": pyarrow.string(),
        "sha256": pyarrow.string(),
    }
    data = {name: [getattr(row, name) for row in rows] for name in columns}
    fields = [pyarrow.field(name, kind) for name, kind in columns.items()]
    geometry = pyarrow.array([_wkb(row.footprint) for row in rows], pyarrow.binary())
    schema = pyarrow.schema([*fields, pyarrow.field("geometry", pyarrow.binary())])
    arrays = [pyarrow.array(data[name], kind) for name, kind in columns.items()]
    said = json.dumps(dataclasses.asdict(summary), sort_keys=True).encode()
    table = pyarrow.Table.from_arrays([*arrays, geometry], schema=schema)
    table = table.replace_schema_metadata({_KEY: said, b"geo": _GEO})
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    return file.getvalue()


def read_manifest(folder: "Folder") -> "tuple[pyarrow.Table, Summary]":
    """Read the manifest of prepared chips.

    Raises
    ------
    NotFound
        If there is none: nothing was prepared there, or not to the end.
    InputError
        If it is another program's.
    """
    from pyarrow import parquet

    try:
        content = folder.read(MANIFEST)
    except NotFound as error:
        raise NotFound(
            f"{folder.url} holds no prepared chips",
            expected=MANIFEST,
            next_step="helikon earth prepare makes them; if it was stopped, run it again",
        ) from error
    table = parquet.read_table(io.BytesIO(content))
    said = (table.schema.metadata or {}).get(_KEY)
    if said is None:
        raise InputError(f"{folder.url}/{MANIFEST} is not ours", expected="one that helikon earth wrote")
    fields = json.loads(said)
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    return table, Summary(**(fields | lists))


def _wkb(corners: Sequence[tuple[float, float]]) -> bytes:
    """Write a polygon of one ring as little-endian well-known binary."""
    flat = [value for corner in corners for value in corner]
    return struct.pack(f"<BIII{len(flat)}d", 1, 3, 1, len(corners), *flat)


_GEO = json.dumps(
    {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Polygon"]}},
    }
).encode()
