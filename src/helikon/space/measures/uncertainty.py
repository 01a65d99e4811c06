"""Errors of fitted Gaussians in correlated noise, after Condon (1997, PASP 109, 166)."""

import dataclasses

import numpy as np
import numpy.typing as npt

from helikon.space.measures.gaussians import FWHM

__all__ = ["GaussianErrors", "deconvolved_errors", "gaussian_errors"]

Double = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GaussianErrors:
    """One-sigma errors, each an array of shape (n,).

    Attributes
    ----------
    peak, flux : ndarray
        Relative errors of peak and integrated flux density.
    major, minor : ndarray
        Relative errors of the axes.
    angle : ndarray
        Of the position angle in degrees, at most 90.
    ra, dec : ndarray
        Of the position in arcseconds on the sky.
    """

    peak: Double
    flux: Double
    major: Double
    minor: Double
    angle: Double
    ra: Double
    dec: Double


def gaussian_errors(
    snr: Double, major: Double, minor: Double, angle: Double, beam_fwhm: float
) -> GaussianErrors:
    """Return the errors that noise correlated over a beam causes.

    Parameters
    ----------
    snr : ndarray, shape (n,)
        Peak over noise.
    major, minor : ndarray, shape (n,)
        FWHM in arcseconds, as observed.
    angle : ndarray, shape (n,)
        Position angle in degrees.
    beam_fwhm : float
        Of the noise's correlation: the beam's, in arcseconds.

    Notes
    -----
    Equations 21, 41 and 42 of Condon (1997) with the exponents given there: 3/2 and
    3/2 for the peak, 5/2 and 1/2 for what goes with the major axis, 1/2 and
    5/2 for what goes with the minor axis.
    """
    major, minor = np.maximum(major, 1e-3 * beam_fwhm), np.maximum(minor, 1e-3 * beam_fwhm)
    along_major = _variance(snr, major, minor, beam_fwhm, 2.5, 0.5)
    along_minor = _variance(snr, major, minor, beam_fwhm, 0.5, 2.5)
    peak = _variance(snr, major, minor, beam_fwhm, 1.5, 1.5)
    flux = peak + beam_fwhm**2 / (major * minor) * (along_major + along_minor)
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.sqrt(2 * along_minor) * major * minor / (major**2 - minor**2)
    position = [along_major * (major / FWHM) ** 2, along_minor * (minor / FWHM) ** 2]
    sin2 = np.sin(np.radians(angle)) ** 2
    return GaussianErrors(
        peak=np.sqrt(peak),
        flux=np.sqrt(flux),
        major=np.sqrt(along_major),
        minor=np.sqrt(along_minor),
        angle=np.minimum(np.degrees(np.nan_to_num(turn, nan=np.pi, posinf=np.pi)), 90.0),
        ra=np.sqrt(position[0] * sin2 + position[1] * (1 - sin2)),
        dec=np.sqrt(position[0] * (1 - sin2) + position[1] * sin2),
    )


def deconvolved_errors(observed: Double, relative: Double, deconvolved: Double) -> Double:
    """Return the errors of deconvolved sizes, 0 where the size is.

    Parameters
    ----------
    observed, deconvolved : ndarray, shape (n,)
        FWHM before and after.
    relative : ndarray, shape (n,)
        Relative error of ``observed``.

    Notes
    -----
    The beam is known and squares of widths subtract, so what is added to one is added to the other.
    """
    inside = np.where(deconvolved > 0, deconvolved, 1.0)
    return np.where(deconvolved > 0, observed**2 * relative / inside, 0.0)


def _variance(snr: Double, major: Double, minor: Double, beam: float, p: float, q: float) -> Double:
    """2 / rho² of equation 41."""
    rho2 = (
        major
        * minor
        / (4 * beam**2)
        * (1 + (beam / major) ** 2) ** p
        * (1 + (beam / minor) ** 2) ** q
        * snr**2
    )
    return np.asarray(2 / np.maximum(rho2, 1e-12))
