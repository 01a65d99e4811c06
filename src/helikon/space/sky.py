"""Between pixels and the sky: positions, and ellipses that turn with it."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord
from astropy.wcs.utils import wcs_to_celestial_frame

from helikon.space.fits import RadioMap
from helikon.space.measures.gaussians import FWHM, ellipse_of_form, form_of_ellipse

__all__ = ["SkyEllipses", "beam_form", "deconvolve", "icrs", "sky_axes", "sky_ellipses", "sky_positions"]

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
    position = sky_positions(wcs, x, y)
    return np.asarray(position.ra.deg), np.asarray(position.dec.deg)


def sky_positions(wcs: Any, x: Double, y: Double) -> SkyCoord:
    """Return positions (ICRS) of pixels from 0."""
    return SkyCoord(wcs.pixel_to_world(x, y)).icrs


def sky_axes(wcs: Any, x: Double, y: Double, *, native: bool = False) -> Double:
    """Return the matrices (n, 2, 2) from pixel steps (x, y) to arcseconds (east, north).

    Parameters
    ----------
    native : bool
        East and north of the map's own frame, not of ICRS.
    """
    if len(x) == 0:
        return np.empty((0, 2, 2))
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


def deconvolve(forms: Double, beam: Double, axes: Double) -> SkyEllipses:
    """Subtract the beam's covariance from ellipses; an axis that is not wider than the beam's is 0.

    Parameters
    ----------
    forms : ndarray, shape (n, 3)
        a, b, c in pixels.
    beam : ndarray, shape (3,)
        The beam's.
    axes : ndarray, shape (n, 2, 2)
        See :func:`sky_axes`.
    """
    excess = _covariances(forms) - _covariances(beam[None])
    on_sky = axes @ excess @ axes.transpose(0, 2, 1)
    values, vectors = np.linalg.eigh(on_sky)
    widths = FWHM * np.sqrt(np.clip(values, 0, None))
    widths[values < 1e-6 * np.abs(axes[:, :1, 0]) ** 2] = 0
    angle = np.degrees(np.arctan2(vectors[:, 0, 1], vectors[:, 1, 1]))
    return SkyEllipses(
        major=widths[:, 1], minor=widths[:, 0], angle=np.where(widths[:, 1] > 0, np.mod(angle, 180), 0.0)
    )


def _covariances(forms: Double) -> Double:
    a, b, c = forms.T
    return np.asarray((np.array([[c, -b], [-b, a]]) / (a * c - b**2)).transpose(2, 0, 1))
