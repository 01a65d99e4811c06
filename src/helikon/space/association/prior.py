"""How likely a map is to hold galaxies of several pieces, and what that means for a pair of them.

Two bright points a few beams apart are mostly a double in a field of radio
galaxies, and chance in a map of points; two blobs are lobes, or two discs of a
deep map that is full of them. What a map is shows in all of its pieces together:
how many are wide, how dense they are, and how many pairs are one source beyond
doubt. What that means for each kind of pair is learnt on top of judge and eye.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from helikon.space.association.pairs import PAIR_FEATURES

__all__ = ["MAP_FEATURES", "PRIOR_FEATURES", "map_features", "prior_features"]

Double = npt.NDArray[np.float64]

MAP_FEATURES = (
    "wide", "wider", "widest", "faint_wide", "faint_wider", "faint_widest", "density", "sure", "doubtful",
)  # fmt: skip
"""Logarithms. The first seven are ``Shapes.like``.

``sure`` and ``doubtful`` are the numbers of pairs of one source that the judge
expects among those it is sure of and among the others, over the number of pairs."""
OF_PAIR = (
    "distance", "same_island", "chance", "flux_ratio_least", "flux_ratio_most", "snr_least", "snr_most",
)  # fmt: skip
PRIOR_FEATURES = (*MAP_FEATURES, *OF_PAIR)
"""Names of the columns that a prior goes by: of the map, and which kind of pair it is."""
SURE, LEAST = 2.2, -3.0
"""Log odds from which a pair is surely one source, and from which it counts at all."""
PRIOR_KIN, PRIOR_PAIRS = 0.5, 30.0
"""Half a true pair among thirty counts as if it had been seen: few pairs do not say."""
_COLUMNS = [PAIR_FEATURES.index(name) for name in OF_PAIR]


def map_features(like: tuple[float, ...], logits: Double) -> Double:
    """Return what a map, or a tile of it, tells of itself, shape (9,), as in ``MAP_FEATURES``.

    Parameters
    ----------
    like : tuple of float
        From ``Shapes.like``.
    logits : ndarray, shape (n,)
        The judge's log odds that pairs are one source; of all pairs of the tile.
    """
    sure = logits > SURE
    expected = [expit(logits[some]).sum() for some in (sure, (logits > LEAST) & ~sure)]
    shares = (np.array(expected) + PRIOR_KIN) / (len(logits) + PRIOR_PAIRS)
    return np.array([*like, *np.log(shares)])


def prior_features(like: tuple[float, ...], logits: Double, features: Double) -> Double:
    """Return what a prior goes by, shape (n, 16), columns as in ``PRIOR_FEATURES``.

    Parameters
    ----------
    like, logits
        See :func:`map_features`.
    features : ndarray, shape (n, n_pair_features or more)
        Of the same pairs; columns as in ``PAIR_FEATURES``, and others after them.
    """
    of_map = np.tile(map_features(like, logits), (len(features), 1))
    return np.concatenate([of_map, features[:, _COLUMNS]], axis=1)
