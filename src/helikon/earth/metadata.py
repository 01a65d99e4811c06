"""What the products' own metadata files say: Landsat's MTL, Sentinel-2's MTD; and times in names. Pure."""

import dataclasses
import datetime
import json
import math
import re
from collections.abc import Mapping
from xml.etree import ElementTree

from helikon.errors import InputError

__all__ = ["Calibration", "landsat_mtl", "sentinel2_baseline_offset", "sentinel2_mtd", "time_in"]

_MSI_ORDER = ("01", "02", "03", "04", "05", "06", "07", "08", "8A", "09", "10", "11", "12")
"""Of ``band_id`` in the metadata of Sentinel-2."""
_FIRST_BASELINE_WITH_OFFSET = 4.0
_BOA_OFFSET = -1000.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What a metadata file says of a scene.

    Attributes
    ----------
    bands : Mapping[str, tuple of float]
        The product's own code of a band (``4``, ``8A``) to scale and offset.
    time : str
        ISO 8601 in UTC; empty if it says none.
    """

    bands: Mapping[str, tuple[float, float]]
    time: str = ""


def landsat_mtl(text: str) -> Calibration:
    """Read a Landsat Level 1 or Level 2 MTL file, as text or JSON.

    Level 1: reflectance at the top of the atmosphere is (M·DN + A) / sin(sun
    elevation), Landsat 8-9 Data Users Handbook (LSDS-1574), section 5.
    Level 2: surface reflectance is M·DN + A.

    Raises
    ------
    InputError
        If it holds no rescaling of reflectance.
    """
    groups = _mtl_groups(text)
    level2 = groups.get("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", {})
    level1 = groups.get("LEVEL1_RADIOMETRIC_RESCALING") or groups.get("RADIOMETRIC_RESCALING", {})
    values = level2 or level1
    every = {key: value for group in groups.values() for key, value in group.items()}
    found = {}
    for key, value in values.items():
        if match := re.fullmatch(r"REFLECTANCE_MULT_BAND_(\d+)", key):
            found[match[1]] = (float(value), float(values[f"REFLECTANCE_ADD_BAND_{match[1]}"]))
    if not found:
        raise InputError("an MTL file holds no rescaling", expected="REFLECTANCE_MULT_BAND_1 and so on in it")
    if not level2:
        sine = math.sin(math.radians(float(every["SUN_ELEVATION"])))
        if sine <= 0:
            raise InputError("the scene was taken at night", got=f"SUN_ELEVATION {every['SUN_ELEVATION']}")
        found = {code: (scale / sine, offset / sine) for code, (scale, offset) in found.items()}
    date, time = every.get("DATE_ACQUIRED", ""), every.get("SCENE_CENTER_TIME", "")
    return Calibration(bands=found, time=f"{date}T{time[:8]}Z" if date and time else date)


def _mtl_groups(text: str) -> dict[str, dict[str, str]]:
    if text.lstrip().startswith("{"):
        return _json_groups(json.loads(text))
    groups: dict[str, dict[str, str]] = {}
    current = ""
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition("="))
        if key == "GROUP":
            current = value
        elif key and key != "END_GROUP" and value:
            groups.setdefault(current, {})[key] = value.strip('"')
    return groups


def _json_groups(value: Mapping[str, object], name: str = "") -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            groups |= _json_groups(inner, key)
        else:
            groups.setdefault(name, {})[key] = str(inner)
    return groups


def sentinel2_mtd(text: str) -> Calibration:
    """Read ``MTD_MSIL2A.xml``: quantification, the offsets of baseline 04.00 on, and the time.

    Raises
    ------
    InputError
        If it is no such file.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(
            "MTD_MSIL2A.xml cannot be read", got=str(error), expected="Sentinel-2 metadata"
        ) from error
    values: dict[str, str] = {}
    offsets: dict[str, float] = {}
    for element in root.iter():
        tag, said = element.tag.rpartition("}")[2], (element.text or "").strip()
        if tag == "BOA_ADD_OFFSET":
            offsets[_MSI_ORDER[int(element.attrib["band_id"])]] = float(said)
        else:
            values.setdefault(tag, said)
    if "BOA_QUANTIFICATION_VALUE" not in values:
        raise InputError("MTD_MSIL2A.xml is no metadata of Level 2A", expected="BOA_QUANTIFICATION_VALUE")
    unit = float(values["BOA_QUANTIFICATION_VALUE"])
    bands = {code: (1 / unit, offsets.get(code, 0.0) / unit) for code in _MSI_ORDER}
    return Calibration(bands=bands, time=values.get("PRODUCT_START_TIME", "")[:19].rstrip("Z") + "Z")


def sentinel2_baseline_offset(baseline: float) -> float:
    """Return the offset of reflectance of a processing baseline: -0.1 from 04.00 on, else 0."""
    return _BOA_OFFSET / 10000.0 if baseline >= _FIRST_BASELINE_WITH_OFFSET else 0.0


_TIMES = (
    (r"(?<!\d)(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?!\d)", "%Y%m%d%H%M%S"),
    (r"(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)", "%Y%m%d"),
    (r"(?:^|[._])A(\d{4})(\d{3})(?!\d)", "%Y%j"),
    (r"doy(\d{4})(\d{3})(?!\d)", "%Y%j"),
    (r"L[CO]8\d{6}(\d{4})(\d{3})", "%Y%j"),
    (r"(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)", "%Y%m%d"),
)


def time_in(name: str) -> str:
    """Return the first time or date in a file's name as ISO 8601; empty if there is none."""
    for pattern, form in _TIMES:
        if found := re.search(pattern, name):
            try:
                moment = datetime.datetime.strptime("".join(found.groups()), form)
            except ValueError:
                continue
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if "%H" in form else "%Y-%m-%d")
    return ""
