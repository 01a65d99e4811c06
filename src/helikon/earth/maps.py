"""The STAC item of a map that a model made."""

from typing import Any

from helikon.earth.chipset import ChipSet
from helikon.earth.models import Card

__all__ = ["MAP", "map_item"]

MAP = "map.tif"
_EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
]


def map_item(
    chips: ChipSet, card: Card, counts: dict[str, int], identity: str, no_data: int
) -> dict[str, Any]:
    """Return the item: where the map lies, what its values mean, and what it was made of.

    Parameters
    ----------
    chips : ChipSet
        That were predicted.
    card : Card
        Of the model.
    counts : dict
        Class to number of pixels.
    identity : str
        SHA-256 of model and chips.
    no_data : int
        Of a class map.
    """
    from rasterio.transform import Affine, array_bounds
    from rasterio.warp import transform_bounds

    grid = chips.summary.grid
    bounds = array_bounds(grid["height"], grid["width"], Affine(*grid["transform"]))
    west, south, east, north = (round(v, 7) for v in transform_bounds(grid["crs"], "EPSG:4326", *bounds))
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    epsg = grid["crs"].startswith("EPSG:")
    asset: dict[str, Any] = {
        "href": f"./{MAP}",
        "type": "image/tiff; application=geotiff; profile=cloud-optimized",
        "roles": ["data"],
    }
    if card.classes:
        asset["classification:classes"] = [
            {"value": no_data, "name": "no-data", "nodata": True},
            *({"value": n, "name": name} for n, name in enumerate(card.classes, start=1)),
        ]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": _EXTENSIONS,
        "id": "map",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [west, south, east, north],
        "properties": {
            **_when(chips),
            "proj:code": grid["crs"] if epsg else None,
            **({} if epsg else {"proj:wkt2": grid["crs"]}),
            "proj:shape": [grid["height"], grid["width"]],
            "proj:transform": list(grid["transform"]),
            "helikon:counts": counts,
            "helikon:identity": identity,
        },
        "links": [],
        "assets": {"map": asset},
    }


def _when(chips: ChipSet) -> dict[str, str | None]:
    from helikon.earth.items import when

    starts = [time for time in chips.table["start"].to_pylist() if time]
    ends = [time for time in chips.table["end"].to_pylist() if time]
    return when(min(starts, default=""), max(ends, default=""))
