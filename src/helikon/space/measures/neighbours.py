"""Which sources lie so near a bright one that what is left of its sidelobes may matter."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

__all__ = ["BRIGHTER", "NEAR_BEAMS", "are_near_bright", "flag_near_bright"]

BRIGHTER = 100.0
"""A source is bright to another with this many times its peak: sidelobes of a percent reach it."""
NEAR_BEAMS = 20.0
"""How near, in beam widths: the first rings of a dirty beam lie within."""


def are_near_bright(values: Mapping[str, Any], beam_arcsec: float) -> npt.NDArray[np.bool_]:
    """Say which sources are near a bright one.

    Parameters
    ----------
    values : Mapping[str, array]
        ``ra`` and ``dec`` in degrees, and ``peak_flux``, of all sources of a map.
    beam_arcsec : float
        FWHM of the beam.
    """
    peak = np.asarray(values["peak_flux"], dtype=np.float64)
    are_near = np.zeros(len(peak), dtype=bool)
    if len(peak) < 2 or beam_arcsec <= 0:
        return are_near
    ra, dec = (np.radians(np.asarray(values[name], dtype=np.float64)) for name in ("ra", "dec"))
    directions = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    bright = np.flatnonzero(peak > BRIGHTER * peak.min())
    reach = 2 * np.sin(np.radians(NEAR_BEAMS * beam_arcsec / 3600) / 2)
    around = cKDTree(directions).query_ball_point(directions[bright], reach)
    for source, near in zip(bright.tolist(), around, strict=True):
        are_near[near] |= peak[source] > BRIGHTER * peak[near]
    return are_near


def flag_near_bright(values: Mapping[str, Any], beam_arcsec: float) -> list[str]:
    """Return the column ``flags`` with the word ``near_bright`` where it holds, and only there."""
    flags = []
    for text, is_near in zip(values["flags"], are_near_bright(values, beam_arcsec).tolist(), strict=True):
        words = [word for word in str(text).split() if word != "near_bright"]
        flags.append(" ".join([*words, *(["near_bright"] if is_near else [])]))
    return flags
