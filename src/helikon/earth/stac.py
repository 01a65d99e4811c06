"""Scenes from STAC: an item, a search result (ItemCollection), a collection or a catalogue.

Documents are read as they are, of any version from 1.0 on: what is needed of
an item are its assets, its bands' common names, and their scale and offset.
"""

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from helikon.earth.metadata import sentinel2_baseline_offset, time_in
from helikon.earth.scene import Band, Quality, Raster, Scene
from helikon.earth.sensors import SENSORS, Role, Sensor, role_of
from helikon.errors import HelikonError, InputError

__all__ = ["items_of", "read_document", "scene_of"]

OpenUrl = Callable[[str], Raster]
"""Says where a URL lies: its folder and key."""

_MOST_DOCUMENTS = 10_000
_ALIASES = {"nir08": "nir", "scl": "s2-scl", "qa_pixel": "landsat-c2"}
_SIGNS = (
    (r"sentinel-?2.*l2a|^s2.*l2a", "sentinel2-l2a"),
    (r"landsat.*(c2.*l2|l2)|lc0[89]_l2", "landsat-c2-l2"),
    (r"landsat.*(c2.*l1|l1)|lc0[89]_l1", "landsat-l1"),
    (r"m[oy]d13", "modis-vi"),
    (r"m[oy]d09", "modis-reflectance"),
    (r"mcd43a4", "modis-brdf"),
)
_ASSET_QA = {
    "qa_pixel": "landsat-c2",
    "scl": "s2-scl",
    "250m_16_days_vi_quality": "modis-vi",
    "250m_16_days_pixel_reliability": "modis-reliability",
    "sur_refl_state_500m": "modis-state",
}


def read_document(raster: Raster) -> dict[str, Any]:
    """Return a JSON document.

    Raises
    ------
    InputError
        If it is no JSON object.
    """
    try:
        value = json.loads(raster.folder.read(raster.key))
    except ValueError as error:
        raise InputError(
            f"{raster.url} cannot be read", got=str(error), expected="a STAC item or collection"
        ) from error
    if not isinstance(value, dict):
        raise InputError(f"{raster.url} is no STAC document", got=type(value).__name__, expected="an object")
    return value


