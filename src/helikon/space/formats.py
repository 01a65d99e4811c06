"""Catalogues as files: tables, regions, CAESAR's JSON, the searched area and a picture.

All open in TOPCAT, DS9, Aladin, CAESAR's tools and astropy as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from astropy.table import QTable

from helikon.errors import InputError
from helikon.space.caesar_out import write_caesar
from helikon.space.colours import COLOURS
from helikon.space.fits import RadioMap
from helikon.space.moc import write_moc
from helikon.space.picture import draw
from helikon.space.regions_out import write_regions
from helikon.space.tables_out import write_fits, write_votable
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
    figure.savefig(path, format="png", dpi=150)


def _write_components(catalogue: QTable, radio_map: RadioMap, path: Path) -> None:
    write_votable(catalogue, path, table="components")


_Writer = Callable[[QTable, RadioMap, Path], None]

_WRITERS: Mapping[str, Mapping[str, _Writer]] = {
    "votable": {
        "sources.vot": lambda catalogue, radio_map, path: write_votable(catalogue, path),
        "components.vot": _write_components,
    },
    "fits": {"sources.fits": lambda catalogue, radio_map, path: write_fits(catalogue, path)},
    "regions": {"sources.reg": lambda catalogue, radio_map, path: write_regions(catalogue, path)},
    "caesar": {"sources.json": write_caesar},
    "moc": {"searched.moc.fits": lambda catalogue, radio_map, path: write_moc(radio_map, path)},
    "png": {"sources.png": write_picture},
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
    with whole_files(folder, tuple(writers)) as beside:
        for name, write in writers.items():
            write(catalogue, radio_map, beside[name])
    return {name: folder / name for name in writers}
