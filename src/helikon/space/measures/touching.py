"""Fit the shapes of pieces that touch: in turn, each less its neighbours, and jointly where close."""

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from helikon.space.blends import GAIN_OF_POINTS, N_STEPS_OF_POINTS, fit_together
from helikon.space.detect import Pieces
from helikon.space.groups import grouped
from helikon.space.measures.gaussians import (
    MOST_STAMP_PIXELS,
    Grid,
    Plain,
    evaluate,
    fit_gaussians,
    in_beams,
)
from helikon.space.measures.stamps import Stamps

__all__ = ["Touching"]

Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
Form = tuple[float, float, float]

N_ROUNDS = 4
"""Times that touching pieces are fitted with their neighbours subtracted."""
CLOSE, MOST_CLOSE = 1.5, 4
"""Pieces nearer than so many beam widths, so many of them at most, are fitted jointly."""


@dataclasses.dataclass(frozen=True, slots=True)
class Touching:
    """The stamps of n pieces that share islands.

    Attributes
    ----------
    grid : Grid
        Offsets of p pixels from the pieces' middles.
    places : ndarray of int, shape (n, 2)
        The middles, x and y in the map.
    island : ndarray of int, shape (n,)
    index : ndarray of int, shape (n, p)
        Pixels in the flattened map.
    values : ndarray, shape (n, p)
        Map less background.
    weights : ndarray, shape (n, p)
        1 for the pixels that are fitted.
    one, other : ndarray of int, shape (m,)
        ``other`` shines on the stamp of ``one``; ordered by the first, then the second.
    """

    grid: Grid
    places: Int
    island: Int
    index: Int
    values: Double
    weights: Double
    one: Int
    other: Int

    @classmethod
    def of(cls, stamps: Stamps, rows: Int, pieces: Pieces) -> "Touching":
        """Take some rows of stamps; pairs are those of one island whose stamps overlap."""
        at = stamps.piece[rows]
        places = np.stack([pieces.x[at], pieces.y[at]], axis=1).astype(np.int64)
        island = pieces.island[at].astype(np.int64)
        pairs = _pairs(places, 2 * float(stamps.grid.dx.max()), island, p=np.inf)
        pairs = np.concatenate([pairs, pairs[:, ::-1]])
        one, other = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].T
        pixels = stamps.index[rows], stamps.values[rows], stamps.weights[rows]
        return cls(stamps.grid, places, island, *pixels, one, other)

    def fit(self, start: Double, form: Form) -> tuple[Double, Double]:
        """Fit free shapes.

        Parameters
        ----------
        start : ndarray, shape (n, 6)
            Peak, x, y from the piece's middle, a, b, c.
        form : tuple of float
            a, b, c of the beam in pixels.

        Returns
        -------
        parameters : ndarray, shape (n, 6)
        values : ndarray, shape (n, p)
            The stamps, less the models of the other pieces.
        """
        parameters, everyone = start, np.arange(len(start))
        for _ in range(N_ROUNDS):
            values = self._less(parameters, everyone, np.arange(len(self.one)))
            parameters = fit_gaussians(values, Plain(self.weights), self.grid, parameters)[0]
        for members in self._close(parameters, form):
            parameters[members] = self._jointly(parameters, members)
        return parameters, self._less(parameters, everyone, np.arange(len(self.one)))

    def _less(self, parameters: Double, rows: Int, pairs: Int) -> Double:
        """Return the stamps of some rows, in order, less what the others of these pairs shine on them."""
        values, place = self.values[rows], np.searchsorted(rows, self.one)
        step, reach = max(1, MOST_STAMP_PIXELS // values.shape[1]), self.grid.dx.max()
        for part in (pairs[i : i + step] for i in range(0, len(pairs), step)):
            shift = self.places[self.other[part]] - self.places[self.one[part]]
            dx, dy = self.grid.dx - shift[:, :1], self.grid.dy - shift[:, 1:]
            reached = (np.abs(dx) <= reach) & (np.abs(dy) <= reach)
            models = evaluate(parameters[self.other[part]], dx, dy) * reached
            np.subtract.at(values, place[part], models)
        return values

    def _close(self, parameters: Double, form: Form) -> list[Int]:
        """Return groups of pieces that are close to each other: fits in turn converge slowly there."""
        a, b, c = parameters[:, 3:].T
        is_ellipse = np.flatnonzero((a > 0) & (a * c > b * b))
        places = in_beams(self.places + parameters[:, 1:3], form)[is_ellipse]
        pairs = is_ellipse[_pairs(places, CLOSE, self.island[is_ellipse])]
        n = len(parameters)
        graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
        _, group = connected_components(graph, directed=False)
        return [members for members in grouped(group) if 1 < len(members) <= MOST_CLOSE]

    def _jointly(self, parameters: Double, members: Int) -> Double:
        """Fit some pieces together over the pixels of their stamps, less all the others."""
        starts, ends = (np.searchsorted(self.one, members, side=side) for side in ("left", "right"))
        pairs = np.concatenate([np.arange(i, j) for i, j in zip(starts, ends, strict=True)])
        pairs = pairs[~np.isin(self.other[pairs], members)]
        used, middles = self.weights[members] > 0, self.places[members]
        x, y = ((middles[:, [i]] + offset)[used] for i, offset in enumerate((self.grid.dx, self.grid.dy)))
        _, first = np.unique(self.index[members][used], return_index=True)
        values = self._less(parameters, members, pairs)[used]
        moved = parameters[members]
        moved[:, 1:3] += middles
        fitted = fit_together(
            values[first], x[first], y[first], moved, n_steps=N_STEPS_OF_POINTS, gain=GAIN_OF_POINTS
        )
        fitted[:, 1:3] -= middles
        return fitted


def _pairs(places: npt.NDArray[np.generic], reach: float, island: Int, p: float = 2.0) -> Int:
    """Return the pairs (m, 2) of places of one island that are within reach."""
    pairs = cKDTree(places).query_pairs(reach, p=p, output_type="ndarray")
    return np.asarray(pairs[island[pairs[:, 0]] == island[pairs[:, 1]]])
