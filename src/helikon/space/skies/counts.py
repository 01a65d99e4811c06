"""How many radio sources of which flux density the sky holds."""

import numpy as np
import numpy.typing as npt

__all__ = ["differential_counts", "draw_fluxes"]

# Hopkins et al. 2003, AJ 125, 465: log10 of the Euclid-normalised counts at
# 1.4 GHz (Jy^1.5 / sr) as a polynomial in log10(S / mJy), 0.05 to 1000 mJy.
_COEFFICIENTS = (0.859, 0.508, 0.376, -0.049, -0.121, 0.057, -0.008)
_FAINTEST_JY, _BRIGHTEST_JY = 50e-6, 1.0
_FAINT_SLOPE = -1.9  # of dN/dS below the polynomial's range
SPECTRAL_INDEX = -0.7  # S ~ nu^-0.7, synchrotron


def differential_counts(flux_jy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return dN/dS at 1.4 GHz.

    Parameters
    ----------
    flux_jy : ndarray
        Flux densities at 1.4 GHz, Jy.

    Returns
    -------
    ndarray
        Sources per Jy and steradian.
    """
    inside = np.clip(flux_jy, _FAINTEST_JY, _BRIGHTEST_JY)
    euclid = 10 ** np.polynomial.polynomial.polyval(np.log10(inside * 1e3), _COEFFICIENTS)
    slope = np.where(flux_jy < _FAINTEST_JY, _FAINT_SLOPE, -2.5)
    return np.asarray(euclid * inside**-2.5 * (flux_jy / inside) ** slope)


def draw_fluxes(
    rng: np.random.Generator,
    *,
    area_sr: float,
    faintest_jy: float,
    brightest_jy: float,
    frequency_hz: float = 1.4e9,
    density: float = 1.0,
) -> npt.NDArray[np.float64]:
    """Draw the flux densities of the sources in a piece of sky.

    Parameters
    ----------
    rng : numpy.random.Generator
    area_sr : float
        Steradian.
    faintest_jy, brightest_jy : float
        Range at ``frequency_hz``, Jy.
    frequency_hz : float
        The counts at 1.4 GHz are moved there with a spectral index of -0.7.
    density : float
        Multiplies the counts.

    Returns
    -------
    ndarray
        Jy at ``frequency_hz``, brightest first.
    """
    to_here = (frequency_hz / 1.4e9) ** SPECTRAL_INDEX
    edges = np.geomspace(faintest_jy / to_here, brightest_jy / to_here, 400)
    middles = np.sqrt(edges[1:] * edges[:-1])
    expected = differential_counts(middles) * np.diff(edges) * area_sr * density
    cumulative = np.concatenate([[0.0], np.cumsum(expected)])
    n_sources = rng.poisson(cumulative[-1])
    where = rng.uniform(0, cumulative[-1], n_sources)
    fluxes = np.exp(np.interp(where, cumulative, np.log(edges)))
    return np.asarray(np.sort(fluxes)[::-1] * to_here)
