"""From what a user names to scenes: STAC documents, folders of products, lists of files."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from helikon.earth.files import group_files
from helikon.earth.scene import Raster, Scene
from helikon.earth.sensors import SENSORS, sensor_named
from helikon.earth.stac import items_of, read_document, scene_of
from helikon.errors import InputError, NotFound
from helikon.settings import Settings

if TYPE_CHECKING:
    from helikon.spark.objects import Folder

__all__ = ["find_scenes", "open_raster"]

_IMAGE = re.compile(r"\.(tiff?|jp2|vrt|img)$", re.IGNORECASE)
_DOCUMENT = re.compile(r"\.(json|geojson)$", re.IGNORECASE)


def find_scenes(
    sources: Sequence[str],
    settings: Settings,
    *,
    sensor: str = "",
    sun_elevation_deg: float | None = None,
) -> tuple[list[Scene], list[str]]:
    """Return the scenes that sources name, the earliest first, and notes on what was taken on trust.

    Parameters
    ----------
    sources : sequence of str
        Paths or URLs: a STAC item, collection or search result; a folder (or
        ``s3://`` prefix) of products; files.
    settings : Settings
        Say where object storage is.
    sensor : str
        Takes everything for this one's; empty finds it from the names.
    sun_elevation_deg : float, optional
        For Landsat Level 1 files without their MTL.

    Raises
    ------
    NotFound
        If there is no such file or folder.
    InputError
        If nothing in it is a scene of a sensor that is known.
    """
    forced = sensor_named(sensor) if sensor else None
    notes: list[str] = []
    scenes: list[Scene] = []
    files: list[tuple[Folder, str]] = []
    for source in sources:
        if _is_document(source):
            document = read_document(open_raster(source, settings))

            def open_url(url: str) -> Raster:
                return open_raster(url, settings)

            for item, base in items_of(document, _absolute(source), open_url):
                scenes.append(scene_of(item, base, open_url, sensor=forced, note=notes))
        else:
            files.extend(_files(source, settings))
    scenes += group_files(files, sensor=forced, sun_elevation_deg=sun_elevation_deg, note=notes)
    if not scenes:
        raise InputError(
            "no scene is found",
            got=", ".join(sources[:3]) + (" …" if len(sources) > 3 else ""),
            expected=f"files of {', '.join(SENSORS)}",
            next_step="name the sensor with --sensor, or give STAC items",
        )
    _refuse_twins(scenes)
    return sorted(scenes, key=lambda scene: (scene.time, scene.id)), notes


def open_raster(url: str, settings: Settings) -> Raster:
    """Say where a file lies: its folder and its key."""
    from helikon.spark.objects import open_folder

    folder, _, key = _absolute(url).rpartition("/")
    return Raster(folder=open_folder(folder or "/", settings), key=key)


def _absolute(url: str) -> str:
    scheme, sign, rest = url.partition("://")
    if sign and scheme != "file":
        return url
    return str(Path(rest if sign else url).expanduser().absolute())


def _is_document(source: str) -> bool:
    path = urlsplit(source).path if "://" in source else source
    if _DOCUMENT.search(path):
        return not path.upper().endswith("_MTL.JSON")
    return source.startswith(("http://", "https://")) and not _IMAGE.search(path)


def _files(source: str, settings: Settings) -> "list[tuple[Folder, str]]":
    from helikon.spark.objects import open_folder

    whole = _absolute(source)
    if Path(whole).is_file() or (whole.startswith(("s3://", "http")) and _IMAGE.search(whole)):
        raster = open_raster(whole, settings)
        metadata = [key for key in _metadata_of(raster.key) if raster.folder.exists(key)]
        return [(raster.folder, key) for key in [raster.key, *metadata]]
    folder = open_folder(whole, settings)
    if "://" not in whole and not Path(whole).is_dir():
        raise NotFound(f"there is no file or folder {source}")
    keys = [key for key in folder.list("") if not any(part.startswith(".") for part in key.split("/"))]
    if not keys:
        raise NotFound(f"there is nothing in {source}")
    return [(folder, key) for key in keys]


def _metadata_of(image: str) -> tuple[str, ...]:
    """Return what the Landsat metadata beside an image may be called; nothing for other images."""
    scene, n_cut = re.subn(r"_(?:SR_|ST_)?(?:B\d+|QA_PIXEL|BQA)\.\w+$", "", image)
    return (f"{scene}_MTL.txt", f"{scene}_MTL.json") if n_cut else ()


def _refuse_twins(scenes: Sequence[Scene]) -> None:
    seen: set[str] = set()
    for scene in scenes:
        if scene.id in seen:
            raise InputError(
                "two scenes have one name", got=scene.id, expected="each scene once", next_step="give it once"
            )
        seen.add(scene.id)
