"""The entries of a catalogue on the pixels of a sky."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError
from helikon.space.classes import PROBABILITY_COLUMNS
from helikon.space.names import read_outline
from helikon.space.skies import Sky

__all__ = ["Entries", "read_entries"]

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
UNKNOWN_SNR = 5.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """A catalogue's entries on the pixels of a sky.

    Attributes
    ----------
    x, y : ndarray
        Pixels from 0.
    class_name : ndarray of str
        ``compact`` where the catalogue has no classes.
    int_flux : ndarray
        Jy; NaN where not given.
    snr : ndarray
        Measured peak over local noise; 5 where not given.
    probabilities : ndarray, shape (n, 5)
        Of the classes; NaN where not given.
    footprints : list of (ndarray, ndarray)
        Rows and columns of the pixels within the outline; empty without one.
    """

    x: Double
    y: Double
    class_name: npt.NDArray[np.str_]
    int_flux: Double
    snr: Double
    probabilities: Double
    footprints: list[tuple[Int, Int]]

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.x)

    def take(self, rows: npt.NDArray[Any]) -> "Entries":
        """Return some of the entries: a mask or row numbers."""
        chosen = np.arange(len(self))[rows]
        return Entries(
            x=self.x[chosen],
            y=self.y[chosen],
            class_name=self.class_name[chosen],
            int_flux=self.int_flux[chosen],
            snr=self.snr[chosen],
            probabilities=self.probabilities[chosen],
            footprints=[self.footprints[row] for row in chosen],
        )


def read_entries(catalogue: Any, sky: Sky) -> Entries:
    """Put a catalogue on the pixels of a sky.

    Parameters
    ----------
    catalogue : astropy.table.Table
        Needs ``ra`` and ``dec`` (degrees, ICRS); uses ``class``, ``int_flux``
        (Jy), ``snr``, ``prob_*`` and ``outline`` (STC-S polygons) where they are.

    Raises
    ------
    InputError
        If there are no positions.
    """
    if missing := [name for name in ("ra", "dec") if name not in catalogue.colnames]:
        raise InputError(
            "the catalogue has no positions",
            got=f"no column {' nor '.join(missing)}",
            expected="columns ra and dec in degrees",
        )
    n = len(catalogue)
    ra, dec = (_plain(catalogue, name, n, "deg") for name in ("ra", "dec"))
    x, y = sky.map.wcs.all_world2pix(ra, dec, 0) if n else (ra, dec)
    names = catalogue["class"] if "class" in catalogue.colnames else ["compact"] * n
    outlines = catalogue["outline"] if "outline" in catalogue.colnames else [""] * n
    columns = [_plain(catalogue, name, n) for name in PROBABILITY_COLUMNS]
    return Entries(
        x=np.asarray(x),
        y=np.asarray(y),
        class_name=np.array([str(name) for name in names], dtype="U24"),
        int_flux=_plain(catalogue, "int_flux", n, "Jy"),
        snr=_plain(catalogue, "snr", n, empty=UNKNOWN_SNR),
        probabilities=np.stack(columns, axis=1),
        footprints=[_footprint(str(text), sky) for text in outlines],
    )


def _plain(catalogue: Any, name: str, n: int, unit: str = "", empty: float = np.nan) -> Double:
    """Numbers in a unit; a column without unit is taken to be in it."""
    if name not in catalogue.colnames:
        return np.full(n, empty)
    column = catalogue[name]
    values = column.to_value(unit) if hasattr(column, "to_value") else column
    if getattr(column, "unit", None) is not None and not hasattr(column, "to_value"):
        values = column.quantity.to_value(unit)
    return np.asarray(np.ma.filled(np.ma.asarray(values, dtype=np.float64), empty))


def _footprint(outline: str, sky: Sky) -> tuple[Int, Int]:
    from skimage.draw import polygon

    parts = []
    for corners in read_outline(outline):
        x, y = sky.map.wcs.all_world2pix(corners[:, 0], corners[:, 1], 0)
        parts.append(polygon(y, x, sky.labels.shape))
    if not parts:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    pixels = np.unique(np.concatenate([np.stack(part, axis=1) for part in parts]), axis=0)
    return pixels[:, 0], pixels[:, 1]
