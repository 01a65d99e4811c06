"""Which columns of a table hold positions and shapes, by UCD first and then by name."""

import dataclasses
import re
from collections.abc import Iterable

from astropy.table import Table

__all__ = ["Pair", "axes_columns", "box_columns", "plain_name", "position_columns"]

GALACTIC = "galactic"
PIXELS = "pixels"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two columns that make a position, and its frame: a name, ``pixels``, or empty for none said."""

    first: str
    second: str
    frame: str = ""
    first_pixel: int = 0


SKY_NAMES = (
    ("ra", "dec", ""), ("raj2000", "dej2000", "fk5"), ("_raj2000", "_dej2000", "fk5"),
    ("ra_icrs", "de_icrs", "icrs"), ("ra_icrs", "dec_icrs", "icrs"), ("ra_j2000", "dec_j2000", "fk5"),
    ("raj2000", "decj2000", "fk5"), ("ra_deg", "dec_deg", ""), ("ra_deg_cont", "dec_deg_cont", ""),
    ("radeg", "dedeg", ""), ("radeg", "decdeg", ""), ("x_wcs", "y_wcs", ""),
    ("alpha_j2000", "delta_j2000", "fk5"), ("right_ascension", "declination", ""),
    ("alpha", "delta", ""), ("ra", "de", ""), ("ra", "decl", ""), ("ra_hms_cont", "dec_dms_cont", ""),
    ("ra_str", "dec_str", ""), ("ra_hms", "dec_dms", ""), ("rahms", "decdms", ""),
    ("rab1950", "deb1950", "fk4"), ("ra_b1950", "dec_b1950", "fk4"), ("ra1950", "dec1950", "fk4"),
    ("glon", "glat", GALACTIC), ("gal_lon", "gal_lat", GALACTIC), ("l", "b", GALACTIC),
)  # fmt: skip
"""PyBDSF, Aegean, VizieR, Selavy, CAESAR, SExtractor and the usual."""
PIXEL_NAMES = (
    ("x", "y", 0), ("xposn", "yposn", 0), ("x_pix", "y_pix", 0), ("xcentroid", "ycentroid", 0),
    ("x_centroid", "y_centroid", 0), ("x_ave", "y_ave", 0), ("x_cen", "y_cen", 0), ("x_image", "y_image", 1),
)  # fmt: skip
"""CAESAR, sep and Helikon, PyBDSF, photutils, Selavy; SExtractor counts from 1."""
SKY_UCDS = (
    ("pos.eq.ra;meta.main", "pos.eq.dec;meta.main", ""), ("pos_eq_ra_main", "pos_eq_dec_main", ""),
    ("pos.galactic.lon;meta.main", "pos.galactic.lat;meta.main", GALACTIC),
)  # fmt: skip
LOOSE_UCDS = (
    ("pos.eq.ra", "pos.eq.dec", ""), ("pos.galactic.lon", "pos.galactic.lat", GALACTIC),
    ("pos_gal_lon", "pos_gal_lat", GALACTIC),
)  # fmt: skip
AXES_NAMES = (
    ("bmaj_wcs", "bmin_wcs", "pa_wcs"), ("maj", "min", "pa"), ("a", "b", "pa"),
    ("maj_axis", "min_axis", "pos_ang"), ("major", "minor", "pa"), ("bmaj", "bmin", "bpa"),
    ("maj_axis_fit", "min_axis_fit", "pos_ang_fit"),
)  # fmt: skip
"""CAESAR (its ``bmaj`` is in pixels), PyBDSF, Aegean, Selavy, Helikon, FIRST."""
BOX_NAMES = (("xmin", "xmax", "ymin", "ymax"), ("x_min", "x_max", "y_min", "y_max"))
_UNIT_AFTER = re.compile(r"^(.*?)\s*[\(\[]([^()\[\]]*)[\)\]]$")


def plain_name(name: str) -> tuple[str, str]:
    """Part ``x_wcs(deg)`` or ``ra [deg]`` into the name, in lower case without ``col_``, and the unit."""
    match = _UNIT_AFTER.match(name.strip())
    plain, unit = match.groups() if match else (name.strip(), "")
    return plain.lower().removeprefix("col_"), unit.strip()


def position_columns(table: Table) -> Pair | None:
    """Return the columns of the position; None if nothing looks like one."""
    ucds = _by_ucd(table)
    names = {plain_name(name)[0]: name for name in reversed(table.colnames)}
    for pairs, known in ((SKY_UCDS, ucds), (SKY_NAMES, names), (LOOSE_UCDS, ucds)):
        for first, second, frame in pairs:
            if first in known and second in known:
                return Pair(first=known[first], second=known[second], frame=frame)
    for first, second, origin in PIXEL_NAMES:
        if first in names and second in names:
            return Pair(first=names[first], second=names[second], frame=PIXELS, first_pixel=origin)
    return None


def axes_columns(table: Table) -> tuple[str, str, str] | None:
    """Return the columns of major axis, minor axis and position angle, as observed."""
    found = _first(table, AXES_NAMES)
    return (found[0], found[1], found[2]) if found else None


def box_columns(table: Table) -> tuple[str, str, str, str] | None:
    """Return the columns of a bounding box in pixels: least and greatest x, then y."""
    found = _first(table, BOX_NAMES)
    return (found[0], found[1], found[2], found[3]) if found else None


def _first(table: Table, wanted: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    names = {plain_name(name)[0]: name for name in reversed(table.colnames)}
    for group in wanted:
        if all(name in names for name in group):
            return tuple(names[name] for name in group)
    return ()


def _by_ucd(table: Table) -> dict[str, str]:
    """Map UCDs, in lower case, to the first column that has each."""
    found: dict[str, str] = {}
    for name in reversed(table.colnames):
        ucd = str(table[name].meta.get("ucd") or "").strip().lower()
        if ucd:
            found[ucd] = name
    return found
