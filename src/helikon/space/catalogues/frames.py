"""Frames of positions: what catalogues call them, and the way to ICRS."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.coordinates import FK4, FK5, ICRS, Galactic, SkyCoord

__all__ = ["named_frame", "to_icrs"]

Double = npt.NDArray[np.float64]
_B1950 = re.compile(r"(?<!\d)B?1950(\.0*)?(?!\d)", re.IGNORECASE)


def named_frame(system: str, equinox: str = "") -> Any:
    """Return the astropy frame of a name as COOSYS, RADESYS or DS9 writes it.

    Parameters
    ----------
    system : str
        As ``ICRS``, ``eq_FK5``, ``FK4``, ``galactic``; empty for none said.
    equinox : str
        As ``J2000``, ``1950.0``; empty for that of the system.

    Returns
    -------
    astropy frame
        ICRS where neither says anything else.
    """
    word = system.strip().lower().removeprefix("eq_")
    if "gal" in word:
        return Galactic()
    number = equinox.strip().upper()
    if _B1950.search(number) or _B1950.search(word) or "fk4" in word:
        return FK4(equinox=_besselian(number))
    if "fk5" in word or "j2000" in word:
        return FK5(equinox=_julian(number))
    if not number or "icrs" in word or float(_julian(number)[1:]) == 2000:
        return ICRS()  # J2000 without a system: FK5 and ICRS differ by milliarcseconds
    return FK5(equinox=_julian(number))


def to_icrs(longitude: Double, latitude: Double, frame: Any) -> tuple[Double, Double]:
    """Turn degrees in a frame to right ascension and declination in degrees (ICRS); NaN stays NaN."""
    usable = np.isfinite(longitude) & np.isfinite(latitude) & (np.abs(latitude) <= 90)
    ra, dec = np.full(len(longitude), np.nan), np.full(len(longitude), np.nan)
    if usable.any():
        position = SkyCoord(longitude[usable], latitude[usable], unit="deg", frame=frame).icrs
        ra[usable], dec[usable] = position.ra.deg, position.dec.deg
    return ra, dec


def _besselian(equinox: str) -> str:
    number = equinox.lstrip("BJ") or "1950"
    return f"B{number}"


def _julian(equinox: str) -> str:
    number = equinox.lstrip("BJ") or "2000"
    return f"J{number}"
