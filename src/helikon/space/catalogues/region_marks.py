"""Colours and tags of DS9 regions by class, and regions for a table's entries."""

from typing import Any

import numpy as np
from astropy.table import Table

from helikon.space.catalogues.added import without_prefix
from helikon.space.catalogues.places import Places

__all__ = ["marks", "region_lines"]

HEADER = (
    "# Region file format: DS9 version 4.1",
    "# semi-axes of ellipses are the FWHM, those of the beam where the catalogue tells none",
    'global color=white width=1 font="helvetica 9 normal roman" select=1 edit=1 move=0 delete=1',
)


def marks(added: Table) -> list[tuple[str, list[str]]]:
    """Return the colour and the tags of each entry; white and its flags where it has no class."""
    from helikon.space.outputs.picture import COLOURS

    names = {without_prefix(name): name for name in added.colnames}
    column = {key: added[names[key]] for key in ("class", "galaxy", "class_flags")}
    result: list[tuple[str, list[str]]] = []
    for row in range(len(added)):
        flags = str(column["class_flags"][row]).split()
        if np.ma.is_masked(column["galaxy"][row]):
            result.append(("white", ["no class", *flags]))
        else:
            name = str(column["class"][row])
            result.append((COLOURS[name], [name, f"galaxy {column['galaxy'][row]}", *flags]))
    return result


def region_lines(places: Places, added: Table, beam_arcsec: tuple[float, float, float]) -> list[str]:
    """Write an ellipse for each entry that has a position, numbered from 1 as the rows are.

    Parameters
    ----------
    beam_arcsec : tuple of float
        FWHM major and minor axis in arcseconds and position angle in degrees.
    """
    lines = [*HEADER, "image" if places.in_pixels else "icrs"]
    for row, (colour, tags) in enumerate(marks(added)):
        if not np.isfinite(places.x[row]):
            continue
        words = " ".join(f"tag={{{tag}}}" for tag in tags)
        lines.append(f"{_shape(places, row, beam_arcsec)} # color={colour} text={{{row + 1}}} {words}")
    return lines


def _shape(places: Places, row: int, beam_arcsec: tuple[float, float, float]) -> str:
    x, y = places.x[row], places.y[row]
    if places.in_pixels:
        return f"point({x + 1:.3f},{y + 1:.3f})"
    axes: Any = (places.major[row], places.minor[row], places.angle[row])
    major, minor, angle = axes if np.isfinite(axes[0]) else beam_arcsec
    return f'ellipse({x:.7f},{y:+.7f},{major:.3f}",{minor:.3f}",{angle + 90:.2f})'
