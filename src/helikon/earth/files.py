"""Scenes from files: a folder of a product, or a list of GeoTIFF, COG and JP2 files."""

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from helikon.earth.metadata import (
    Calibration,
    landsat_mtl,
    sentinel2_baseline_offset,
    sentinel2_mtd,
    time_in,
)
from helikon.earth.scene import Band, Quality, Raster, Scene
from helikon.earth.sensors import SENSORS, Role, Sensor, role_of
from helikon.errors import HelikonError, InputError

if TYPE_CHECKING:
    from helikon.spark.objects import Folder

__all__ = ["group_files"]


@dataclasses.dataclass(slots=True)
class _Group:
    """The files of one scene."""

    id: str
    sensor: Sensor
    bands: dict[str, Raster]
    quality: dict[str, Raster]
    metadata: list[Raster]


def group_files(
    files: Iterable[tuple["Folder", str]],
    *,
    sensor: Sensor | None = None,
    sun_elevation_deg: float | None = None,
    note: "list[str]",
) -> list[Scene]:
    """Put files together to scenes, by their names.

    Parameters
    ----------
    files : iterable of (Folder, str)
        Folder and key of each; names that no sensor knows are left out.
    sensor : Sensor, optional
        Takes the files for this one's.
    sun_elevation_deg : float, optional
        For Landsat Level 1 files without their MTL.
    note : list of str
        Gets a line for whatever is taken on trust.
    """
    groups: dict[tuple[str, str], _Group] = {}
    for folder, key in sorted(files, key=lambda file: _finest_first(file[1])):
        name = PurePosixPath(key).name
        found = _recognise(name, sensor)
        if found is None:
            continue
        its, role = found
        place = _product_folder(folder.url, key)
        scene_id = role.scene or PurePosixPath(place).name
        group = groups.setdefault((place, scene_id), _Group(scene_id, its, {}, {}, []))
        _add(group, role, Raster(folder=folder, key=key))
    _share_metadata(groups)
    scenes = [_scene(group, sun_elevation_deg, note) for group in groups.values() if group.bands]
    return sorted(scenes, key=lambda scene: (scene.time, scene.id))


def _finest_first(key: str) -> tuple[str, str]:
    """Sort Sentinel-2's copies of a band by resolution."""
    found = re.search(r"_(\d\d)m\.\w+$", key)
    return (found[1] if found else "", key)


def _recognise(name: str, sensor: Sensor | None) -> tuple[Sensor, Role] | None:
    for its in [sensor] if sensor else SENSORS.values():
        if (role := role_of(its, name, forced=sensor is not None)) is not None:
            return its, role
    return None


def _product_folder(url: str, key: str) -> str:
    """Return the folder of the product: the ``.SAFE`` folder, else the file's own."""
    whole = f"{url}/{key}"
    safe = re.match(r"(.*?\.SAFE)/", whole)
    return safe[1] if safe else str(PurePosixPath(whole).parent)


def _add(group: _Group, role: Role, raster: Raster) -> None:
    if role.kind == "metadata":
        group.metadata.append(raster)
        return
    (group.bands if role.kind == "band" else group.quality).setdefault(role.name, raster)


def _share_metadata(groups: Mapping[tuple[str, str], _Group]) -> None:
    """Give metadata that name no scene to the scenes of their folder."""
    for (place, _), group in groups.items():
        if group.bands or not group.metadata:
            continue
        for (other, _), its in groups.items():
            if other == place and its.bands and its.sensor is group.sensor:
                its.metadata.extend(group.metadata)


def _scene(group: _Group, sun_elevation_deg: float | None, note: list[str]) -> Scene:
    calibration = _calibration(group, note)
    bands = tuple(
        _band(group, name, raster, calibration, sun_elevation_deg) for name, raster in group.bands.items()
    )
    if group.sensor.sun and calibration is None and sun_elevation_deg is None:
        note.append(
            f"{group.id}: no MTL, so reflectance is not corrected for the sun's elevation "
            "(ratios such as NDVI do not change; --sun-elevation corrects it)"
        )
    first = next(iter(group.bands.values()))
    time = (calibration.time if calibration else "") or time_in(group.id) or time_in(first.url)
    quality = tuple(Quality(table=table, raster=raster) for table, raster in group.quality.items())
    return Scene(id=group.id, sensor=group.sensor.name, time=time, bands=bands, quality=quality)


def _calibration(group: _Group, note: list[str]) -> Calibration | None:
    for raster in group.metadata:
        try:
            text = raster.folder.read(raster.key).decode("utf-8")
            return sentinel2_mtd(text) if raster.key.endswith(".xml") else landsat_mtl(text)
        except (HelikonError, ValueError, KeyError) as error:
            raise InputError(f"metadata {raster.url} cannot be used", got=str(error)) from error
    if group.sensor.name == "sentinel2-l2a":
        return _sentinel2_without_metadata(group, note)
    return None


def _sentinel2_without_metadata(group: _Group, note: list[str]) -> Calibration:
    url = next(iter(group.bands.values())).url
    if found := re.search(r"_N(\d\d)(\d\d)_", url):
        offset = sentinel2_baseline_offset(int(found[1]) + int(found[2]) / 100)
    else:
        offset = 0.0
        note.append(
            f"{group.id}: no MTD_MSIL2A.xml and no baseline in the name, so reflectance is taken without "
            "the offset of -0.1 that baselines from 04.00 on have"
        )
    return Calibration(bands={"": (group.sensor.scale, offset)})


def _band(
    group: _Group,
    name: str,
    raster: Raster,
    calibration: Calibration | None,
    sun_elevation_deg: float | None,
) -> Band:
    sensor = group.sensor
    scale, offset = sensor.scales.get(name, (sensor.scale, sensor.offset))
    if calibration is not None:
        code = _code(raster.key)
        scale, offset = calibration.bands.get(code, calibration.bands.get("", (scale, offset)))
    elif sensor.sun and sun_elevation_deg is not None:
        sine = math.sin(math.radians(sun_elevation_deg))
        scale, offset = scale / sine, offset / sine
    return Band(
        name=name, raster=raster, scale=scale, offset=offset, nodata=sensor.nodata, valid=sensor.valid
    )


def _code(key: str) -> str:
    """Return the product's own code of a band, as its metadata have it: ``4``, ``8A``."""
    found = re.search(r"[-_/]?B(\d{1,2}|8A)(?=[-_.])", PurePosixPath(key).name)
    return found[1] if found else ""
