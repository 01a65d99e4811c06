"""Brightness units of maps: everything becomes Jy/beam."""

import re

from helikon.errors import InputError

__all__ = ["to_jy_per_beam"]

_UNIT = re.compile(
    r"^(micro|milli|[mnukMµμ]?)Jy(?:/|per|\*\*-?|)(beam|bm|pixel|pix)(?:-1|\^-1|\*\*-1)?$", re.I
)
_FACTORS = {
    "": 1.0,
    "m": 1e-3,
    "milli": 1e-3,
    "u": 1e-6,
    "µ": 1e-6,
    "μ": 1e-6,
    "micro": 1e-6,
    "n": 1e-9,
    "k": 1e3,
}


def to_jy_per_beam(unit: str, beam_area_pixels: float) -> tuple[float, str]:
    """Return the factor that turns values in ``unit`` to Jy/beam, and a note (or "").

    Parameters
    ----------
    unit : str
        BUNIT as written; case does not matter (AIPS writes ``JY/BEAM``), so a
        leading ``M`` is milli. Empty means Jy/beam.
    beam_area_pixels : float
        Solid angle of the beam in pixels, for maps in Jy/pixel.

    Raises
    ------
    InputError
        If it is no flux density per beam or pixel.
    """
    if not unit.strip():
        return 1.0, "no BUNIT: taken as Jy/beam"
    match = _UNIT.match(re.sub(r"[\s()]", "", unit))
    if match is None:
        raise InputError(
            "the map's unit (BUNIT) cannot be used",
            got=repr(unit),
            expected="Jy/beam, mJy/beam, uJy/beam or Jy/pixel",
        )
    factor = _FACTORS[match[1].lower()]
    if match[2].lower().startswith("pix"):
        return factor * beam_area_pixels, f"{unit.strip()} turned to Jy/beam by the beam's area"
    return factor, "" if factor == 1 else f"{unit.strip()} turned to Jy/beam"
