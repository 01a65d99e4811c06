"""What sources are called, and their outlines as text."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.space.sky import icrs

__all__ = ["ACRONYM", "iau_names", "read_outline", "stc_outline"]

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
    texts = ["Polygon ICRS " + _coordinates(wcs, polygon) for polygon in polygons]
    if len(texts) < 2:
        return "".join(texts)
    inner = " ".join("Polygon " + _coordinates(wcs, polygon) for polygon in polygons)
    return f"Union ICRS ({inner})"


def read_outline(text: str) -> list[Double]:
    """Return the polygons (m, 2) of right ascension and declination that an outline holds."""
    words = text.replace("(", " ").replace(")", " ").split()
    found: list[list[float]] = []
    for word in words:
        if word == "Polygon":
            found.append([])
        elif word not in {"Union", "ICRS"}:
            found[-1].append(float(word))
    return [np.array(numbers).reshape(-1, 2) for numbers in found]


def _coordinates(wcs: Any, polygon: Double) -> str:
    ra, dec = icrs(wcs, polygon[:, 0], polygon[:, 1])
    return " ".join(f"{r:.5f} {d:.5f}" for r, d in zip(ra, dec, strict=True))


def _sign(value: float) -> str:
    return "-" if value < 0 else "+"


def _truncated(value: float, decimals: int) -> str:
    """Write hours or degrees as HHMMSS[.s], truncated."""
    unit = 10**decimals
    ticks = int(value * 3600 * unit + 1e-6)
    seconds, fraction = divmod(ticks, unit)
    tail = f".{fraction:0{decimals}d}" if decimals else ""
    return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}{tail}"
