"""Diffuse emission of the Galaxy, as much of it as the array can see."""

import numpy as np
import numpy.typing as npt
import scipy.fft

from helikon.space.skies.imaging import Imager, forward, inverse

__all__ = ["draw_diffuse"]

INDEX = -2.7
"""Of the power spectrum of brightness."""
N_FILAMENTS = 3

Image = npt.NDArray[np.float32]


def draw_diffuse(rng: np.random.Generator, imager: Imager) -> Image:
    """Draw diffuse emission.

    Parameters
    ----------
    rng : numpy.random.Generator
    imager : Imager
        What its baselines do not measure is missing: the largest scales, so
        there are negative bowls.

    Returns
    -------
    ndarray of float32, shape (n, n)
        Standard deviation 1, mean 0. A random field whose power falls with
        the spatial frequency to the -2.7, and thin positive filaments along
        the zero lines of such fields.
    """
    filaments = sum(_filaments(rng, imager.n) for _ in range(N_FILAMENTS))
    clouds = _seen(imager, _power_law(rng, imager.n))
    both = clouds + np.float32(rng.uniform(0.3, 1.5)) * _seen(imager, np.asarray(filaments))
    return np.asarray(both / both.std(), dtype=np.float32)


def _seen(imager: Imager, field: Image) -> Image:
    seen = inverse(forward(field) * imager.transfer, imager.n)
    seen -= seen.mean()  # no array measures it, though coarse cells of the (u, v) plane may hold it
    return np.asarray(seen / seen.std(), dtype=np.float32)


def _power_law(rng: np.random.Generator, n: int) -> Image:
    ky, kx = scipy.fft.fftfreq(n)[:, None], scipy.fft.rfftfreq(n)[None, :]
    k = np.hypot(kx, ky)
    k[0, 0] = np.inf
    white = rng.standard_normal((2, n, n // 2 + 1), dtype=np.float32)
    field = inverse((white[0] + 1j * white[1]) * (k ** (INDEX / 2)).astype(np.float32), n)
    return np.asarray(field / field.std(), dtype=np.float32)


def _filaments(rng: np.random.Generator, n: int) -> Image:
    """Ridges where a random field is zero, bright where another one is high."""
    ridge = np.exp(-0.5 * (_power_law(rng, n) / np.float32(rng.uniform(0.01, 0.04))) ** 2)
    return np.asarray(ridge * np.maximum(_power_law(rng, n), 0), dtype=np.float32)
