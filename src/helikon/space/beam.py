"""The restoring beam: what it is, and where headers keep it."""

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from helikon.errors import InputError

__all__ = ["Beam", "beam_notes", "header_beam", "parse_beam"]

_EXPECTED = "FWHM in arcseconds, one number or MAJOR,MINOR,PA (PA in degrees, north through east)"
_CLEAN_BMAJ = re.compile(r"CLEAN\s+BMAJ=\s*(\S+)\s+BMIN=\s*(\S+)\s+BPA=\s*(\S+)")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Beam:
    """An elliptical Gaussian beam.

    Attributes
    ----------
    major_arcsec, minor_arcsec : float
        Full widths at half maximum in arcseconds; both positive, major first.
    position_angle_deg : float
        Of the major axis in degrees, north through east.
    """

    major_arcsec: float
    minor_arcsec: float
    position_angle_deg: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no beam."""
        sizes = (self.major_arcsec, self.minor_arcsec, self.position_angle_deg)
        if not (all(map(math.isfinite, sizes)) and 0 < self.minor_arcsec <= self.major_arcsec):
            raise InputError("the beam cannot be used", got=sizes, expected=_EXPECTED)

    @property
    def fwhm_arcsec(self) -> float:
        """Geometric mean of the two widths in arcseconds."""
        return math.sqrt(self.major_arcsec * self.minor_arcsec)

    @property
    def area_arcsec2(self) -> float:
        """Integral of the beam with unit peak, in square arcseconds."""
        return math.pi * self.major_arcsec * self.minor_arcsec / (4 * math.log(2))


def parse_beam(text: str) -> Beam:
    """Read a beam as a user writes it: ``6.5`` or ``7.1,6.2,-12``.

    Raises
    ------
    InputError
        If it is neither.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        numbers = [numbers[0], numbers[0], 0.0]
    if len(numbers) != 3:
        raise InputError("the beam cannot be read", got=repr(text), expected=_EXPECTED)
    major, minor, angle = numbers
    return Beam(major_arcsec=major, minor_arcsec=minor, position_angle_deg=angle)


def header_beam(header: Mapping[str, Any], history: Iterable[str] = ()) -> Beam | None:
    """Return the beam that a FITS header names, or None.

    Looks at BMAJ, BMIN and BPA in degrees, then at the ``CLEAN BMAJ`` line that
    AIPS leaves in HISTORY (the last one counts). Without a BMIN the beam is
    round; where BMIN is the larger one, the major axis lies at a right angle to
    BPA, which is that of BMAJ.
    """
    found = _from_degrees(header.get("BMAJ"), header.get("BMIN"), header.get("BPA"))
    for line in history if found is None else ():
        match = _CLEAN_BMAJ.search(line)
        if match:
            found = _from_degrees(*match.groups()) or found
    return found


def beam_notes(header: Mapping[str, Any]) -> list[str]:
    """Say what :func:`header_beam` assumed of BMAJ, BMIN and BPA."""
    if header_beam(header) is None:
        return []
    if header.get("BMIN") is None:
        return ["no BMIN: the beam is taken as round"]
    if float(header["BMIN"]) > float(header["BMAJ"]):
        return ["BMIN is larger than BMAJ: taken as the major axis, at BPA + 90 degrees"]
    return []


def _from_degrees(major: object, minor: object, angle: object) -> Beam | None:
    try:
        sizes = [3600 * float(str(value if value is not None else major)) for value in (major, minor)]
        position_angle = float(str(angle)) if angle is not None else 0.0
    except ValueError:
        return None
    if not all(size > 0 and math.isfinite(size) for size in sizes):
        return None
    if not math.isfinite(position_angle):
        position_angle = 0.0
    if sizes[1] > sizes[0]:
        position_angle = (position_angle + 90) % 180
    return Beam(major_arcsec=max(sizes), minor_arcsec=min(sizes), position_angle_deg=position_angle)
