"""How the files of each product are recognised, and how their numbers become reflectance; pure.

A :class:`Sensor` is a table: which file is which band, by patterns of names,
and the product's own scale and offset. Bands have the common names of the
STAC extension *eo*: ``red``, ``nir``, ``swir16``.
"""

import dataclasses
import re
from collections.abc import Mapping

from helikon.errors import InputError

__all__ = ["SENSORS", "Role", "Sensor", "role_of", "sensor_named"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """One product.

    Attributes
    ----------
    name : str
        For ``--sensor``.
    title : str
        What it is, in words.
    files : Mapping[str, str]
        Regular expression on a file's name to what it holds: ``band NAME``,
        ``qa TABLE`` or ``metadata``. A group named ``scene`` is what the
        files of one scene have in common; without it, the name less the match.
    scale, offset : float
        Reflectance (or index) is ``number × scale + offset``.
    nodata : float
        The number that means no observation.
    valid : tuple of float
        Least and greatest number that is an observation.
    scales : Mapping[str, tuple of float]
        Bands with a scale and offset of their own.
    others : tuple of str
        Bands that are there but not taken unless asked for: another
        resolution, or no reflectance.
    sun : bool
        Whether reflectance must still be divided by the sine of the sun's elevation.
    sign : str
        Regular expression that the name must also match, unless the sensor is forced.
    """

    name: str
    title: str
    files: Mapping[str, str]
    scale: float
    offset: float = 0.0
    nodata: float = 0.0
    valid: tuple[float, float] = (1, 65535)
    scales: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    others: tuple[str, ...] = ()
    sun: bool = False
    sign: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a file is: ``kind`` is band, qa or metadata; ``name`` the band or table; ``scene`` its scene."""

    kind: str
    name: str
    scene: str


_OLI = {
    1: "coastal",
    2: "blue",
    3: "green",
    4: "red",
    5: "nir",
    6: "swir16",
    7: "swir22",
    8: "pan",
    9: "cirrus",
    10: "lwir11",
    11: "lwir12",
}
_MSI = {
    "01": "coastal",
    "02": "blue",
    "03": "green",
    "04": "red",
    "05": "rededge1",
    "06": "rededge2",
    "07": "rededge3",
    "08": "nir",
    "8A": "nir08",
    "09": "nir09",
    "11": "swir16",
    "12": "swir22",
}
_MODIS = {1: "red", 2: "nir", 3: "blue", 4: "green", 5: "swir12", 6: "swir16", 7: "swir22"}
_IMAGE = r"\.(?i:tiff?|jp2|vrt|img)$"


def _landsat_files(product: str, infix: str, qa: Mapping[str, str]) -> dict[str, str]:
    files = {rf"^(?P<scene>{product})_{infix}B{n}{_IMAGE}": f"band {name}" for n, name in _OLI.items()}
    if not infix:
        files = {pattern: meaning for pattern, meaning in files.items() if "lwir" not in meaning}
    files |= {rf"^(?P<scene>{product})_{suffix}{_IMAGE}": f"qa {table}" for suffix, table in qa.items()}
    return files | {rf"^(?P<scene>{product})_MTL\.(?:txt|json)$": "metadata"}


def _loose_landsat_files() -> dict[str, str]:
    start = r"^L[CO]?0?[89](?=[-_])"
    files = {
        rf"{start}.*?(?P<cut>[-_]B{n})(?=[-_.]).*{_IMAGE}": f"band {name}"
        for n, name in _OLI.items()
        if "lwir" not in name
    }
    files[rf"{start}.*?(?P<cut>[-_]QA_PIXEL)(?=[-_.]).*{_IMAGE}"] = "qa landsat-c2"
    files[rf"{start}.*?(?P<cut>[-_]BQA)(?=[-_.]).*{_IMAGE}"] = "qa landsat-c1"
    return files | {rf"{start}.*?(?P<cut>[-_]MTL)\.(?:txt|json)$": "metadata"}


_C2, _C1 = (
    r"L[CO]0[89]_{}\w{{2}}_\d{{6}}_\d{{8}}_\d{{8}}_02_\w\w",
    r"L[CO]08_L1\w\w_\d{6}_\d{8}_\d{8}_01_\w\w",
)
_THERMAL = ("pan", "cirrus", "lwir11", "lwir12")

SENSORS: Mapping[str, Sensor] = {
    sensor.name: sensor
    for sensor in (
        Sensor(
            name="landsat-c2-l2",
            title="Landsat 8 and 9 Collection 2 Level 2, surface reflectance",
            files=_landsat_files(_C2.format("L2"), "(?:SR|ST)_", {"QA_PIXEL": "landsat-c2"}),
            scale=2.75e-5,
            offset=-0.2,
            scales={"lwir11": (0.00341802, 149.0)},
            others=_THERMAL,
        ),
        Sensor(
            name="landsat-l1",
            title="Landsat 8 and 9 Level 1, reflectance at the top of the atmosphere",
            files=_landsat_files(_C2.format("L1"), "", {"QA_PIXEL": "landsat-c2"})
            | _landsat_files(_C1, "", {"BQA": "landsat-c1"})
            | _landsat_files(r"L[CO]8\d{13}[A-Z]{3}\d{2}", "", {"BQA": "landsat-pre"})
            | _loose_landsat_files(),
            scale=2e-5,
            offset=-0.1,
            others=_THERMAL,
            sun=True,
        ),
        Sensor(
            name="sentinel2-l2a",
            title="Sentinel-2 Level 2A, surface reflectance",
            files={
                rf"^(?P<scene>T\d{{2}}\w{{3}}_\d{{8}}T\d{{6}})_B{code}(?:_\d\dm)?{_IMAGE}": f"band {name}"
                for code, name in _MSI.items()
            }
            | {rf"^(?P<scene>T\d{{2}}\w{{3}}_\d{{8}}T\d{{6}})_SCL(?:_\d\dm)?{_IMAGE}": "qa s2-scl"}
            | {rf"(?P<cut>(?:^|_)B{code}){_IMAGE}": f"band {name}" for code, name in _MSI.items()}
            | {rf"(?P<cut>(?:^|_)SCL){_IMAGE}": "qa s2-scl", r"^MTD_MSIL2A\.xml$": "metadata"},
            scale=1e-4,
            others=("coastal", "nir09"),
        ),
        Sensor(
            name="modis-vi",
            title="MODIS MOD13 and MYD13, vegetation indices and reflectance of 16 days",
            files={
                rf"(?P<cut>_(?:\d+m_16_days_)?{key}(?=[_.])).*{_IMAGE}": value
                for key, value in (
                    ("NDVI", "band ndvi"),
                    ("EVI", "band evi"),
                    ("red_reflectance", "band red"),
                    ("NIR_reflectance", "band nir"),
                    ("blue_reflectance", "band blue"),
                    ("MIR_reflectance", "band swir22"),
                    ("VI_Quality", "qa modis-vi"),
                    ("pixel_reliability", "qa modis-reliability"),
                )
            },
            scale=1e-4,
            nodata=-3000,
            valid=(-2000, 10000),
            sign=r"M[OY]D13|MODIS",
        ),
        Sensor(
            name="modis-reflectance",
            title="MODIS MOD09 and MYD09, surface reflectance",
            files={
                rf"(?P<cut>_?sur_refl_b0{n}(?:_1)?(?=[_.])).*{_IMAGE}": f"band {name}"
                for n, name in _MODIS.items()
            }
            | {rf"(?P<cut>_?(?:sur_refl_)?state_(?:500m|1km)(?:_1)?(?=[_.])).*{_IMAGE}": "qa modis-state"},
            scale=1e-4,
            nodata=-28672,
            valid=(-100, 16000),
        ),
        Sensor(
            name="modis-brdf",
            title="MODIS MCD43A4, nadir reflectance",
            files={
                rf"(?P<cut>_?Nadir_Reflectance_Band{n}(?=[_.])).*{_IMAGE}": f"band {name}"
                for n, name in _MODIS.items()
            }
            | {r"(?P<cut>_?BRDF_Albedo_Band_Mandatory_Quality_Band1(?=[_.])).*" + _IMAGE: "qa modis-brdf"},
            scale=1e-4,
            nodata=32767,
            valid=(0, 32766),
        ),
    )
}
"""All sensors by name, the strictest first."""


def sensor_named(name: str) -> Sensor:
    """Return a sensor.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in SENSORS:
        raise InputError("there is no such sensor", got=repr(name), expected=f"one of {', '.join(SENSORS)}")
    return SENSORS[name]


def role_of(sensor: Sensor, file_name: str, *, forced: bool = False) -> Role | None:
    """Return what a file is to a sensor, by its name; None if it is not the sensor's."""
    if not forced and not re.search(sensor.sign, file_name):
        return None
    for pattern, meaning in sensor.files.items():
        found = re.search(pattern, file_name)
        if found is None:
            continue
        kind, _, name = meaning.partition(" ")
        groups = found.groupdict()
        if "scene" in groups:
            return Role(kind=kind, name=name, scene=found["scene"])
        stem = file_name[: found.start("cut")] + file_name[found.end("cut") :] if "cut" in groups else ""
        return Role(kind=kind, name=name, scene=re.sub(r"\.\w+$", "", stem).strip("_-."))
    return None
