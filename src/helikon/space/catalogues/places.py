"""Where the entries of a catalogue are, as the catalogue says it."""

import dataclasses

import numpy as np
import numpy.typing as npt

__all__ = ["Outline", "Places"]

Double = npt.NDArray[np.float64]
Outline = tuple[Double, ...]
"""Polygons of one entry, each of vertices (n, 2); none where the catalogue tells none."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Positions and shapes of the entries of a catalogue.

    Attributes
    ----------
    x, y : ndarray, shape (n,)
        Right ascension and declination in degrees (ICRS), or pixels from 0.
        NaN where the catalogue has no usable position.
    in_pixels : bool
        Which of the two.
    major, minor, angle : ndarray, shape (n,)
        FWHM in arcseconds and position angle in degrees, north through east,
        as observed; NaN where not told.
    outlines : tuple of Outline
        One for each entry, or no tuple members at all.
    outlines_in_pixels : bool
        Their vertices are pixels from 0 and not degrees (ICRS).
    """

    x: Double
    y: Double
    in_pixels: bool
    major: Double
    minor: Double
    angle: Double
    outlines: tuple[Outline, ...] = ()
    outlines_in_pixels: bool = True

    def __len__(self) -> int:
        """Count the entries."""
        return len(self.x)

    @classmethod
    def at(cls, x: Double, y: Double, *, in_pixels: bool) -> "Places":
        """Make places without shapes; what is no position on the sky is NaN."""
        usable = np.isfinite(x) & np.isfinite(y)
        if not in_pixels:
            usable &= (np.abs(y) <= 90) & (np.abs(x) <= 720)
        none = np.full(len(x), np.nan)
        return cls(
            x=np.where(usable, x, np.nan),
            y=np.where(usable, y, np.nan),
            in_pixels=in_pixels,
            major=none,
            minor=none,
            angle=none,
        )
