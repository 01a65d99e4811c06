"""Read a catalogue of whatever kind, told by what is in the file and not by its name."""

from pathlib import Path

from helikon.errors import InputError
from helikon.space.catalogues.caesar_json import read_caesar_json
from helikon.space.catalogues.catalogue import Catalogue
from helikon.space.catalogues.ecsv import read_ecsv
from helikon.space.catalogues.fits_table import read_fits_table
from helikon.space.catalogues.regions_file import FRAMES, OTHER_FRAMES, SHAPE, read_regions
from helikon.space.catalogues.text import read_text
from helikon.space.catalogues.votable import read_votable

__all__ = ["read_catalogue"]

KINDS = "CAESAR, PyBDSF, Aegean or Selavy files, or a VOTable, FITS table, ECSV, CSV or DS9 regions"


def read_catalogue(path: Path | str, frame: str = "") -> Catalogue:
    """Read a catalogue.

    Parameters
    ----------
    path : Path or str
        CAESAR's islands, components (text), JSON or DS9 regions; PyBDSF's FITS,
        ASCII, CSV or DS9 lists; Aegean's and Selavy's tables; any other table
        with positions.
    frame : str
        ``icrs``, ``fk5``, ``fk4`` or ``galactic``: of positions whose frame the
        file does not say; empty for ICRS.

    Raises
    ------
    InputError
        If it is none of these, is cut short, or has no positions; says what was
        expected, and for a ROOT file what to export instead.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no file {path}", expected=KINDS)
    with path.open("rb") as file:
        start = file.read(4096)
    _refuse(start, path.name)
    if start.startswith((b"SIMPLE  =", b"\x1f\x8b")):
        return read_fits_table(path, frame)
    text = start.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        return read_votable(path, frame)
    if text.startswith(("{", "[")):
        return read_caesar_json(path, frame)
    if text.startswith("# %ECSV"):
        return read_ecsv(path, frame)
    return read_regions(path) if _is_regions(text) else read_text(path, frame)


def _refuse(start: bytes, name: str) -> None:
    if not start.strip():
        raise InputError(f"{name} is empty", expected=KINDS)
    if start.startswith(b"root"):
        raise InputError(
            f"{name} is a ROOT file, which only CAESAR itself can read",
            expected="CAESAR's catalogue as text",
            next_step="let CAESAR write it as ASCII, JSON or DS9 regions "
            "(saveToCatalogFile, saveDS9Region) and give that",
        )
    if start.startswith(b"\x89HDF") or start.startswith((b"PAR1", b"SQLite", b"PK\x03\x04")):
        raise InputError(
            f"{name} has a format that cannot be read",
            got={b"\x89": "HDF5", b"PA": "Parquet", b"SQ": "SQLite", b"PK": "a ZIP file"}[
                next(key for key in (b"\x89", b"PA", b"SQ", b"PK") if start.startswith(key))
            ],
            expected=KINDS,
        )


def _is_regions(text: str) -> bool:
    """Say whether a text starts as DS9's region files do."""
    for line in text.splitlines():
        word = line.strip().lower()
        if (
            word.startswith(("# region file format", "global "))
            or word.partition(";")[0] in FRAMES | OTHER_FRAMES
        ):
            return True
        if SHAPE.match(word):
            return True
        if word and not word.startswith("#"):
            return False
    return False
