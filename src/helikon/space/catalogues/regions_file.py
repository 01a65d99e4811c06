"""DS9 region files: each shape is an entry; lines are kept and given a colour and tags."""

import dataclasses
import re
import warnings
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table

from helikon.errors import InputError
from helikon.space.catalogues.places import Outline, Places
from helikon.space.catalogues.region_marks import marks

__all__ = ["RegionCatalogue", "read_regions"]

FRAMES = {"image", "physical", "fk4", "b1950", "fk5", "j2000", "icrs", "galactic", "ecliptic"}
OTHER_FRAMES = {"linear", "amplifier", "detector", *(f"wcs{letter}" for letter in ("", *"abcdefghijklmnop"))}
SHAPES = ("circle", "ellipse", "box", "polygon", "point")
SHAPE = re.compile(rf"^\+?({'|'.join(SHAPES)})\b[\s(]", re.IGNORECASE)
OTHER = re.compile(r"^[+-]?[a-z]+\s*\(", re.IGNORECASE)
SEGMENT = re.compile(r"(?:\{[^}]*\}|\"[^\"=]*\"(?=\s|$)|'[^'=]*'(?=\s|$)|[^;])+")
COLOUR = re.compile(r"\bcolor\s*=\s*(#\w+|\w+)")
CORNERS = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
"""Of a box of unit sides."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RegionCatalogue:
    """The parts of a region file in their order, and which of them are entries."""

    kind: str
    suffix: str
    table: Table
    places: Places
    lines: tuple[str, ...]
    rows: tuple[int, ...]

    def write(self, added: Table, path: Path) -> None:
        """Write the file with each shape coloured and tagged by its class and galaxy."""
        lines = list(self.lines)
        for row, (colour, tags) in zip(self.rows, marks(added), strict=True):
            lines[row] = _marked(lines[row], colour, tags)
        path.write_text("\n".join([*lines, ""]), encoding="utf-8", errors="surrogateescape")


def read_regions(path: Path) -> RegionCatalogue:
    """Read the circles, ellipses, boxes, polygons and points of a region file.

    Raises
    ------
    InputError
        If a shape cannot be read; says which line.
    """
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    frame, parts, shapes = "image", list[str](), list[tuple[int, str, Any]]()
    for number, line in enumerate(text.splitlines(), start=1):
        for part in _segments(line):
            word = part.strip().lower()
            if word in FRAMES:
                frame = word
            elif word in OTHER_FRAMES:
                raise InputError(
                    f"line {number} of {path.name} names a frame that cannot be read",
                    got=word,
                    expected=", ".join(sorted(FRAMES)),
                    next_step="save the regions from DS9 in one of these",
                )
            elif SHAPE.match(part.strip()):
                shapes.append((len(parts), frame, _region(part.strip(), frame, path.name, number)))
            parts.append(part)
    if not shapes and (other := [part for part in parts if OTHER.match(part.strip())]):
        raise InputError(
            f"{path.name} has no shape that could be an entry",
            got=repr(other[0][:40]),
            expected=", ".join(SHAPES),
            next_step="give the table of the catalogue instead",
        )
    places = _places([region for _, _, region in shapes], path.name)
    return RegionCatalogue(
        kind="DS9 regions",
        suffix=".reg",
        table=_table(shapes, places),
        places=places,
        lines=tuple(parts),
        rows=tuple(row for row, _, _ in shapes),
    )


def _segments(line: str) -> list[str]:
    """Part a line at semicolons; a comment or a plain line stays whole."""
    if line.lstrip().startswith(("#", "global")) or ";" not in line:
        return [line]
    return [part.strip() for part in SEGMENT.findall(line) if part.strip()]


def _region(part: str, frame: str, name: str, line: int) -> Any:
    from regions import Regions

    shown = {"physical": "image", "b1950": "fk4", "j2000": "fk5"}.get(frame, frame)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Regions.parse(f"{shown}\n{part}\n", format="ds9")[0]
    except Exception as error:  # the parser has no error of its own
        raise InputError(
            f"line {line} of {name} cannot be read", got=repr(part[:60]), expected="a region as DS9 writes it"
        ) from error


def _places(shapes: list[Any], name: str) -> Places:
    on_sky = {_is_sky(shape) for shape in shapes}
    if len(on_sky) > 1:
        raise InputError(
            f"{name} has shapes on the sky and in pixels",
            expected="one kind of coordinates",
            next_step="save the regions from DS9 in one frame",
        )
    places = [_place(shape) for shape in shapes]
    x, y, major, minor, angle = (np.array([place[i] for place in places], dtype=float) for i in range(5))
    in_pixels = on_sky == {False}
    return dataclasses.replace(
        Places.at(x, y, in_pixels=in_pixels),
        major=major,
        minor=minor,
        angle=angle,
        outlines=tuple(_outline(shape) for shape in shapes),
        outlines_in_pixels=in_pixels,
    )


def _is_sky(shape: Any) -> bool:
    return type(shape).__name__.endswith("SkyRegion")


def _place(shape: Any) -> tuple[float, float, float, float, float]:
    """Position, and for ellipses and circles on the sky the axes, which DS9 has as halves of widths."""
    nan = float("nan")
    if hasattr(shape, "vertices"):
        x, y = _middle(shape.vertices)
    elif _is_sky(shape):
        centre = shape.center.icrs
        x, y = float(centre.ra.deg), float(centre.dec.deg)
    else:
        x, y = float(shape.center.x), float(shape.center.y)
    if _is_sky(shape) and hasattr(shape, "radius"):
        width = 2 * float(shape.radius.to_value("arcsec"))
        return x, y, width, width, 0.0
    if type(shape).__name__ == "EllipseSkyRegion":
        width, height = (float(side.to_value("arcsec")) for side in (shape.width, shape.height))
        angle = float(shape.angle.to_value("deg")) - 90
        return x, y, max(width, height), min(width, height), angle if width >= height else angle + 90
    return x, y, nan, nan, nan


def _middle(vertices: Any) -> tuple[float, float]:
    if isinstance(vertices, SkyCoord):
        unit = vertices.icrs.cartesian.mean()
        centre = SkyCoord(unit, frame="icrs", representation_type="cartesian").spherical
        return float(centre.lon.deg), float(centre.lat.deg)
    return float(np.mean(vertices.x)), float(np.mean(vertices.y))


def _outline(shape: Any) -> Outline:
    if hasattr(shape, "vertices"):
        corners = shape.vertices
        if isinstance(corners, SkyCoord):
            return (np.stack([corners.icrs.ra.deg, corners.icrs.dec.deg], axis=1),)
        return (np.stack([np.asarray(corners.x, float), np.asarray(corners.y, float)], axis=1),)
    if _is_sky(shape):
        return _sky_box(shape) if type(shape).__name__ == "RectangleSkyRegion" else ()
    return _pixel_outline(shape)


def _sky_box(shape: Any) -> Outline:
    sides = np.array([side.to_value("deg") for side in (shape.width, shape.height)])
    west, north = _turned(CORNERS * sides, float(shape.angle.to_value("rad"))).T
    corners = shape.center.icrs.spherical_offsets_by(-west * u.deg, north * u.deg)
    return (np.stack([corners.ra.deg, corners.dec.deg], axis=1),)


def _pixel_outline(shape: Any) -> Outline:
    if hasattr(shape, "radius"):
        sides, unit = np.array([2 * shape.radius] * 2), _CIRCLE
    elif hasattr(shape, "width"):
        sides = np.array([shape.width, shape.height])
        unit = CORNERS if type(shape).__name__.startswith("Rectangle") else _CIRCLE
    else:
        return ()
    angle = float(shape.angle.to_value("rad")) if hasattr(shape, "angle") else 0.0
    return (_turned(unit * sides, angle) + np.array([shape.center.x, shape.center.y]),)


def _turned(points: Any, angle: float) -> Any:
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    return points @ turn


def _table(shapes: list[tuple[int, str, Any]], places: Places) -> Table:
    first, second = ("x", "y") if places.in_pixels else ("ra", "dec")
    texts = {
        "name": [str(region.meta.get("text", "")) for _, _, region in shapes],
        "shape": [
            re.sub(r"(Sky|Pixel)Region$", "", type(region).__name__).lower() for _, _, region in shapes
        ],
        "frame": [frame for _, frame, _ in shapes],
        "tags": [" ".join(map(str, region.meta.get("tag", []))) for _, _, region in shapes],
    }
    table = Table({key: np.array(values, dtype=str) for key, values in texts.items()})
    table[first], table[second] = places.x, places.y
    if not places.in_pixels:
        for name, part in (("ra", "ra"), ("dec", "dec")):
            table[name].unit, table[name].meta["ucd"] = "deg", f"pos.eq.{part};meta.main"
    return table


def _marked(line: str, colour: str, tags: list[str]) -> str:
    shape, sign, after = line.partition("#")
    after = COLOUR.sub("", after).strip() if sign else ""
    words = [f"color={colour}", *(f"tag={{{tag}}}" for tag in tags)]
    return f"{shape.rstrip()} # {' '.join(filter(None, [after, *words]))}"


_ROUND = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack([np.cos(_ROUND), np.sin(_ROUND)], axis=1) / 2
