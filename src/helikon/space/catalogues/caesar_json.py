"""CAESAR's JSON: its sources, with slots for a class and its score."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import Column, MaskedColumn, Table

from helikon.errors import InputError
from helikon.space.catalogues.added import without_prefix
from helikon.space.catalogues.places import Outline, Places
from helikon.space.catalogues.positions import places_of_table

__all__ = ["CaesarJson", "read_caesar_json"]

Double = npt.NDArray[np.float64]
BOX = ("xmin", "xmax", "ymin", "ymax")
SLOTS = {"class": "class_label", "class_prob": "class_score"}
"""Added columns that have a slot of CAESAR's own."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CaesarJson:
    """The document; each of its sources is a row."""

    kind: str
    suffix: str
    table: Table
    places: Places
    text: str

    def write(self, added: Table, path: Path) -> None:
        """Write the document with class, score and tags filled in, and the rest under ``helikon``."""
        document = json.loads(self.text)
        for row, source in enumerate(document["sources"]):
            values = {without_prefix(name): _json(added[name], row) for name in added.colnames}
            for name, slot in SLOTS.items():
                if values[name] is not None:
                    source[slot] = values[name]
            source["tags"] = _tags(source.get("tags"), values)
            source["helikon"] = values
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def read_caesar_json(path: Path, frame: str = "") -> CaesarJson:
    """Read the sources of CAESAR's full JSON.

    Parameters
    ----------
    path : Path
    frame : str
        Of positions whose frame the file does not say; see ``frames.named_frame``.

    Raises
    ------
    InputError
        If it is cut short or no such document.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text)
    except ValueError as error:
        raise InputError(
            f"{path.name} cannot be read as JSON", got=str(error), expected="a whole document"
        ) from error
    sources = document.get("sources") if isinstance(document, dict) else None
    if not isinstance(sources, list) or not all(isinstance(source, dict) for source in sources):
        found = ", ".join(document) if isinstance(document, dict) else type(document).__name__
        raise InputError(
            f"{path.name} is no catalogue of CAESAR", got=found[:80], expected="a list named sources"
        )
    table = _table(sources)
    places = Places.at(np.empty(0), np.empty(0), in_pixels=False)
    if sources:
        places = places_of_table(table, frame=frame)
    outlines = tuple(_outline(source) for source in sources)
    return CaesarJson(
        kind="CAESAR sources, JSON",
        suffix=".json",
        table=table,
        places=dataclasses.replace(places, outlines=outlines, outlines_in_pixels=True),
        text=text,
    )


def _table(sources: list[dict[str, Any]]) -> Table:
    """Make a column of every value of the sources that is a word or a number."""
    names = dict.fromkeys(
        key for s in sources for key, value in s.items() if not isinstance(value, list | dict)
    )
    table = Table()
    for key in names:
        name = {"x0": "x", "y0": "y"}.get(key, key)
        table[name] = _column([source.get(key) for source in sources])
    return table


def _column(values: list[Any]) -> Column:
    missing = [value is None for value in values]
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool | int) for value in known):
        data: Any = np.array([0 if value is None else int(value) for value in values])
    elif known and all(isinstance(value, int | float) for value in known):
        data = np.array([np.nan if value is None else float(value) for value in values])
    else:
        data = np.array(["" if value is None else str(value) for value in values])
    return MaskedColumn(data, mask=missing) if any(missing) else Column(data)


def _outline(source: dict[str, Any]) -> Outline:
    """The borders of a source's islands, or their boxes, in pixels from 0."""
    parts: list[Double] = []
    islands = source.get("islands")
    for island in islands if isinstance(islands, list) else []:
        parts += _polygons(island.get("vertices")) or _box(island)
    return tuple(parts)


def _polygons(vertices: Any) -> list[Double]:
    """Vertices as [[x, y], …], or several such lists."""
    if not isinstance(vertices, list) or not vertices:
        return []
    if isinstance(vertices[0], list) and vertices[0] and isinstance(vertices[0][0], list):
        return [polygon for part in vertices for polygon in _polygons(part)]
    try:
        points = np.array(vertices, dtype=np.float64)
    except (ValueError, TypeError):
        return []
    return [points] if points.ndim == 2 and points.shape[1] == 2 and len(points) > 2 else []


def _box(island: dict[str, Any]) -> list[Double]:
    try:
        low_x, high_x, low_y, high_y = (float(island[name]) for name in BOX)
    except (KeyError, TypeError, ValueError):
        return []
    return [np.array([(low_x, low_y), (high_x, low_y), (high_x, high_y), (low_x, high_y)])]


def _json(column: Any, row: int) -> Any:
    value = column[row]
    if np.ma.is_masked(value):
        return None
    return round(float(value), 4) if column.dtype.kind == "f" else value.item()


def _tags(tags: Any, values: dict[str, Any]) -> list[Any]:
    kept = list(tags) if isinstance(tags, list) else ([tags] if tags else [])
    new = (values["class"], *values["class_flags"].split())
    return kept + [word for word in new if word and word not in kept]
