"""What the quality bits of each product say; pure.

A product's quality band is a word of bits (or a class number) in each pixel.
A :class:`QaTable` names, for each kind of trouble, the fields of bits and the
values that mean it. :func:`flagged` is exact: no threshold and no guess.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError

__all__ = ["CATEGORIES", "TABLES", "Bits", "QaTable", "flagged"]

CATEGORIES = ("cloud", "shadow", "snow", "cirrus", "water", "dilated", "poor")
"""What can be masked; ``dilated`` is next to a cloud, ``poor`` a retrieval of less than full quality."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bits:
    """A field of bits and the values that count.

    Attributes
    ----------
    first : int
        Its lowest bit; bit 0 is the least significant.
    count : int
        How many bits it has.
    values : tuple of int
        Values of the field that mean what is asked for.
    """

    first: int
    count: int = 1
    values: tuple[int, ...] = (1,)

    @property
    def is_one_bit(self) -> bool:
        """Whether it is one bit that counts when it is set; such are looked at all at once."""
        return self.count == 1 and self.values == (1,)

    def match(self, words: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Return where the field has one of the values."""
        field = (words >> self.first) & ((1 << self.count) - 1)
        if len(self.values) == 1:
            return np.asarray(field == self.values[0])
        return np.isin(field, self.values)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class QaTable:
    """The bits of one product.

    Attributes
    ----------
    name : str
        For ``--qa``.
    source : str
        The document that defines it.
    n_bits : int
        Of a word.
    fill : tuple of Bits
        No observation; always masked.
    meanings : Mapping[str, tuple of Bits]
        Category to fields; any of them flags a pixel.
    reserved : int
        Bits that are 0 in every pixel of this product.
    """

    name: str
    source: str
    n_bits: int = 16
    fill: tuple[Bits, ...]
    meanings: Mapping[str, tuple[Bits, ...]]
    reserved: int = 0


def flagged(table: QaTable, words: npt.NDArray[Any], categories: Iterable[str] = ()) -> npt.NDArray[np.bool_]:
    """Return where a quality band has fill or any of the categories.

    Parameters
    ----------
    table : QaTable
    words : ndarray of integers
        As they are in the product; signed ones are read as their bits.
    categories : iterable of str
        Out of :data:`CATEGORIES`; those that the product does not tell flag nothing.

    Raises
    ------
    InputError
        If bits are set that this product never sets: it is another one's band.
    """
    bits: npt.NDArray[Any] = words.astype(np.uint16 if table.n_bits > 8 else np.uint8, copy=False)
    strange = np.bitwise_and(bits, table.reserved)
    if table.reserved and np.any(strange):
        raise InputError(
            f"the quality band does not hold {table.name} words",
            got=f"the word {int(bits[strange != 0].flat[0])}",
            expected=f"bits {table.reserved:#06x} to be 0",
            next_step=f"name its table with --qa, one of {', '.join(TABLES)}",
        )
    fields = [*table.fill, *(bit for name in categories for bit in table.meanings.get(name, ()))]
    found = np.bitwise_and(bits, sum({1 << field.first for field in fields if field.is_one_bit})) != 0
    for field in fields:
        if not field.is_one_bit:
            found |= field.match(bits)
    return np.asarray(found)


def _classes(*values: int) -> tuple[Bits, ...]:
    return (Bits(first=0, count=8, values=values),)


_LANDSAT_C2 = QaTable(
    name="landsat-c2",
    source="Landsat 8-9 Collection 2 Level 2 Science Product Guide, LSDS-1619, table 6-3 (QA_PIXEL)",
    fill=(Bits(first=0),),
    meanings={
        "dilated": (Bits(first=1),),
        "cirrus": (Bits(first=2),),
        "cloud": (Bits(first=3),),
        "shadow": (Bits(first=4),),
        "snow": (Bits(first=5),),
        "water": (Bits(first=7),),
    },
)
_LANDSAT_C1 = QaTable(
    name="landsat-c1",
    source="Landsat Collection 1 Level 1 Product Definition, LSDS-1656 (BQA); high confidence counts",
    fill=(Bits(first=0),),
    meanings={
        "cloud": (Bits(first=4),),
        "shadow": (Bits(first=7, count=2, values=(3,)),),
        "snow": (Bits(first=9, count=2, values=(3,)),),
        "cirrus": (Bits(first=11, count=2, values=(3,)),),
        "poor": (Bits(first=1), Bits(first=2, count=2, values=(1, 2, 3))),
    },
    reserved=0xE000,
)
_LANDSAT_PRE = QaTable(
    name="landsat-pre",
    source="Landsat 8 Data Users Handbook, LSDS-1574, version 1, table 5-4 (BQA); high confidence counts",
    fill=(Bits(first=0),),
    meanings={
        "cloud": (Bits(first=14, count=2, values=(3,)),),
        "cirrus": (Bits(first=12, count=2, values=(3,)),),
        "snow": (Bits(first=10, count=2, values=(3,)),),
        "water": (Bits(first=4, count=2, values=(3,)),),
        "poor": (Bits(first=1), Bits(first=2)),
    },
)
_SENTINEL2_SCL = QaTable(
    name="s2-scl",
    source="Sentinel-2 Products Specification Document, S2-PDGS-TAS-DI-PSD (scene classification)",
    n_bits=8,
    fill=_classes(0),
    meanings={
        "cloud": _classes(8, 9),
        "shadow": _classes(3),
        "snow": _classes(11),
        "cirrus": _classes(10),
        "water": _classes(6),
        "poor": _classes(1),
    },
)
_WATER_VALUES = (0, 3, 4, 5, 6, 7)
_MODIS_VI = QaTable(
    name="modis-vi",
    source="MODIS Vegetation Index User's Guide, Collection 6.1, table 5 (VI Quality)",
    fill=(Bits(first=0, count=2, values=(3,)),),
    meanings={
        "cloud": (Bits(first=0, count=2, values=(2,)), Bits(first=10)),
        "dilated": (Bits(first=8),),
        "water": (Bits(first=11, count=3, values=_WATER_VALUES),),
        "snow": (Bits(first=14),),
        "shadow": (Bits(first=15),),
        "poor": (Bits(first=0, count=2, values=(1,)),),
    },
)
_MODIS_RELIABILITY = QaTable(
    name="modis-reliability",
    source="MODIS Vegetation Index User's Guide, Collection 6.1, table 4 (pixel reliability)",
    n_bits=8,
    fill=_classes(255),
    meanings={"cloud": _classes(3), "snow": _classes(2), "poor": _classes(1)},
)
_MODIS_STATE = QaTable(
    name="modis-state",
    source="MODIS Surface Reflectance User's Guide, Collection 6.1, table 13 (state QA)",
    fill=(Bits(first=0, count=16, values=(65535,)),),
    meanings={
        "cloud": (Bits(first=0, count=2, values=(1, 2)), Bits(first=10)),
        "shadow": (Bits(first=2),),
        "water": (Bits(first=3, count=3, values=_WATER_VALUES),),
        "cirrus": (Bits(first=8, count=2, values=(2, 3)),),
        "snow": (Bits(first=12), Bits(first=15)),
        "dilated": (Bits(first=13),),
    },
)
_MCD43 = QaTable(
    name="modis-brdf",
    source="MODIS BRDF/Albedo User Guide, V006, MCD43A4 (band mandatory quality)",
    n_bits=8,
    fill=_classes(255),
    meanings={"poor": _classes(1)},
)

TABLES: Mapping[str, QaTable] = {
    table.name: table
    for table in (
        _LANDSAT_C2,
        _LANDSAT_C1,
        _LANDSAT_PRE,
        _SENTINEL2_SCL,
        _MODIS_VI,
        _MODIS_RELIABILITY,
        _MODIS_STATE,
        _MCD43,
    )
}
"""All tables by name."""
