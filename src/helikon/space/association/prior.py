"""How likely a map is to hold galaxies of several pieces, before any pair of its pieces is looked at.

Two bright points a few beams apart are mostly a double in a field of radio
galaxies, and chance in a map of points. What a map is shows in all of its
pieces together: how many of the bright ones are wide, and how many pairs are
one source beyond doubt. It only ever speaks against pairs: the judges know maps
that hold galaxies.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import expit

__all__ = ["MAP_FEATURES", "map_features"]

Double = npt.NDArray[np.float64]

MAP_FEATURES = ("wide", "wider", "widest", "sure", "doubtful")
"""Names of the columns: logarithms.

The first three are ``Shapes.wide``. ``sure`` and ``doubtful`` are the numbers of
pairs of one source that the judge expects among those it is sure of and among
the others, over the number of pairs."""
SURE, LEAST = 2.2, -3.0
"""Log odds from which a pair is surely one source, and from which it counts at all."""
PRIOR_KIN, PRIOR_PAIRS = 0.5, 30.0
"""Half a true pair among thirty counts as if it had been seen: few pairs do not say."""


def map_features(wide: tuple[float, ...], logits: Double) -> Double:
    """Return what a map, or a tile of it, tells of itself, shape (1, 5), columns as in ``MAP_FEATURES``.

    Parameters
    ----------
    wide : tuple of float
        From ``Shapes.wide``.
    logits : ndarray, shape (n,)
        The judge's log odds that pairs are one source; of all pairs of the tile.
    """
    sure = logits > SURE
    expected = [expit(logits[some]).sum() for some in (sure, (logits > LEAST) & ~sure)]
    shares = (np.array(expected) + PRIOR_KIN) / (len(logits) + PRIOR_PAIRS)
    return np.array([[*wide, *np.log(shares)]])
