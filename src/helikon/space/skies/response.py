"""How the sensitivity of a field falls outwards: primary beam and the edge of a mosaic."""

import numpy as np
import numpy.typing as npt

from helikon.space.skies.imaging import FWHM_PER_SIGMA
from helikon.space.skies.options import SceneOptions

__all__ = ["draw_response"]

LEAST_RESPONSE = 0.05
LEAST_AT_EDGE = 0.15

Image = npt.NDArray[np.float32]


def draw_response(rng: np.random.Generator, n: int, options: SceneOptions) -> Image:
    """Return the field's sensitivity.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
        Pixels along each side of the grid, whose middle the field is.
    options : SceneOptions
        ``primary_beam`` and ``edges`` count.

    Returns
    -------
    ndarray of float32, shape (n, n)
        1 in the middle.
    """
    response = np.ones((n, n))
    if options.primary_beam > 0:
        sigma = options.primary_beam * options.size / FWHM_PER_SIGMA
        axis = np.exp(-0.5 * ((np.arange(n) - n / 2) / sigma) ** 2)
        response = np.maximum(np.outer(axis, axis), LEAST_RESPONSE)
    if rng.random() < options.edges:
        response = response * _edge(rng, n, options.size)
    return np.maximum(response, LEAST_RESPONSE).astype(np.float32)


def _edge(rng: np.random.Generator, n: int, size: int) -> npt.NDArray[np.float64]:
    """Fall towards one side, as at the edge of a mosaic."""
    along = np.abs((np.arange(n) - (n - size) / 2) / size)
    start, width = rng.uniform(0.88, 1.05), rng.uniform(0.015, 0.05)
    fall = np.maximum(1 / (1 + np.exp(np.clip((along - start) / width, -30, 30))), LEAST_AT_EDGE)
    return np.rot90(np.broadcast_to(fall, (n, n)), int(rng.integers(4)))
