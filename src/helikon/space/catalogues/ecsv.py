"""Catalogues as ECSV, astropy's own text format."""

import dataclasses
import warnings
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Column, QTable, Table, hstack

from helikon.errors import InputError
from helikon.space.catalogues.kinds import whose
from helikon.space.catalogues.places import Places
from helikon.space.catalogues.positions import places_of_table

__all__ = ["EcsvCatalogue", "read_ecsv"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EcsvCatalogue:
    """An ECSV table, with its units, masks and metadata."""

    kind: str
    suffix: str
    table: Table
    places: Places

    def write(self, added: Table, path: Path) -> None:
        """Write the table with the columns of ``added`` behind its own."""
        both = hstack([self.table, added], join_type="exact", metadata_conflicts="silent")
        both.meta = self.table.meta
        both.write(path, format="ascii.ecsv", overwrite=True)


def read_ecsv(path: Path, frame: str = "") -> EcsvCatalogue:
    """Read an ECSV file.

    Parameters
    ----------
    path : Path
    frame : str
        Of positions whose frame the file does not say; see ``frames.named_frame``.

    Raises
    ------
    InputError
        If it is cut short or has no positions.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = QTable.read(path, format="ascii.ecsv")
    except Exception as error:  # astropy raises whatever its YAML and text readers do
        raise InputError(
            f"{path.name} cannot be read as ECSV",
            got=" ".join(str(error).split())[:120],
            expected="a whole ECSV file",
        ) from error
    return EcsvCatalogue(kind=whose(table, "ECSV"), suffix=".ecsv", table=table, places=_places(table, frame))


def _places(table: QTable, frame: str) -> Places:
    """Take the first column of sky coordinates, or the columns that look like a position."""
    for name in table.colnames:
        if isinstance(table[name], SkyCoord):
            position = table[name].icrs
            return Places.at(np.asarray(position.ra.deg), np.asarray(position.dec.deg), in_pixels=False)
    plain = Table()
    for name in table.colnames:
        value = table[name]
        if hasattr(value, "unit") and not isinstance(value, Column) and value.unit is not None:
            value = Column(np.asarray(value.value), unit=value.unit)
        plain[name] = Column(value, name=name) if not isinstance(value, Column) else value
    return places_of_table(plain, frame=frame)
