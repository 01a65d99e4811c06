"""Least squares in noise that is correlated over a beam: what radio maps have.

Pixels of an interferometer's map are not independent: cleaned and dirty noise
alike vary over about a beam. Fits that take them as independent smooth the map
with the beam once more and are a third less precise (and the usual errors are
not honest). Here the covariance of two pixels is a Gaussian of the beam's
shape, plus a little white noise for what no Gaussian describes; a map whose
noise is whiter than that, as made-up ones may be, is measured with what it has.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from helikon.space.measures.gaussians import Grid

__all__ = ["Correlated", "covariance", "n_independent", "white_share"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

WHITE = 0.1
"""Least variance of the white part, in units of the local variance."""
QUIET_SIGMA = 3.0
"""Pixels below this are taken for noise, where its correlation is measured."""
MOST_ROWS = 512
"""Rows and columns of the map that are asked."""
_UNUSED = 1e6
"""Variance of a pixel that does not count."""


def white_share(significance: Float, form: tuple[float, float, float]) -> float:
    """Return the part of a map's noise that is white: what neighbours lack in correlation.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
        (map - background) / rms; NaN where blank.
    form : tuple of float
        a, b, c of the beam in pixels.

    Returns
    -------
    float
        0 to 1; 0 where it is less than what is allowed for in any map.
    """
    step = max(1, min(significance.shape) // MOST_ROWS)
    along = (significance[::step], significance[:, ::step].T)
    shares = []
    for rows, curvature in zip(along, (form[0], form[2]), strict=True):
        quiet = np.where(np.abs(rows) < QUIET_SIGMA, rows, np.nan)
        quiet = quiet - np.nanmean(quiet) if np.isfinite(quiet).any() else quiet
        pairs = quiet[:, 1:] * quiet[:, :-1]
        power = np.nanmean(quiet**2) if np.isfinite(pairs).any() else 0.0
        if power > 0:
            shares.append(1 - np.nanmean(pairs) / power / np.exp(-0.5 * curvature))
    share = float(np.clip(np.mean(shares), 0, 1)) if shares else 0.0
    return share if share > WHITE else 0.0


def covariance(grid: Grid, form: tuple[float, float, float], white: float = 0.0) -> Double:
    """Return the covariance (p, p) of a grid's pixels in units of the local variance.

    Parameters
    ----------
    white : float
        See :func:`white_share`.
    """
    dx, dy = (axis[:, None] - axis for axis in (grid.dx, grid.dy))
    a, b, c = form
    smooth = np.exp(-0.5 * (a * dx**2 + 2 * b * dx * dy + c * dy**2))
    return np.asarray((1 - white) * smooth + max(white, WHITE) * np.eye(len(dx)))


def n_independent(matrix: Double, white: float = 0.0) -> float:
    """Return how much chi squared real noise, so correlated, gives to whitened pixels."""
    values = np.linalg.eigvalsh(matrix)
    return float(np.sum(np.clip(1 - (max(white, WHITE) - white) / values, 0, None)))


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
        as_rows = stack.reshape(-1, stack.shape[-1]) if stack.shape[1] > 1 else stack
        white = (as_rows @ self.whitener.T).reshape(stack.shape)
        for place, row in enumerate(rows.tolist()):
            if row in self.own:
                white[place] = stack[place] @ self.own[row].T
        return np.asarray(white)


def _whitener(matrix: Double) -> Double:
    return np.asarray(np.linalg.inv(np.linalg.cholesky(matrix)))
