"""DS9 region files: each shape is an entry; lines are kept and given a colour and tags."""

import dataclasses
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from helikon.errors import InputError
from helikon.space.catalogues.places import Places
from helikon.space.catalogues.region_marks import marks
from helikon.space.catalogues.shapes import places_of_shapes

__all__ = ["RegionCatalogue", "read_regions"]

FRAMES = {"image", "physical", "fk4", "b1950", "fk5", "j2000", "icrs", "galactic", "ecliptic"}
OTHER_FRAMES = {"linear", "amplifier", "detector", *(f"wcs{letter}" for letter in ("", *"abcdefghijklmnop"))}
SHAPES = ("circle", "ellipse", "box", "polygon", "point")
SHAPE = re.compile(rf"^\+?({'|'.join(SHAPES)})\b[\s(]", re.IGNORECASE)
OTHER = re.compile(r"^[+-]?[a-z]+\s*\(", re.IGNORECASE)
SEGMENT = re.compile(r"(?:\{[^}]*\}|\"[^\"=]*\"(?=\s|$)|'[^'=]*'(?=\s|$)|[^;])+")
COLOUR = re.compile(r"\bcolor\s*=\s*(#\w+|\w+)")


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
    places = places_of_shapes([region for _, _, region in shapes], path.name)
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
