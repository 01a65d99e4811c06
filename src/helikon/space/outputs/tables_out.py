"""Catalogues as tables on disk: VOTable and FITS, each with sources and components."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.io.votable.tree import CooSys, Info, Param
from astropy.table import QTable, Table

from helikon.space.catalogue import provenance_of
from helikon.space.columns import COLUMNS, COMPONENT_COLUMNS, ColumnInfo
from helikon.space.outputs.votable_rows import tabledata

__all__ = ["one_line", "tables_of", "write_fits", "write_votable"]


def tables_of(catalogue: QTable) -> dict[str, tuple[QTable, tuple[ColumnInfo, ...], str]]:
    """Return the tables, columns and descriptions of what a catalogue consists of, by name."""
    where = one_line(catalogue.meta.get("map", "a map"))
    components = getattr(catalogue, "components", None)
    none = QTable({info.name: [] for info in COMPONENT_COLUMNS})
    return {
        "sources": (catalogue, COLUMNS, f"Radio sources of {where}, found by Helikon"),
        "components": (
            none if components is None else components,
            COMPONENT_COLUMNS,
            f"Gaussian components of the radio sources of {where}; source_id is the id of the source",
        ),
    }


def write_votable(catalogue: QTable, path: Path, *, table: str = "sources") -> None:
    """Write a VOTable 1.4 with units, UCDs, ICRS as its frame, and where it comes from as PARAMs.

    Parameters
    ----------
    table : str
        ``sources`` or ``components``: each is a file of its own, which readers
        that know one table a file open as it is.
    """
    rows, columns, about = tables_of(catalogue)[table]
    plain = _ascii(rows, columns)
    votable = from_table(plain[:1])
    votable.version = "1.4"
    votable.description = about
    resource = votable.resources[0]
    resource.coordinate_systems.append(
        CooSys(ID="icrs", system="ICRS", config={"version_1_4_or_later": True})
    )
    element = resource.tables[0]
    element.ID = element.name = table
    element.description = about
    _describe(element.fields, columns)
    for name, value in provenance_of(catalogue).items():
        _add_meta(votable, element, name, value)
    path.write_text(_with_rows(votable, plain), encoding="utf-8", newline="\n")


def write_fits(catalogue: QTable, path: Path) -> None:
    """Write FITS with a binary table of sources and one of components: units, UCDs, descriptions."""
    primary = fits.PrimaryHDU()
    primary.header["ORIGIN"] = "Helikon"
    for name, value in provenance_of(catalogue).items():
        _add_card(primary.header, name, value)
    hdus = [primary]
    for name, (table, infos, about) in tables_of(catalogue).items():
        hdu = fits.table_to_hdu(_ascii(table, infos))
        hdu.header["EXTNAME"] = name.upper()
        hdu.header["RADESYS"] = "ICRS"
        hdu.header["COMMENT"] = about
        for number, info in enumerate(infos, start=1):
            hdu.header[f"TUCD{number}"] = info.ucd
            hdu.header[f"TCOMM{number}"] = info.description
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path, overwrite=True, output_verify="exception")


def one_line(value: Any) -> str:
    """Return a text as one line of ASCII."""
    text = " ".join(str(value).split())
    return text.encode("ascii", "replace").decode()


def _ascii(table: QTable, columns: Iterable[ColumnInfo]) -> Table:
    """Turn text columns to bytes, which VOTable calls char, for readers without Unicode."""
    plain = Table()
    for info in columns:
        column = table[info.name]
        if info.dtype.startswith("U"):
            plain[info.name] = _bytes(np.asarray(column, dtype=str))
        else:
            plain[info.name] = column.value if info.unit is not None else np.asarray(column)
        plain[info.name].unit = info.unit
    return plain


def _bytes(texts: npt.NDArray[np.str_]) -> npt.NDArray[np.bytes_]:
    try:
        return texts.astype(np.bytes_)
    except UnicodeEncodeError:
        return np.array([one_line(text) for text in texts]).astype(np.bytes_)


def _with_rows(votable: Any, plain: Table) -> str:
    """Return a VOTable as text: astropy is given the first row, and shows where the rows are."""
    one = io.BytesIO()
    votable.to_xml(one, tabledata_format="tabledata")
    text = one.getvalue().decode("utf-8")
    if not len(plain):
        return text
    before, rest = text.split("<TABLEDATA>\n")
    after = rest.split("</TR>\n")[-1]
    return "".join([before, "<TABLEDATA>\n", *tabledata(plain), after])


def _describe(fields: Any, columns: tuple[ColumnInfo, ...]) -> None:
    for field, info in zip(fields, columns, strict=True):
        field.ucd, field.description = info.ucd, info.description
        if info.name in {"ra", "dec"}:
            field.ref = "icrs"


def _add_meta(votable: Any, table: Any, name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, list):
        for text in value:
            table.infos.append(Info(name=name, value=one_line(text)))
        return
    if isinstance(value, str):
        parameter = Param(votable, name=name, datatype="char", arraysize="*", value=one_line(value))
    else:
        parameter = Param(votable, name=name, datatype="double", value=float(value))
    table.params.append(parameter)


def _add_card(header: fits.Header, name: str, value: Any) -> None:
    """Keep a value under its own name (a HIERARCH card where that is long); lists as HISTORY."""
    if value is None:
        return
    if isinstance(value, list):
        for text in value:
            header["HISTORY"] = f"{name}: {one_line(text)}"
        return
    keyword = name.upper() if len(name) <= 8 else f"HIERARCH {name.upper()}"
    header[keyword] = one_line(value)[: 60 - len(name)] if isinstance(value, str) else value
