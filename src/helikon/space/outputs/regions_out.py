"""Catalogues as DS9 regions."""

from pathlib import Path
from typing import Any

from astropy.table import QTable

from helikon.space.names import read_outline
from helikon.space.outputs.colours import COLOURS
from helikon.space.outputs.tables_out import one_line

__all__ = ["write_regions"]


def write_regions(catalogue: QTable, path: Path) -> None:
    """Write DS9 regions in ICRS: ellipses for compact sources, polygons for the others."""
    lines = [
        "# Region file format: DS9 version 4.1",
        f"# {len(catalogue)} entries found by Helikon in {_name(catalogue)}",
        "# semi-axes of ellipses are the FWHM, polygons the border at the flood threshold",
        'global color=green width=1 font="helvetica 9 normal roman" select=1 edit=1 move=0 delete=1',
        "icrs",
    ]
    names = ("ra", "dec", "major", "minor", "pa")
    plain = [catalogue[name].value.tolist() for name in names]
    texts = [[str(text) for text in catalogue[name]] for name in ("class", "name", "outline")]
    for row in zip(*plain, *texts, strict=True):
        lines += _regions(*row)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _regions(
    ra: float, dec: float, major: float, minor: float, pa: float, class_name: str, name: str, outline: str
) -> list[str]:
    after = f" # color={COLOURS[class_name]} tag={{{class_name}}} text={{{name}}}"
    if class_name == "compact":
        return [f'ellipse({ra:.7f},{dec:+.7f},{major:.3f}",{minor:.3f}",{pa + 90:.2f}){after}']
    corners = [
        ",".join(f"{longitude:.7f},{latitude:+.7f}" for longitude, latitude in polygon.tolist())
        for polygon in read_outline(outline)
    ]
    return [f"polygon({text}){after}" for text in corners]


def _name(catalogue: Any) -> str:
    """The map's name without what DS9 would take for the end of a line."""
    return one_line(catalogue.meta.get("map", "a map")).replace(";", " ")
