"""A catalogue: a table of sources, and with it those of their components and islands."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import Column, QTable, TableAttribute

from helikon.space.classes import CLASSES
from helikon.space.columns import (
    COLUMNS,
    COMPONENT_COLUMNS,
    ISLAND_COLUMNS,
    ColumnInfo,
    packed_names,
)
from helikon.space.measures.neighbours import flag_near_bright

__all__ = [
    "COLUMNS",
    "COMPONENT_COLUMNS",
    "Catalogue",
    "ColumnInfo",
    "empty_catalogue",
    "make_catalogue",
    "provenance_of",
    "source_counts",
]


class Catalogue(QTable):  # type: ignore[misc]
    """The table of sources, columns as in :data:`COLUMNS`.

    Attributes
    ----------
    components, islands : QTable
        Columns as in :data:`COMPONENT_COLUMNS` and ``columns.ISLAND_COLUMNS``;
        ``source_id`` says whose a row is.
    """

    components = TableAttribute()
    islands = TableAttribute()


def make_catalogue(values: Mapping[str, Any], meta: Mapping[str, Any]) -> Catalogue:
    """Make a catalogue of arrays, one for each of :data:`COLUMNS`.

    Sources near a bright one are flagged here, where all are known.

    Parameters
    ----------
    values : Mapping[str, array]
        All of one length, in the columns' units; if they hold ``components``
        and ``islands`` (as ``measure.measure_sources`` makes them) these become
        tables.
    meta : Mapping[str, Any]
        Where it comes from: becomes ``meta`` of the table and PARAMs of the VOTable.
    """
    beam = float(meta.get("beam_major_arcsec") or 0.0)
    filled = dict(values) | {"flags": flag_near_bright(values, beam)}
    table = Catalogue(meta=dict(meta))
    for info in COLUMNS:
        table[info.name] = _make_column(info, filled[info.name])
    table.components = _inner_table(values, "components", COMPONENT_COLUMNS)
    table.islands = _inner_table(values, "islands", ISLAND_COLUMNS)
    return table


def empty_catalogue(meta: Mapping[str, Any]) -> Catalogue:
    """Make a catalogue of no sources: all columns, no rows."""
    return make_catalogue({info.name: [] for info in COLUMNS}, meta)


def provenance_of(catalogue: QTable) -> dict[str, Any]:
    """Return where a catalogue comes from: its ``meta`` without what astropy keeps there."""
    return {name: value for name, value in catalogue.meta.items() if not name.startswith("__")}


def source_counts(catalogue: QTable) -> dict[str, int]:
    """Count the entries of each class; those of class spurious are no sources."""
    classes = [str(name) for name in catalogue["class"]]
    return {name: classes.count(name) for name in CLASSES}


def _inner_table(values: Mapping[str, Any], kind: str, columns: tuple[ColumnInfo, ...]) -> QTable:
    """Unpack the texts that sources carry into a table of its own."""
    packed = json.loads(f"[{','.join(map(str, values.get(kind, ())))}]")
    owner = np.repeat(np.arange(len(packed)), [len(rows) for rows in packed]).astype(np.int64)
    names = packed_names(columns)
    rows = np.array([row for rows in packed for row in rows], dtype=float).reshape(len(owner), len(names))
    unpacked = dict(zip(names, rows.T, strict=True))
    table = QTable()
    for info in columns:
        table[info.name] = _make_column(info, _unpacked(info.name, unpacked, owner, values))
    return table


def _unpacked(
    name: str,
    unpacked: Mapping[str, npt.NDArray[np.float64]],
    owner: npt.NDArray[np.int64],
    values: Mapping[str, Any],
) -> npt.NDArray[Any]:
    """Return a column of components or islands; places are packed relative to their source's."""
    if name == "id":
        return np.arange(1, len(owner) + 1)
    if name == "source_id":
        return np.asarray(values["id"], dtype=np.int64)[owner]
    if name in {"x", "y"}:
        return np.asarray(unpacked[name] + np.asarray(values[name], dtype=np.float64)[owner])
    if name in {"x_min", "x_max", "y_min", "y_max"}:
        return np.asarray(unpacked[name] + np.floor(np.asarray(values[name[0]], dtype=np.float64))[owner])
    return unpacked[name]


def _make_column(info: ColumnInfo, values: Any) -> Any:
    dtype = object if info.dtype.startswith("U") else info.dtype
    array = np.asarray(values, dtype=dtype)
    if info.dtype.startswith("U"):
        array = array.astype(str) if len(array) else np.empty(0, dtype="U1")
    column = Column(array, description=info.description, meta={"ucd": info.ucd}, unit=info.unit)
    return column if info.unit is None else _quantity(column, info)


def _quantity(column: Column, info: ColumnInfo) -> Any:
    quantity = column.quantity.astype(info.dtype)
    quantity.info.description = info.description
    quantity.info.meta = {"ucd": info.ucd}
    return quantity
