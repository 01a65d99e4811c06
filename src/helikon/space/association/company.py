"""What the judge says of the other pairs of two pieces: whom each is kin to, and to whom both are.

A galaxy of three pieces is three pairs. One of them alone may leave a doubt
that the other two settle: a core that is kin to both lobes says that these
are one source, and a piece that is surely somebody else's is no lobe of mine.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from helikon.space.association.surroundings import Shapes

__all__ = ["COMPANY_FEATURES", "Company"]

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

COMPANY_FEATURES = (
    "kin_least", "kin_most", "next_kin_least", "next_kin_most", "n_kin_least", "n_kin_most",
    "third", "n_thirds", "torn", "n_torn", "third_along", "third_across", "third_snr_least",
    "third_snr_most", "kin_distance_least", "kin_distance_most", "kin_in_island",
)  # fmt: skip
"""Names of the columns.

``kin`` and ``next_kin`` are the log odds of the surest and second surest other
pair of each piece, ``n_kin`` the sum of the probabilities of all others.
``third`` is the piece that is kin to both, where the less sure of the two pairs
is surest: its log odds, its place along and across the line from one to the
other in units of their distance, and its signal to noise over theirs.
``torn`` is the probability that a piece is kin to one and not to the other."""
SUREST = 6.0
"""Log odds count up to here, either way."""
NONE = -8.0
"""Log odds of a pair that is not there."""
LEAST_BEAMS = 0.3
"""Pieces count as at least so far apart."""
FAR = 3.0
"""Coordinates of a third piece end here; one that is not there has them."""


class Company:
    """The pairs of some pieces, and where those are.

    Parameters
    ----------
    one, other : ndarray of int, shape (n,)
        Pieces of each pair.
    shapes : Shapes
    island : ndarray of int, shape (n_pieces,)
    beam_fwhm_pixels : float
    """

    def __init__(
        self,
        one: Int,
        other: Int,
        shapes: Shapes,
        island: npt.NDArray[np.int32],
        beam_fwhm_pixels: float,
    ) -> None:
        pieces, place = np.unique(np.concatenate([one, other]), return_inverse=True)
        self._one, self._other = place[: len(one)], place[len(one) :]
        self._n = len(pieces)
        self._x, self._y = (axis[pieces] / beam_fwhm_pixels for axis in (shapes.x, shapes.y))
        self._height = np.log(np.maximum(shapes.snr[pieces], 1))
        self._island = island[pieces]
        # Both ways round, in order of the piece: pairs of piece i are from first[i] to first[i + 1].
        here = np.concatenate([self._one, self._other])
        there = np.concatenate([self._other, self._one])
        self._order = np.lexsort((there, here))
        self._here, self._there = here[self._order], there[self._order]
        self._first = np.searchsorted(self._here, np.arange(self._n + 1))

    def tell(self, logits: Double, rows: Int) -> Double:
        """Return the features (k, 17) of some rows of the pairs, columns as in ``COMPANY_FEATURES``.

        Parameters
        ----------
        logits : ndarray, shape (n,)
            Log odds that each pair is one source.
        rows : ndarray of int, shape (k,)
        """
        if not len(rows):
            return np.zeros((0, len(COMPANY_FEATURES)))
        given = np.clip(logits, -SUREST, SUREST)
        one, other = self._one[rows], self._other[rows]
        along = np.tile(given, 2)[self._order]
        distance = self._distance(one, other)
        total = np.bincount(self._here, expit(along), minlength=self._n)
        own = expit(given[rows])
        ranked = self._ranked(along)
        alone = [self._others(ranked, *ends, distance) for ends in ((one, other), (other, one))]
        columns = [
            pick(*(kin[number] for kin in alone)) for number in (0, 1) for pick in (np.minimum, np.maximum)
        ]
        sums = total[one] - own, total[other] - own
        columns += [np.minimum(*sums), np.maximum(*sums)]
        columns += self._thirds(along, one, other, distance)
        columns += [pick(*(kin[2] for kin in alone)) for pick in (np.minimum, np.maximum)]
        columns += [alone[0][3] + alone[1][3]]
        return np.stack(columns, axis=1)

    def _ranked(self, along: Double) -> tuple[Double, Int]:
        """Log odds and the other piece of the three surest pairs of each piece, surest first."""
        order = np.lexsort((self._there, -along, self._here))
        logits = np.concatenate([along[order], np.full(3, NONE)])
        there = np.concatenate([self._there[order], np.full(3, -1)])
        at = self._first[:-1, None] + np.arange(3)
        missing = at >= self._first[1:, None]
        return np.where(missing, NONE, logits[at]), np.where(missing, -1, there[at])

    def _others(
        self, ranked: tuple[Double, Int], piece: Int, but: Int, distance: Double
    ) -> tuple[Double, Double, Double, Double]:
        """Of the pairs of a piece but one: the surest and next log odds, how far, whether in its island."""
        logits, there = ranked[0][piece], ranked[1][piece]
        left = np.argsort(there == but[:, None], axis=1, kind="stable")[:, :2]
        best, following = np.take_along_axis(logits, left, axis=1).T
        third = np.take_along_axis(there, left[:, :1], axis=1)[:, 0]
        is_there = best > -SUREST
        farther = np.where(is_there, np.log(self._distance(third, piece) / distance), 0.0)
        in_island = is_there & (self._island[third] == self._island[piece])
        return best, following, farther, in_island.astype(np.float64)

    def _distance(self, one: Int, other: Int) -> Double:
        apart = np.hypot(self._x[other] - self._x[one], self._y[other] - self._y[one])
        return np.asarray(np.maximum(apart, LEAST_BEAMS))

    def _thirds(self, along: Double, one: Int, other: Int, distance: Double) -> list[Double]:
        """Say how sure a third piece is kin to both or to one alone, and where the surest is."""
        row, third, to_one, to_other = self._common(along, one, other)
        p, q = expit(to_one), expit(to_other)
        torn = np.maximum(p * (1 - q), q * (1 - p))
        most_torn, surest = np.zeros(len(one)), np.full(len(one), NONE)
        np.maximum.at(most_torn, row, torn)
        both = np.minimum(to_one, to_other)
        np.maximum.at(surest, row, both)
        best = np.full(len(one), -1)
        is_best = (both == surest[row]) & (both > -SUREST)
        best[row[is_best]] = third[is_best]
        return [
            surest,
            np.bincount(row, p * q, minlength=len(one)),
            most_torn,
            np.bincount(row, torn, minlength=len(one)),
            *self._placed(best, one, other, distance),
        ]

    def _common(self, along: Double, one: Int, other: Int) -> tuple[Int, Int, Double, Double]:
        """Pieces that are paired with both: row, the piece, and the log odds of its two pairs."""
        n_of_one = self._first[one + 1] - self._first[one]
        row = np.repeat(np.arange(len(one)), n_of_one)
        within = np.arange(len(row)) - np.repeat(np.cumsum(n_of_one) - n_of_one, n_of_one)
        first = self._first[one][row] + within
        third = self._there[first]
        key = self._here * self._n + self._there
        wanted = other[row] * self._n + third
        second = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        found = key[second] == wanted
        return row[found], third[found], along[first[found]], along[second[found]]

    def _placed(self, third: Int, one: Int, other: Int, distance: Double) -> list[Double]:
        dx, dy = self._x[other] - self._x[one], self._y[other] - self._y[one]
        to_x, to_y = self._x[third] - self._x[one], self._y[third] - self._y[one]
        along = np.abs((to_x * dx + to_y * dy) / distance**2 - 0.5)
        across = np.abs(to_x * dy - to_y * dx) / distance**2
        weaker, stronger = (pick(self._height[one], self._height[other]) for pick in (np.minimum, np.maximum))
        higher = self._height[third] - stronger, self._height[third] - weaker
        is_there = third >= 0
        return [np.where(is_there, np.minimum(v, FAR), FAR) for v in (along, across)] + [
            np.where(is_there, v, -FAR) for v in higher
        ]
