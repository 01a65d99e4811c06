"""From the columns of a table to places: units, sexagesimal text, frames, axes."""

import dataclasses
import re
from typing import Any

import astropy.units as u
import numpy as np
import numpy.typing as npt
from astropy.coordinates import Angle
from astropy.table import Table

from helikon.errors import InputError
from helikon.space.catalogues.columns import (
    PIXELS,
    Pair,
    axes_columns,
    box_columns,
    plain_name,
    position_columns,
)
from helikon.space.catalogues.frames import named_frame, to_icrs
from helikon.space.catalogues.places import Places

__all__ = ["places_of_table"]

Double = npt.NDArray[np.float64]
EXPECTED = (
    "columns as ra and dec, RAJ2000 and DEJ2000, GLON and GLAT, x and y, or with UCD pos.eq.ra;meta.main"
)
DOTTED = re.compile(r"^\s*([+-]?\d+)\.(\d+)\.(\d+(?:\.\d*)?)\s*$")
"""Declinations of BBS and makesourcedb: -40.21.07.3."""
SEXAGESIMAL = re.compile(r"^\s*[+-]?\d+\s*[hd:\s]\s*\d+", re.IGNORECASE)


def places_of_table(table: Table, *, frame: str = "", equinox: str = "") -> Places:
    """Find where the rows of a table are.

    Parameters
    ----------
    table : astropy.table.Table
        Columns may have a unit, ``meta["ucd"]`` and ``meta["frame"]``.
    frame, equinox : str
        Of the whole table, where the file says one; see ``frames.named_frame``.

    Raises
    ------
    InputError
        If no two columns look like a position.
    """
    pair = position_columns(table)
    if pair is None:
        raise InputError("the catalogue has no positions", got=_shown(table.colnames), expected=EXPECTED)
    if pair.frame == PIXELS:
        x, y = (_numbers(table[name]) - pair.first_pixel for name in (pair.first, pair.second))
        places = Places.at(x, y, in_pixels=True)
    else:
        places = _on_sky(table, pair, frame, equinox)
    if len(places) and not np.isfinite(places.x).any():
        shown = ", ".join(str(table[name][0]) for name in (pair.first, pair.second))
        raise InputError(
            "no entry of the catalogue has a position",
            got=f"{shown} in columns {pair.first} and {pair.second}",
            expected="degrees or sexagesimal text",
        )
    return _with_shapes(table, places)


def _on_sky(table: Table, pair: Pair, frame: str, equinox: str) -> Places:
    longitude = _degrees(table[pair.first], hours=not pair.frame.startswith("gal"))
    latitude = _degrees(table[pair.second], hours=False)
    said = str(table[pair.first].meta.get("frame") or "")
    system = pair.frame if pair.frame in {"galactic", "fk4"} else said or frame or pair.frame
    ra, dec = to_icrs(longitude, latitude, named_frame(system, "" if said else equinox))
    return Places.at(ra, dec, in_pixels=False)


def _with_shapes(table: Table, places: Places) -> Places:
    if box := box_columns(table):
        low_x, high_x, low_y, high_y = (_numbers(table[name]) for name in box)
        corners = np.stack([low_x, low_y, high_x, low_y, high_x, high_y, low_x, high_y], axis=1)
        outlines = tuple((row.reshape(4, 2),) if np.isfinite(row).all() else () for row in corners)
        places = dataclasses.replace(places, outlines=outlines, outlines_in_pixels=True)
    axes = axes_columns(table)
    if axes is None or places.in_pixels:
        return places
    default = u.deg if any(plain_name(name)[0] == "dc_maj" for name in table.colnames) else u.arcsec
    major, minor = (_in_unit(table[name], u.arcsec, default) for name in axes[:2])
    usable = (major > 0) & (minor > 0) & np.isfinite(major) & np.isfinite(minor)
    angle = _in_unit(table[axes[2]], u.deg, u.deg)
    return dataclasses.replace(
        places,
        major=np.where(usable, np.fmax(major, minor), np.nan),
        minor=np.where(usable, np.fmin(major, minor), np.nan),
        angle=np.where(usable & np.isfinite(angle), angle, 0.0),
    )


def _degrees(column: Any, *, hours: bool) -> Double:
    """Numbers in any unit of angle, or sexagesimal text, as degrees; NaN for neither."""
    if column.dtype.kind in "fiu":
        unit = _unit(column)
        return _in_unit(column, u.deg, u.deg) if unit is None else _in_unit(column, u.deg, unit)
    texts = [_text(value) for value in column]
    sexagesimal = any(SEXAGESIMAL.match(text) for text in texts)
    unit = u.hourangle if hours and sexagesimal and not any("d" in text.lower() for text in texts) else u.deg
    return np.array([_angle(text, unit) for text in texts], dtype=np.float64)


def _angle(text: str, unit: Any) -> float:
    text = DOTTED.sub(r"\1:\2:\3", text)
    try:
        return float(text) if not SEXAGESIMAL.match(text) else float(Angle(text, unit=unit).deg)
    except (ValueError, u.UnitsError):
        return float("nan")


def _text(value: Any) -> str:
    if np.ma.is_masked(value):
        return ""
    return value.decode("ascii", "replace").strip() if isinstance(value, bytes) else str(value).strip()


def _unit(column: Any) -> Any:
    """Unit of a column as it says or as its name does; None without one or with an odd one."""
    for said in (getattr(column, "unit", None), plain_name(column.name)[1]):
        if not said:
            continue
        word = str(said).strip().lower()
        if word in {"h", "hr", "hour", "hours", "hourangle"}:
            return u.hourangle
        unit = u.Unit({"degree": "deg", "degrees": "deg"}.get(word, str(said)), parse_strict="silent")
        if unit.is_equivalent(u.deg) and unit != u.dimensionless_unscaled:
            return unit
    return None


def _in_unit(column: Any, wanted: Any, default: Any) -> Double:
    unit = _unit(column) or default
    return np.asarray(_numbers(column) * unit.to(wanted))


def _numbers(column: Any) -> Double:
    """Values of a column as doubles; NaN where masked or no number."""
    values = np.ma.asarray(getattr(column, "value", column))
    if values.dtype.kind in "fiu":
        return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))
    return np.array([_angle(_text(value), u.deg) for value in values], dtype=np.float64)


def _shown(names: list[str]) -> str:
    if not names:
        return "no columns"
    return "columns " + ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
