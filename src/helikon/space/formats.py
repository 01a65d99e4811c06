"""Catalogues as files: tables, regions, CAESAR's JSON, the searched area and a picture.

All open in TOPCAT, DS9, Aladin, CAESAR's tools and astropy as they are.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from astropy.table import QTable

from helikon.errors import InputError
from helikon.space.fits import MapFile, RadioMap
from helikon.space.outputs.caesar_out import write_caesar
from helikon.space.outputs.colours import COLOURS
from helikon.space.outputs.moc import write_moc
from helikon.space.outputs.picture import draw
from helikon.space.outputs.regions_out import write_regions
from helikon.space.outputs.tables_out import write_fits, write_votable
from helikon.space.whole import whole_files

__all__ = [
    "COLOURS",
    "FILES",
    "FORMATS",
    "write_catalogue",
    "write_picture",
    "write_regions",
    "write_votable",
]


def write_picture(catalogue: QTable, radio_map: RadioMap, path: Path) -> None:
    """Write the map with what was found as PNG."""
    figure = draw(catalogue, radio_map)
    figure.savefig(path, format="png", dpi=150, pil_kwargs={"compress_level": 2})


@dataclasses.dataclass(frozen=True, slots=True)
class _Written:
    """What is written: a catalogue, the map to show, and the map whose pixels the catalogue counts."""

    catalogue: QTable
    shown: RadioMap
    searched: RadioMap | MapFile


_WRITERS: Mapping[str, Mapping[str, Callable[[_Written, Path], None]]] = {
    "votable": {
        "sources.vot": lambda one, path: write_votable(one.catalogue, path),
        "components.vot": lambda one, path: write_votable(one.catalogue, path, table="components"),
    },
    "fits": {"sources.fits": lambda one, path: write_fits(one.catalogue, path)},
    "regions": {"sources.reg": lambda one, path: write_regions(one.catalogue, path)},
    "caesar": {"sources.json": lambda one, path: write_caesar(one.catalogue, one.searched, path)},
    "moc": {"searched.moc.fits": lambda one, path: write_moc(one.shown, path)},
    "png": {"sources.png": lambda one, path: write_picture(one.catalogue, one.shown, path)},
}

FORMATS: tuple[str, ...] = tuple(_WRITERS)
"""Names of what :func:`write_catalogue` can write."""
FILES: tuple[str, ...] = tuple(name for writers in _WRITERS.values() for name in writers)
"""The files, in the same order."""


def write_catalogue(
    catalogue: QTable,
    radio_map: RadioMap,
    folder: Path | str,
    *,
    formats: Sequence[str] = FORMATS,
    searched: MapFile | None = None,
) -> dict[str, Path]:
    """Write the catalogue's files: all of them whole, or none.

    Parameters
    ----------
    catalogue : QTable
        From ``finder.find_sources``.
    radio_map : RadioMap
        The map behind the picture and the searched area: the one searched, or
        an overview of it with larger pixels.
    folder : Path or str
        Made if need be; older files of these names are replaced.
    formats : sequence of str
        Which; of :data:`FORMATS`.
    searched : MapFile, optional
        The map itself where ``radio_map`` is an overview.

    Returns
    -------
    dict of str to Path
        File name to path.

    Raises
    ------
    InputError
        If a format is unknown or the folder cannot be written to.
    """
    if unknown := sorted(set(formats) - set(FORMATS)):
        raise InputError("no such format", got=", ".join(unknown), expected=", ".join(FORMATS))
    folder = Path(folder)
    chosen = [_WRITERS[name] for name in FORMATS if name in formats]
    writers = {name: write for group in chosen for name, write in group.items()}
    what = _Written(catalogue, radio_map, searched or radio_map)
    with whole_files(folder, tuple(writers)) as beside:
        for name, write in writers.items():
            write(what, beside[name])
    return {name: folder / name for name in writers}
