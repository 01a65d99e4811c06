"""Catalogues as VOTables: read, written again with fields more, and made of any table."""

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io.votable import from_table, parse
from astropy.io.votable.exceptions import VOTableSpecError
from astropy.io.votable.tree import CooSys, Field
from astropy.table import Column, MaskedColumn, Table
from astropy.table.serialize import represent_mixins_as_columns

from helikon.errors import InputError
from helikon.space.catalogues.columns import position_columns
from helikon.space.catalogues.kinds import whose
from helikon.space.catalogues.places import Places
from helikon.space.catalogues.positions import places_of_table

__all__ = ["VotableCatalogue", "read_votable", "write_as_votable"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VotableCatalogue:
    """A VOTable document, and which of its tables is the catalogue."""

    kind: str
    suffix: str
    table: Table
    places: Places
    path: Path
    number: int

    def write(self, added: Table, path: Path) -> None:
        """Write the document with fields more in its table."""
        document = _parsed(self.path)
        element = list(document.iter_tables())[self.number]
        old = element.array
        for name in added.colnames:
            element.fields.append(_field(document, added[name]))
        element.create_arrays(len(old))
        for name in old.dtype.names or ():
            element.array[name] = old[name]
            element.array.mask[name] = np.ma.getmaskarray(old)[name]
        for name in added.colnames:
            element.array[name] = np.ma.filled(added[name], _empty(added[name]))
            element.array.mask[name] = np.ma.getmaskarray(np.ma.asarray(added[name]))
        with _quiet():
            document.to_xml(str(path))


def read_votable(path: Path, frame: str = "") -> VotableCatalogue:
    """Read the first table of a VOTable that has positions.

    Parameters
    ----------
    path : Path
    frame : str
        Of positions whose frame the file does not say; see ``frames.named_frame``.

    Raises
    ------
    InputError
        If it is cut short, or has no such table.
    """
    document = _parsed(path)
    with _quiet():
        read = [(i, e, _table(document, e)) for i, e in enumerate(document.iter_tables())]
    if not read:
        raise InputError(f"{path.name} holds no table", expected="a VOTable of positions")
    number, _, table = next((one for one in read if position_columns(one[2])), read[0])
    systems = list(document.iter_coosys())
    system = systems[0] if len(systems) == 1 else None
    return VotableCatalogue(
        kind=whose(table, "VOTable"),
        suffix=".vot",
        table=table,
        places=places_of_table(
            table,
            frame=str(getattr(system, "system", "") or frame),
            equinox=str(getattr(system, "equinox", "") or ""),
        ),
        path=path,
        number=number,
    )


def write_as_votable(table: Table, path: Path, description: str) -> None:
    """Write any table as VOTable 1.4; UCDs are those in ``meta`` of the columns."""
    plain = _plain(table)
    with _quiet():
        document = from_table(plain)
    document.version = "1.4"
    document.description = description
    resource = document.resources[0]
    resource.coordinate_systems.append(
        CooSys(ID="icrs", system="ICRS", config={"version_1_4_or_later": True})
    )
    for field, name in zip(resource.tables[0].fields, plain.colnames, strict=True):
        field.ucd, field.description = plain[name].meta.get("ucd"), plain[name].description
        if field.ucd in {"pos.eq.ra;meta.main", "pos.eq.dec;meta.main"}:
            field.ref = "icrs"
    with _quiet():
        document.to_xml(str(path), tabledata_format="tabledata")


def _parsed(path: Path) -> Any:
    try:
        with _quiet():
            return parse(path, verify="ignore")
    except (VOTableSpecError, ValueError, OSError, IndexError, KeyError, TypeError) as error:
        raise InputError(
            f"{path.name} cannot be read as a VOTable",
            got=" ".join(str(error).split())[:120],
            expected="a whole VOTable",
        ) from error


def _table(document: Any, element: Any) -> Table:
    table = element.to_table(use_names_over_ids=True)
    systems = {system.ID: system for system in document.iter_coosys()}
    for name, field in zip(table.colnames, element.fields, strict=True):
        if field.ucd:
            table[name].meta["ucd"] = str(field.ucd)
        system = systems.get(field.ref)
        if system is not None:
            table[name].meta["frame"] = f"{system.system} {system.equinox or ''}".strip()
    return table


def _field(document: Any, column: Any) -> Any:
    kind = column.dtype.kind
    values = {
        "U": {"datatype": "char", "arraysize": "*"},
        "f": {"datatype": "float"},
        "i": {"datatype": "int"},
    }[kind]
    field = Field(document, name=column.name, ID=column.name, ucd=column.meta["ucd"], **values)
    field.description = column.description
    if kind == "i":
        field.values.null = -1
    return field


def _empty(column: Any) -> Any:
    return {"U": "", "f": np.nan, "i": -1}[column.dtype.kind]


def _plain(table: Table) -> Table:
    """Leave only columns that a VOTable can hold."""
    with_columns = represent_mixins_as_columns(Table(table, copy=False))
    plain = Table()
    for odd_name in with_columns.colnames:
        name, column = _readable(odd_name), with_columns[odd_name]
        if column.dtype.kind == "O":
            plain[name] = Column([_readable(str(value)) for value in column])
        elif column.dtype.kind in "US" and column.ndim == 1:
            plain[name] = _as_bytes(column)
        else:
            plain[name] = column
        plain[name].description, plain[name].meta = column.info.description, dict(column.info.meta or {})
    return plain


def _readable(text: str) -> str:
    """Replace what XML cannot hold: control characters, and bytes that are no text."""
    return text if text.isprintable() else "".join(c if _is_held(c) else "\ufffd" for c in text)


def _is_held(character: str) -> bool:
    return character.isprintable() or character in "\t\n"


def _as_bytes(column: Any) -> Any:
    """Text is char in a VOTable, for readers without Unicode; what is not ASCII stays Unicode."""
    mask = np.ma.getmaskarray(np.ma.asarray(column))
    values = zip(np.asarray(column).tolist(), mask.tolist(), strict=True)
    texts = [
        "" if gone else _readable(v.decode("utf-8", "replace") if isinstance(v, bytes) else v)
        for v, gone in values
    ]
    if not all(text.isascii() for text in texts):
        return Column(texts, name=column.name)
    data = np.array(texts, dtype=f"S{max([1, *map(len, texts)])}")
    return MaskedColumn(data, mask=mask, name=column.name)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep astropy's remarks on others' VOTables from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
