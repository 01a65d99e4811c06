"""Least squares in noise that is correlated over a beam: what radio maps have.

Pixels of an interferometer's map are not independent: cleaned and dirty noise
alike vary over about a beam. Fits that take them as independent smooth the map
with the beam once more and are a third less precise (and the usual errors are
not honest). Here the covariance of two pixels is a Gaussian of the beam's
shape, plus a little white noise for what no Gaussian describes.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from helikon.space.gaussians import Grid

__all__ = ["Correlated", "n_independent"]

Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

WHITE = 0.1
"""Variance of the white part, in units of the local variance."""
_UNUSED = 1e6
"""Variance of a pixel that does not count."""


def covariance(grid: Grid, form: tuple[float, float, float]) -> Double:
    """Return the covariance (p, p) of a grid's pixels in units of the local variance."""
    dx, dy = (axis[:, None] - axis for axis in (grid.dx, grid.dy))
    a, b, c = form
    return np.asarray(np.exp(-0.5 * (a * dx**2 + 2 * b * dx * dy + c * dy**2)) + WHITE * np.eye(len(dx)))


def n_independent(matrix: Double) -> float:
    """Return how much chi squared real noise of the beam's correlation gives to whitened pixels."""
    values = np.linalg.eigvalsh(matrix)
    return float(np.sum(np.clip(1 - WHITE / values, 0, None)))


@dataclasses.dataclass(frozen=True, slots=True)
class Correlated:
    """Generalised least squares; a ``gaussians.Problem``.

    Attributes
    ----------
    whitener : ndarray, shape (p, p)
        Makes the noise of complete stamps white.
    own : dict of int to ndarray
        Whiteners of stamps that have pixels which do not count.
    """

    whitener: Double
    own: dict[int, Double]

    @classmethod
    def of(cls, matrix: Double, used: Bool) -> "Correlated":
        """Prepare for stamps whose pixels count where ``used`` (n, p)."""
        own = {}
        for row in np.flatnonzero(~used.all(axis=1)).tolist():
            own[row] = _whitener(matrix + np.diag(np.where(used[row], 0.0, _UNUSED)))
        return cls(_whitener(matrix), own)

    def cost(self, rows: npt.NDArray[np.intp], residual: Double) -> Double:
        """Sum the squares of the whitened residuals."""
        white = self._whiten(rows, residual[:, None, :])[:, 0]
        return np.asarray(np.einsum("np,np->n", white, white))

    def normal(
        self, rows: npt.NDArray[np.intp], model: Double, residual: Double, terms: Double
    ) -> tuple[Double, Double]:
        """Make them of whitened derivatives."""
        slopes = self._whiten(rows, model[:, None, :] * terms)
        white = self._whiten(rows, residual[:, None, :])
        return slopes @ slopes.transpose(0, 2, 1), (slopes @ white.transpose(0, 2, 1))[..., 0]

    def _whiten(self, rows: npt.NDArray[np.intp], stack: Double) -> Double:
        """Whiten vectors (n, m, p)."""
        white = stack @ self.whitener.T
        for place, row in enumerate(rows.tolist()):
            if row in self.own:
                white[place] = stack[place] @ self.own[row].T
        return np.asarray(white)


def _whitener(matrix: Double) -> Double:
    return np.asarray(np.linalg.inv(np.linalg.cholesky(matrix)))
