"""Between pixels and the sky: positions, and ellipses that turn with it."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord
from astropy.wcs.utils import wcs_to_celestial_frame

from helikon.space.fits import RadioMap
from helikon.space.gaussians import ellipse_of_form, form_of_ellipse

__all__ = ["SkyEllipses", "beam_form", "icrs", "sky_axes", "sky_ellipses"]

Double = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SkyEllipses:
    """Ellipses on the sky.

    Attributes
    ----------
    major, minor : ndarray, shape (n,)
        FWHM in arcseconds.
    angle : ndarray, shape (n,)
        Position angle of the major axis in degrees, north through east, 0 to 180.
    """

    major: Double
    minor: Double
    angle: Double


def icrs(wcs: Any, x: Double, y: Double) -> tuple[Double, Double]:
    """Return right ascension and declination in degrees (ICRS) of pixels from 0."""
    if len(x) == 0:
        return np.empty(0), np.empty(0)
    position = wcs.pixel_to_world(x, y).icrs
    return np.asarray(position.ra.deg), np.asarray(position.dec.deg)


def sky_axes(wcs: Any, x: Double, y: Double, *, native: bool = False) -> Double:
    """Return the matrices (n, 2, 2) from pixel steps (x, y) to arcseconds (east, north).

    Parameters
    ----------
    native : bool
        East and north of the map's own frame, not of ICRS.
    """
    frame = wcs_to_celestial_frame(wcs) if native else "icrs"
    here, right, up = (
        SkyCoord(wcs.pixel_to_world(x + dx, y + dy)).transform_to(frame)
        for dx, dy in ((0, 0), (0.5, 0), (0, 0.5))
    )
    columns = [[2 * offset.arcsec for offset in here.spherical_offsets_to(end)] for end in (right, up)]
    return np.asarray(np.array(columns).transpose(2, 1, 0))


def beam_form(radio_map: RadioMap) -> tuple[float, float, float]:
    """Return a, b, c of the beam in pixels (see ``gaussians``) at the map's centre."""
    ny, nx = radio_map.data.shape
    axes = sky_axes(radio_map.wcs, np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2]), native=True)[0]
    beam = radio_map.beam
    form = form_of_ellipse(beam.major_arcsec, beam.minor_arcsec, np.radians(90 - beam.position_angle_deg))
    matrix = axes.T @ np.array([[form[0], form[1]], [form[1], form[2]]]) @ axes
    return float(matrix[0, 0]), float(matrix[0, 1]), float(matrix[1, 1])


def sky_ellipses(forms: Double, axes: Double) -> SkyEllipses:
    """Turn pixel ellipses ``forms`` (n, 3) to the sky with ``axes`` (n, 2, 2)."""
    matrices = np.empty((len(forms), 2, 2))
    matrices[:, 0, 0], matrices[:, 1, 1] = forms[:, 0], forms[:, 2]
    matrices[:, 0, 1] = matrices[:, 1, 0] = forms[:, 1]
    back = np.linalg.inv(axes)
    turned = back.transpose(0, 2, 1) @ matrices @ back
    major, minor, angle = ellipse_of_form(
        np.stack([turned[:, 0, 0], turned[:, 0, 1], turned[:, 1, 1]], axis=1)
    )
    return SkyEllipses(major=major, minor=minor, angle=np.mod(90 - np.degrees(angle), 180))
