"""Brightness units of maps: everything becomes Jy/beam."""

import re
import warnings

import astropy.units

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
_WORDS = re.compile(r"(micro|milli|[mnukMµμ]?)(Jy)|(beam|bm)|(pixel|pix)", re.I)
_PREFIXES = {"milli": "m", "micro": "u", "µ": "u", "μ": "u"}
_CAPITAL = re.compile("M[Jj][Yy]")


def to_jy_per_beam(unit: str, beam_area_pixels: float) -> tuple[float, str]:
    """Return the factor that turns values in ``unit`` to Jy/beam, and a note (or "").

    Parameters
    ----------
    unit : str
        BUNIT in any spelling of FITS; case does not matter (AIPS writes
        ``JY/BEAM``), so a leading ``M`` is milli. Empty means Jy/beam.
    beam_area_pixels : float
        Solid angle of the beam in pixels, for maps in Jy/pixel.

    Raises
    ------
    InputError
        If it is no flux density per beam or pixel.
    """
    unit = unit.strip()
    if not unit:
        return 1.0, "no BUNIT: taken as Jy/beam"
    found = _plain(unit) or _spelt_otherwise(unit)
    if found is None:
        raise InputError(
            "the map's unit (BUNIT) cannot be used",
            got=repr(unit),
            expected="Jy/beam, mJy/beam, uJy/beam or Jy/pixel",
        )
    factor, per = found
    if _CAPITAL.search(unit):
        unit = f"{unit} taken as milli, not mega, and"
    if per == "pixel":
        return factor * beam_area_pixels, f"{unit} turned to Jy/beam by the beam's area"
    return factor, "" if factor == 1 else f"{unit} turned to Jy/beam"


def _plain(unit: str) -> tuple[float, str] | None:
    """Read a unit as it mostly stands: its factor, and what it is per."""
    match = _UNIT.match(re.sub(r"[\s()]", "", unit))
    if match is None:
        return None
    return _FACTORS[match[1].lower()], "pixel" if match[2].lower().startswith("pix") else "beam"


def _spelt_otherwise(unit: str) -> tuple[float, str] | None:
    """Read a unit as FITS has it, but for the case: ``beam-1 Jy``, ``10**-3 Jy beam**(-1)``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read = astropy.units.Unit(_WORDS.sub(_as_in_fits, unit), format="fits")
        except (ValueError, TypeError):
            return None
    for per in ("beam", "pixel"):
        whole = astropy.units.Unit(f"Jy/{per}")
        if read.is_equivalent(whole):
            return float(read.to(whole)), per
    return None


def _as_in_fits(word: re.Match[str]) -> str:
    prefix, jansky, beam, _ = word.groups()
    if jansky:
        return _PREFIXES.get(prefix.lower(), prefix.lower()) + "Jy"
    return "beam" if beam else "pixel"
