"""Catalogues as files: VOTable, DS9 regions and a picture.

All three open in TOPCAT, DS9, Aladin and astropy as they are.
"""

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io.votable import from_table
from astropy.io.votable.tree import CooSys, Info, Param
from astropy.table import QTable, Table

from helikon.space.catalogue import COLUMNS
from helikon.space.fits import RadioMap
from helikon.space.names import read_outline
from helikon.space.picture import COLOURS, draw
from helikon.space.whole import whole_files

__all__ = ["FILES", "write_catalogue", "write_picture", "write_regions", "write_votable"]

FILES = ("sources.vot", "sources.reg", "sources.png")


def write_catalogue(catalogue: QTable, radio_map: RadioMap, folder: Path | str) -> dict[str, Path]:
    """Write ``sources.vot``, ``sources.reg`` and ``sources.png``: all of them whole, or none.

    Parameters
    ----------
    catalogue : QTable
        From ``finder.find_sources``.
    radio_map : RadioMap
        The map behind the picture.
    folder : Path or str
        Made if need be; older files of these names are replaced.

    Returns
    -------
    dict of str to Path
        File name to path.
    """
    folder = Path(folder)
    with whole_files(folder, FILES) as beside:
        write_votable(catalogue, beside["sources.vot"])
        write_regions(catalogue, beside["sources.reg"])
        write_picture(catalogue, radio_map, beside["sources.png"])
    return {name: folder / name for name in FILES}


def write_votable(catalogue: QTable, path: Path) -> None:
    """Write a VOTable 1.4 with units, UCDs, ICRS as its frame, and where it comes from as PARAMs."""
    votable = from_table(_ascii(catalogue))
    votable.version = "1.4"
    votable.description = f"Radio sources of {catalogue.meta.get('map', 'a map')}, found by Helikon"
    resource = votable.resources[0]
    resource.coordinate_systems.append(
        CooSys(ID="icrs", system="ICRS", config={"version_1_4_or_later": True})
    )
    table = resource.tables[0]
    table.name = "sources"
    for field, info in zip(table.fields, COLUMNS, strict=True):
        field.ucd, field.description = info.ucd, info.description
        if info.name in {"ra", "dec"}:
            field.ref = "icrs"
    for name, value in catalogue.meta.items():
        _add_meta(votable, table, name, value)
    votable.to_xml(str(path), tabledata_format="tabledata")


def write_regions(catalogue: QTable, path: Path) -> None:
    """Write DS9 regions in ICRS: ellipses for compact sources, polygons for the others."""
    lines = [
        "# Region file format: DS9 version 4.1",
        f"# {len(catalogue)} entries found by Helikon in {_name(catalogue)}",
        "# semi-axes of ellipses are the FWHM, polygons the border at the flood threshold",
        'global color=green width=1 font="helvetica 9 normal roman" select=1 edit=1 move=0 delete=1',
        "icrs",
    ]
    for row in catalogue:
        lines += _regions(row)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_picture(catalogue: QTable, radio_map: RadioMap, path: Path) -> None:
    """Write the map with what was found as PNG."""
    figure = draw(catalogue, radio_map)
    figure.savefig(path, format="png", dpi=150)


def _ascii(catalogue: QTable) -> Table:
    """Turn text columns to bytes, which VOTable calls char, for readers without Unicode."""
    table = Table(catalogue, copy=True)
    table.meta.clear()
    for info in COLUMNS:
        if info.dtype.startswith("U"):
            width = max([1, *(len(str(text)) for text in table[info.name])])
            table[info.name] = np.array([str(text) for text in table[info.name]], dtype=f"S{width}")
    return table


def _add_meta(votable: Any, table: Any, name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, list):
        for text in value:
            table.infos.append(Info(name=name, value=_one_line(text)))
        return
    if isinstance(value, str):
        parameter = Param(votable, name=name, datatype="char", arraysize="*", value=_one_line(value))
    else:
        parameter = Param(votable, name=name, datatype="double", value=float(value))
    table.params.append(parameter)


def _regions(row: Any) -> list[str]:
    name, colour = str(row["class"]), COLOURS[str(row["class"])]
    after = f" # color={colour} tag={{{name}}} text={{{row['name']}}}"
    if name == "compact":
        ra, dec = (row[key].to_value("deg") for key in ("ra", "dec"))
        axes = ",".join(f'{row[key].to_value("arcsec"):.3f}"' for key in ("major", "minor"))
        return [f"ellipse({ra:.7f},{dec:+.7f},{axes},{row['pa'].to_value('deg') + 90:.2f}){after}"]
    corners = [
        ",".join(f"{ra:.7f},{dec:+.7f}" for ra, dec in polygon)
        for polygon in read_outline(str(row["outline"]))
    ]
    return [f"polygon({text}){after}" for text in corners]


def _name(catalogue: QTable) -> str:
    """The map's name without what DS9 would take for the end of a line."""
    return _one_line(catalogue.meta.get("map", "a map")).replace(";", " ")


def _one_line(value: Any) -> str:
    text = " ".join(str(value).split())
    return text.encode("ascii", "replace").decode()