def items_of(
    document: Mapping[str, Any], base: str, open_url: OpenUrl
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the items of a document, each with the URL that its links start from.

    Parameters
    ----------
    document : Mapping
        An item, an ItemCollection (the pages that follow are read too), a
        collection or a catalogue.
    base : str
        Its URL.
    open_url : callable

    Raises
    ------
    InputError
        If it is nothing of these.
    """
    todo: list[tuple[Mapping[str, Any], str]] = [(document, base)]
    seen = {base}
    while todo:
        found, place = todo.pop(0)
        kind = found.get("type")
        if kind == "Feature":
            yield dict(found), place
        elif kind == "FeatureCollection":
            yield from ((item, place) for item in found.get("features", []))
        elif kind not in ("Collection", "Catalog"):
            raise InputError(f"{place} is no STAC document", got=f"type {kind!r}", expected="a STAC item")
        relations = ("next",) if kind == "FeatureCollection" else ("item", "child")
        for url in _links(found, place, relations) if kind != "Feature" else []:
            if url not in seen and len(seen) < _MOST_DOCUMENTS:
                seen.add(url)
                todo.append((read_document(open_url(url)), url))


def _links(document: Mapping[str, Any], place: str, relations: tuple[str, ...]) -> list[str]:
    links = document.get("links", [])
    plain = [link for link in links if link.get("rel") in relations and link.get("method", "GET") == "GET"]
    return [resolve(place, link["href"]) for link in plain]


def resolve(base: str, href: str) -> str:
    """Return a link as a whole URL or path."""
    if "://" in href or href.startswith("/"):
        return href
    scheme, sign, rest = base.partition("://")
    folder = posixpath.dirname(rest if sign else base)
    return (
        f"{scheme}{sign}{posixpath.normpath(posixpath.join(folder, href))}"
        if sign
        else (posixpath.normpath(posixpath.join(folder, href)))
    )


def scene_of(
    item: Mapping[str, Any], base: str, open_url: OpenUrl, *, sensor: Sensor | None, note: list[str]
) -> Scene:
    """Read one STAC item.

    Raises
    ------
    InputError
        If its product is not known, or none of its assets is a band.
    """
    its = sensor or _sensor_of(item)
    properties = item.get("properties", {})
    bands: dict[str, Band] = {}
    quality: dict[str, Quality] = {}
    for key, asset in item.get("assets", {}).items():
        href = resolve(base, str(asset.get("href", "")))
        role = _role(its, key, asset, href)
        if role is None or role.name in (bands if role.kind == "band" else quality):
            continue
        try:
            raster = open_url(href)
        except HelikonError as error:
            note.append(f"{item.get('id')}: asset {key} is left out ({error})")
            continue
        if role.kind == "qa":
            quality[role.name] = Quality(table=role.name, raster=raster)
        else:
            bands[role.name] = _band(its, role.name, raster, asset, properties)
    if not bands:
        raise InputError(
            f"STAC item {item.get('id')} has no band of {its.name}",
            got=", ".join(item.get("assets", {})) or "no assets",
            expected="assets with common names such as red and nir",
        )
    time = str(properties.get("datetime") or properties.get("start_datetime") or "")
    return Scene(
        id=str(item["id"]),
        sensor=its.name,
        time=_utc(time) or time_in(str(item["id"])),
        bands=tuple(bands.values()),
        quality=tuple(quality.values()),
    )


def _utc(time: str) -> str:
    found = re.match(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d)?", time)
    return "" if found is None else found[0] + ("Z" if "T" in found[0] else "")


def _sensor_of(item: Mapping[str, Any]) -> Sensor:
    words = f"{item.get('collection', '')} {item.get('id', '')}".lower()
    for pattern, name in _SIGNS:
        if any(re.search(pattern, word) for word in words.split()):
            return SENSORS[name]
    names = [str(asset.get("href", "")).rpartition("/")[2] for asset in item.get("assets", {}).values()]
    for sensor in SENSORS.values():
        if any(role_of(sensor, name) for name in names):
            return sensor
    raise InputError(
        f"the product of STAC item {item.get('id')} is not known",
        got=f"collection {item.get('collection')!r}",
        expected=f"one of {', '.join(SENSORS)}",
        next_step="name it with --sensor",
    )


def _role(sensor: Sensor, key: str, asset: Mapping[str, Any], href: str) -> Role | None:
    """Say what an asset is: by its name as a file, by its key, or by its band's common name."""
    name = urlsplit(href).path.rpartition("/")[2]
    if not re.search(r"\.(tiff?|jp2|vrt|img)$", name, re.IGNORECASE):
        return None
    if role := role_of(sensor, name, forced=True):
        return role if role.kind != "metadata" else None
    if key.lower() in _ASSET_QA:
        return Role(kind="qa", name=_ASSET_QA[key.lower()], scene="")
    common = next((str(band["common_name"]) for band in _bands(asset) if band.get("common_name")), "")
    for said in (key.lower(), common):
        name = _ALIASES.get(said, said) if sensor.name.startswith("landsat") else said
        if f"band {name}" in sensor.files.values():
            return Role(kind="band", name=name, scene="")
    return None


def _bands(asset: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what STAC 1.1 (``bands``) and 1.0 (``eo:bands``, ``raster:bands``) say of an asset's bands."""
    found = [*asset.get("bands", []), *asset.get("eo:bands", [])]
    return [
        {key.removeprefix("eo:").removeprefix("raster:"): value for key, value in band.items()}
        for band in found
    ]


def _band(
    sensor: Sensor, name: str, raster: Raster, asset: Mapping[str, Any], properties: Mapping[str, Any]
) -> Band:
    said = [*asset.get("raster:bands", []), *_bands(asset), asset]
    scale, offset = sensor.scales.get(name, (sensor.scale, sensor.offset))
    declared = next((one for one in said if "scale" in one or "raster:scale" in one), None)
    if declared is not None:
        scale = float(declared.get("scale", declared.get("raster:scale")))
        offset = float(declared.get("offset", declared.get("raster:offset", 0.0)))
    elif sensor.name == "sentinel2-l2a":
        offset = sentinel2_baseline_offset(float(properties.get("s2:processing_baseline", 0)))
    if properties.get("earthsearch:boa_offset_applied") is True:
        offset = 0.0
    return Band(
        name=name, raster=raster, scale=scale, offset=offset, nodata=sensor.nodata, valid=sensor.valid
    )
