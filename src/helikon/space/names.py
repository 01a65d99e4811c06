"""What sources are called, and their outlines as text."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.wcs.utils import proj_plane_pixel_scales

from helikon.space.sky import icrs

__all__ = ["ACRONYM", "iau_names", "read_outline", "sky_words", "stc_outline", "stc_text"]

Double = npt.NDArray[np.float64]

ACRONYM = "HLK"


def iau_names(ra: Double, dec: Double) -> list[str]:
    """Return names ``HLK JHHMMSS.s+DDMMSS``: coordinates truncated, not rounded, as the IAU asks.

    Two sources of one name get the letters a, b, … in the order given.
    """
    names = [
        f"{ACRONYM} J{_truncated(r / 15, 1)}{_sign(d)}{_truncated(abs(d), 0)}"
        for r, d in zip(ra, dec, strict=True)
    ]
    count = Counter(names)
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        unique.append(name + chr(ord("a") + min(seen[name], 25)) if count[name] > 1 else name)
        seen[name] += 1
    return unique


def stc_outline(wcs: Any, polygons: Sequence[Double]) -> str:
    """Write polygons in pixels as STC-S in ICRS; several are a Union."""
    return stc_text(sky_words(wcs, polygons))


def sky_words(wcs: Any, polygons: Sequence[Double]) -> list[str]:
    """Write the corners of each polygon as right ascension and declination in degrees.

    To five decimals, or to as many as tell a twentieth of a pixel.
    """
    if len(polygons) == 0:
        return []
    x, y = np.concatenate(polygons).T
    n_decimals = max(5, math.ceil(-math.log10(0.05 * float(proj_plane_pixel_scales(wcs).min()))))
    words = [f"{value:.{n_decimals}f}" for value in np.stack(icrs(wcs, x, y), axis=1).ravel().tolist()]
    ends = np.cumsum([2 * len(polygon) for polygon in polygons]).tolist()
    return [" ".join(words[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def stc_text(words: Sequence[str]) -> str:
    """Write polygons, whose corners are in words, as one STC-S text; empty for none."""
    if len(words) < 2:
        return "".join(f"Polygon ICRS {corners}" for corners in words)
    return f"Union ICRS ({' '.join(f'Polygon {corners}' for corners in words)})"


def read_outline(text: str) -> list[Double]:
    """Return the polygons (m, 2) of right ascension and declination that an outline holds."""
    parts = text.replace("Union", "").replace("ICRS", "").replace("(", "").replace(")", "").split("Polygon")
    return [np.array(part.split(), dtype=np.float64).reshape(-1, 2) for part in parts[1:]]


def _sign(value: float) -> str:
    return "-" if value < 0 else "+"


def _truncated(value: float, decimals: int) -> str:
    """Write hours or degrees as HHMMSS[.s], truncated."""
    unit = 10**decimals
    ticks = int(value * 3600 * unit + 1e-6)
    seconds, fraction = divmod(ticks, unit)
    tail = f".{fraction:0{decimals}d}" if decimals else ""
    return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}{tail}"
