"""A scene: one acquisition of one sensor, as values that travel to workers."""

import dataclasses
from typing import TYPE_CHECKING

from helikon.errors import InputError

if TYPE_CHECKING:
    from helikon.spark.objects import Folder

__all__ = ["Band", "Quality", "Raster", "Scene"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Raster:
    """One band of one file.

    Attributes
    ----------
    folder : Folder
        Where the file lies; holds no secret.
    key : str
        The file in it.
    index : int
        Band of the file, from 1.
    version : str
        Of the file when the work was planned, see ``Folder.version``.
    """

    folder: "Folder"
    key: str
    index: int = 1
    version: str = ""

    @property
    def url(self) -> str:
        """What it is called in messages and records."""
        return f"{self.folder.url}/{self.key}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A band and how its numbers become reflectance (or an index).

    Attributes
    ----------
    name : str
        ``red``, ``nir``; see :mod:`helikon.earth.sensors`.
    raster : Raster
    scale, offset : float
        Reflectance is ``number × scale + offset``.
    nodata : float
        The number that means no observation.
    valid : tuple of float
        Least and greatest number that is an observation.
    """

    name: str
    raster: Raster
    scale: float
    offset: float
    nodata: float
    valid: tuple[float, float]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """A quality band and the table that reads it, see :data:`helikon.earth.qa.TABLES`."""

    table: str
    raster: Raster


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One acquisition.

    Attributes
    ----------
    id : str
        Of the product or the STAC item.
    sensor : str
        See :data:`helikon.earth.sensors.SENSORS`.
    time : str
        ISO 8601, a date or a time in UTC; empty if it is not known.
    bands : tuple of Band
    quality : tuple of Quality
        All of them count; empty if the scene has none.
    """

    id: str
    sensor: str
    time: str
    bands: tuple[Band, ...]
    quality: tuple[Quality, ...] = ()

    @property
    def rasters(self) -> tuple[Raster, ...]:
        """Those of its bands, then those of its quality bands."""
        return (*(band.raster for band in self.bands), *(quality.raster for quality in self.quality))

    def band(self, name: str) -> Band:
        """Return a band.

        Raises
        ------
        InputError
            If the scene has none of that name.
        """
        for band in self.bands:
            if band.name == name:
                return band
        names = ", ".join(band.name for band in self.bands)
        raise InputError(f"scene {self.id} has no band {name}", expected=f"one of {names or 'none'}")
