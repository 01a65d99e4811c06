"""Which pieces of a map can be joined to sources."""

import math

import numpy as np
import numpy.typing as npt

from helikon.space.detect import Pieces, find_pieces
from helikon.space.finder_settings import FinderSettings
from helikon.space.model import SourceModel

__all__ = ["find_candidates"]


def find_candidates(
    significance: npt.NDArray[np.float32],
    model: SourceModel | None,
    settings: FinderSettings,
    *,
    beam_fwhm_pixels: float,
) -> Pieces:
    """Find the pieces of a window that ``join_pieces`` works on.

    Faint islands are among them where there is a model, which may join them to others.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
        (map - background) / rms; NaN where blank.
    """
    return find_pieces(
        significance,
        seed_sigma=settings.seed_sigma,
        flood_sigma=settings.flood_sigma,
        beam_fwhm_pixels=beam_fwhm_pixels,
        faint_sigma=math.inf if model is None else settings.faint_sigma,
    )
