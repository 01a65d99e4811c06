"""What the user asks of a preparation, as one value that is written into the manifest."""

import dataclasses
import math

from helikon.earth.composite import COMPOSITES, PERIODS
from helikon.earth.expressions import parse_index
from helikon.earth.qa import CATEGORIES, TABLES
from helikon.earth.resample import METHODS
from helikon.earth.shards import FORMATS
from helikon.errors import InputError

__all__ = ["NORMALISATIONS", "Options"]

NORMALISATIONS = ("none", "standard")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How scenes are prepared.

    Attributes
    ----------
    sensor : str
        Forces a sensor; empty finds it from the files.
    bands : tuple of str
        Bands to keep; empty means all of the sensor's own resolution, or none
        where indices are asked for.
    indices : tuple of str
        See :func:`helikon.earth.expressions.parse_index`.
    mask : tuple of str
        Categories that are masked.
    qa : str
        Table that reads the quality bands; empty for the product's own.
    crs : str
        Of the result; empty for the first scene's.
    resolution : float or None
        In CRS units; None for the first scene's.
    bounds : tuple of float or str
        West, south, east, north; ``first`` or ``union``.
    resampling : str
    composite, period : str
    chip, overlap : int
        Pixels; a chip of 0 makes none.
    min_clear : float
        Of a chip.
    normalise : str
        ``standard``: by mean and standard deviation of the train chips.
    fill : float
        Stands for nothing in chips.
    split : tuple of float
        Shares of train, validation and test.
    block : int
        Chips along the side of a block of one split.
    form : str
        ``npz`` or ``zarr``.
    image : bool
        Whether the composite is written as a COG too.
    sun_elevation_deg : float or None
        For Landsat Level 1 files without their MTL.
    """

    sensor: str = ""
    bands: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()
    mask: tuple[str, ...] = ("cloud", "shadow", "cirrus", "dilated")
    qa: str = ""
    crs: str = ""
    resolution: float | None = None
    bounds: tuple[float, float, float, float] | str = "first"
    resampling: str = "nearest"
    composite: str = "none"
    period: str = "all"
    chip: int = 256
    overlap: int = 0
    min_clear: float = 0.5
    normalise: str = "none"
    fill: float = math.nan
    split: tuple[float, float, float] = (0.7, 0.15, 0.15)
    block: int = 4
    form: str = "npz"
    image: bool = True
    sun_elevation_deg: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is of no known kind."""
        for name in self.mask:
            _one_of("a category to mask", name, CATEGORIES)
        for index in self.indices:
            parse_index(index)
        if self.qa:
            _one_of("the quality table", self.qa, tuple(TABLES))
        _one_of("the resampling", self.resampling, METHODS)
        _one_of("the composite", self.composite, COMPOSITES)
        _one_of("the period", self.period, PERIODS)
        _one_of("the normalisation", self.normalise, NORMALISATIONS)
        _one_of("the format", self.form, FORMATS)
        if isinstance(self.bounds, str):
            _one_of("the bounds", self.bounds, ("first", "union"))
        if self.chip < 0 or not 0 <= self.min_clear <= 1:
            raise InputError(
                "the chips cannot be used",
                got=f"{self.chip} pixels, clear fraction {self.min_clear}",
                expected="0 pixels or more, and a fraction of 0 to 1",
            )
        if not self.chip and not self.image:
            raise InputError("nothing would be made", got="no chips and no image", expected="one of them")


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{what} cannot be used", got=repr(value), expected=f"one of {', '.join(known)}")
