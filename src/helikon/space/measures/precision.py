"""What the covariance of a fitted Gaussian means for what is in the catalogue."""

import dataclasses

import numpy as np
import numpy.typing as npt

from helikon.space.measures.uncertainty import GaussianErrors

__all__ = ["errors_of_covariance", "errors_of_sums"]

Double = npt.NDArray[np.float64]


def errors_of_covariance(
    parameters: Double, covariance: Double, axes: Double, *, flux: Double
) -> GaussianErrors:
    """Propagate the covariance of fits to errors on the sky.

    Parameters
    ----------
    parameters : ndarray, shape (n, 6)
        Peak, x, y, a, b, c in pixels.
    covariance : ndarray, shape (n, 6, 6)
        Theirs.
    axes : ndarray, shape (n, 2, 2)
        From pixel steps to arcseconds east and north.
    flux : ndarray, shape (n,)
        Relative errors of the flux densities, which whoever fitted knows.

    Notes
    -----
    First order. The axes are those of the eigenvectors of [[a, b], [b, c]],
    which turn as e₁·dM·e₂ / (λ₂ - λ₁).
    """
    peak, a, b, c = parameters[:, 0], *parameters[:, 3:].T
    matrices = np.stack([np.stack([a, b], axis=1), np.stack([b, c], axis=1)], axis=1)
    values, vectors = np.linalg.eigh(matrices)
    shape = covariance[:, 3:, 3:]
    wide, narrow = vectors[:, :, 0], vectors[:, :, 1]
    turn = _product(wide, narrow) / np.maximum(values[:, 1] - values[:, 0], 1e-12)[:, None]
    on_sky = axes @ covariance[:, 1:3, 1:3] @ axes.transpose(0, 2, 1)
    return GaussianErrors(
        peak=np.sqrt(covariance[:, 0, 0]) / np.abs(peak),
        flux=flux,
        major=0.5 * _root(_product(wide, wide), shape) / values[:, 0],
        minor=0.5 * _root(_product(narrow, narrow), shape) / values[:, 1],
        angle=np.minimum(np.degrees(_root(turn, shape)), 90.0),
        ra=np.sqrt(on_sky[:, 0, 0]),
        dec=np.sqrt(on_sky[:, 1, 1]),
    )


def errors_of_sums(
    errors: GaussianErrors, scatter: Double, axes: Double, *, peak: Double, flux: Double
) -> GaussianErrors:
    """Put the errors of sums and centres of brightness in place of a Gaussian's.

    Parameters
    ----------
    scatter : ndarray, shape (n, 2, 2)
        Covariance of the centre in squared pixels.
    peak, flux : ndarray, shape (n,)
        Relative errors of the highest pixel and of the sum.
    """
    on_sky = axes @ scatter @ axes.transpose(0, 2, 1)
    return dataclasses.replace(
        errors, peak=peak, flux=flux, ra=np.sqrt(on_sky[:, 0, 0]), dec=np.sqrt(on_sky[:, 1, 1])
    )


def _product(one: Double, other: Double) -> Double:
    """Return the derivative of one·M·other by a, b, c."""
    return np.stack(
        [
            one[:, 0] * other[:, 0],
            one[:, 0] * other[:, 1] + one[:, 1] * other[:, 0],
            one[:, 1] * other[:, 1],
        ],
        axis=1,
    )


def _root(slope: Double, covariance: Double) -> Double:
    return np.asarray(np.sqrt(np.maximum(np.einsum("ni,nij,nj->n", slope, covariance, slope), 0)))
