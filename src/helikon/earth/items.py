"""STAC for what was made: one ItemCollection for each shard, and a collection of it all."""

import datetime
import json
import posixpath
from collections.abc import Sequence
from typing import Any

from helikon.earth.manifest import MANIFEST, ChipRow, Summary

__all__ = ["COLLECTION", "collection_bytes", "items_bytes", "items_key", "when"]

COLLECTION = "collection.json"
_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
_STAC = "1.1.0"
_FIRST_LANDSAT, _LAST_DAY = "1972-07-23", "9999-12-31"


def items_key(number: int) -> str:
    """Return the key of the items of a unit's chips."""
    return f"items/{number:06d}.json"


def items_bytes(rows: Sequence[ChipRow], summary: Summary) -> bytes:
    """Write the items of a shard's chips as one ItemCollection, a line for each."""
    lines = ",\n".join(json.dumps(_item(row, summary)) for row in rows)
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'.encode()


def _item(row: ChipRow, summary: Summary) -> dict[str, Any]:
    longitudes, latitudes = zip(*row.footprint, strict=True)
    properties: dict[str, Any] = {
        **when(row.start, row.end),
        "proj:code": row.crs if row.crs.startswith("EPSG:") else None,
        "proj:transform": list(row.transform),
        "proj:shape": [summary.size, summary.size],
        "helikon:split": row.split,
        "helikon:clear": row.clear,
        "helikon:sha256": row.sha256,
    }
    if not row.crs.startswith("EPSG:"):
        properties["proj:wkt2"] = row.crs
    asset = {
        "href": posixpath.join("..", row.shard),
        "type": "application/vnd.zarr" if summary.form == "zarr" else "application/x-npz",
        "roles": ["data"],
        "helikon:offset": row.offset,
        "bands": [{"name": name} for name in summary.bands],
    }
    return {
        "type": "Feature",
        "stac_version": _STAC,
        "stac_extensions": [_PROJECTION],
        "id": row.key,
        "collection": "chips",
        "geometry": {"type": "Polygon", "coordinates": [[list(corner) for corner in row.footprint]]},
        "bbox": [min(longitudes), min(latitudes), max(longitudes), max(latitudes)],
        "properties": properties,
        "links": [{"rel": "collection", "href": f"../{COLLECTION}", "type": "application/json"}],
        "assets": {"chip": asset},
    }


def when(start: str, end: str) -> dict[str, str | None]:
    """Return when a chip was seen; what is not known is an interval that surely holds it."""
    if start and start == end:
        return {"datetime": _moment(start)}
    first, last = start or _FIRST_LANDSAT, end or _LAST_DAY
    return {"datetime": None, "start_datetime": _moment(first), "end_datetime": _moment(last)}


def _moment(time: str) -> str:
    return time if "T" in time else f"{time}T00:00:00Z"


def collection_bytes(rows: Sequence[ChipRow], summary: Summary, item_keys: Sequence[str]) -> bytes:
    """Write the collection: extent, bands, images, and links to the items."""
    import pystac

    corners = [corner for row in rows for corner in row.footprint] or [(-180.0, -90.0), (180.0, 90.0)]
    box: list[float | int] = [f(c[axis] for c in corners) for f in (min, max) for axis in (0, 1)]
    times = sorted(time for row in rows for time in (row.start, row.end) if time)
    span: list[datetime.datetime | None] = [_datetime(time) for time in (*times[:1], *times[-1:])]
    collection = pystac.Collection(
        id="chips",
        description=f"{len(rows)} chips of {', '.join(summary.bands)}, made by helikon earth prepare",
        extent=pystac.Extent(pystac.SpatialExtent([box]), pystac.TemporalExtent([span or [None, None]])),
        license="other",
    )
    collection.add_asset("manifest", pystac.Asset(MANIFEST, media_type="application/vnd.apache.parquet"))
    for key in summary.images:
        collection.add_asset(
            key.removesuffix(".tif"), pystac.Asset(key, media_type=str(pystac.MediaType.COG))
        )
    document = collection.to_dict(include_self_link=False)
    document["links"] = [
        {"rel": "items", "href": f"./{key}", "type": "application/geo+json"} for key in item_keys
    ]
    return (json.dumps(document, indent=1) + "\n").encode()


def _datetime(time: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(_moment(time).replace("Z", "+00:00"))
