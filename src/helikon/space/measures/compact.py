"""Measure compact pieces: Gaussians, fitted together where they touch.

A first fit of free shape, over all pixels of the piece (``shapes.py``), says
whether a Gaussian describes it. Those that it does describe are measured by fits in
correlated noise (``correlated.py``) over the pixels within a beam width of the
peak: one of free shape, and for those that are not wide for sure another one
of the beam's shape and the area that the map speaks for (``usual_area.py``).
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from helikon.space.detect import Pieces
from helikon.space.measures.correlated import Correlated, covariance, n_independent
from helikon.space.measures.gaussians import Grid, fit_gaussians
from helikon.space.measures.shapes import fit_shapes
from helikon.space.measures.stamps import Stamps
from helikon.space.measures.usual_area import UsualArea

__all__ = ["CompactFits", "fit_pieces"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.intp]
Form = tuple[float, float, float]

RESOLVED_SIGMA = 3.0
"""Excess of integrated over peak flux density that makes a source resolved."""
LEAST_ERROR = 1e-9
"""Of a logarithm of an area."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CompactFits:
    """Gaussians of all pieces; only those that are ``good`` mean something.

    Attributes
    ----------
    parameters : ndarray, shape (n, 6)
        Peak (Jy/beam), x, y, a, b, c.
    covariance : ndarray, shape (n, 6, 6)
        Of the parameters; of an unresolved source's a, b, c as a fit of free shape has it.
    area_ratio : ndarray, shape (n,)
        Integrated over peak flux density: area of the Gaussian in beams.
    flux_error : ndarray, shape (n,)
        Relative error of the integrated flux density.
    largest_ratio : ndarray, shape (n,)
        What area_ratio is below, at three sigma.
    chi2 : ndarray, shape (n,)
        Reduced chi squared of the fit in correlated noise.
    good : ndarray of bool, shape (n,)
        The piece is compact and a Gaussian describes it.
    resolved : ndarray of bool, shape (n,)
        It is good and surely wider than the beam; other good ones have the beam's shape, and
        the area that is most probable for them in this map.
    """

    parameters: Double
    covariance: Double
    area_ratio: Double
    flux_error: Double
    largest_ratio: Double
    chi2: Double
    good: Bool
    resolved: Bool


def fit_pieces(
    data: Float,
    rms: Float,
    pieces: Pieces,
    form: Form,
    beam_fwhm_pixels: float,
    *,
    white: float = 0.0,
) -> CompactFits:
    """Fit a Gaussian to every piece.

    Parameters
    ----------
    data, rms : ndarray of float32, shape (ny, nx)
        Map less its background, and noise, in Jy/beam.
    form : tuple of float
        a, b, c of the beam in pixels.
    white : float
        Part of the noise that is not correlated, see ``correlated.white_share``.
    """
    parameters, good = np.zeros((len(pieces), 6)), np.zeros(len(pieces), dtype=bool)
    parameters[:, 3:] = form
    noise = rms[pieces.y, pieces.x].astype(np.float64)
    cores = []
    for shapes in fit_shapes(data, noise, pieces, form, beam_fwhm_pixels):
        parameters[shapes.stamps.piece], good[shapes.stamps.piece] = shapes.parameters, shapes.good
        cores.append(_Core.of(shapes.stamps, shapes.values, shapes.good))
    return _measure(_Core.join(cores), parameters, good, pieces, noise, form, white)


@dataclasses.dataclass(frozen=True, slots=True)
class _Core:
    """Pixels within a beam width of the peaks of good pieces, neighbours subtracted."""

    piece: Int
    grid: Grid
    values: Double
    used: Bool

    @classmethod
    def of(cls, stamps: Stamps, values: Double, chosen: Bool) -> "_Core":
        grid = Grid(stamps.grid.dx[stamps.core], stamps.grid.dy[stamps.core], stamps.grid.scale)
        used = stamps.free[chosen][:, stamps.core]
        return cls(stamps.piece[chosen], grid, values[chosen][:, stamps.core], used)

    @classmethod
    def join(cls, cores: list["_Core"]) -> "_Core | None":
        """Put those of all groups together: their grids are the same."""
        if not cores:
            return None
        piece, values, used = (
            np.concatenate([getattr(core, name) for core in cores]) for name in ("piece", "values", "used")
        )
        return cls(piece, cores[0].grid, values, used)


def _measure(
    core: _Core | None,
    parameters: Double,
    good: Bool,
    pieces: Pieces,
    noise: Double,
    form: Form,
    white: float,
) -> CompactFits:
    """Fit good pieces in correlated noise, free and with the most probable area; choose for each."""
    n = len(pieces)
    area, largest, chi2, resolved = np.ones(n), np.ones(n), np.ones(n), np.zeros(n, dtype=bool)
    spread, flux_error = np.zeros((n, 6, 6)), np.zeros(n)
    if core is not None and len(core.piece):
        at = core.piece
        offset = np.stack([pieces.x[at], pieces.y[at]], axis=1)
        local = parameters[at]
        local[:, 1:3] -= offset
        matrix = covariance(core.grid, form, white)
        problem = Correlated.of(matrix, core.used)
        free, cost = fit_gaussians(core.values, problem, core.grid, local)
        n_pixels = n_independent(matrix, white) * core.used.mean(axis=1)
        chi2[at] = cost / noise[at] ** 2 / np.maximum(n_pixels - 6, 1)
        sigma = noise[at] * np.sqrt(np.maximum(chi2[at], 1))
        spread_free = _spread(free, problem, core.grid, sigma)
        log_area, log_error, with_peak = _log_area(free, spread_free, form)
        is_wide = log_area > RESOLVED_SIGMA * log_error
        likely, doubt = UsualArea.of(log_area, log_error).given(log_area, log_error)
        shapes = np.exp(-likely)[:, None] * np.array(form)
        start = np.concatenate([local[:, :3], shapes], axis=1)
        usual, _ = fit_gaussians(core.values, problem, core.grid, start, free_shape=False)
        spread_usual = _spread(usual, problem, core.grid, sigma, n_free=3)
        # A peak falls where the area grows: by as much as both go together in the free fit.
        fall = with_peak / np.maximum(log_error, LEAST_ERROR) ** 2
        given_area = spread_usual[:, 0, 0].copy()
        spread_usual[:, 0, 0] += (usual[:, 0] * fall * doubt) ** 2
        chosen = np.where(is_wide[:, None], free, usual)
        spread[at] = np.where(is_wide[:, None, None], spread_free, _merged(spread_free, spread_usual))
        flux_error[at] = np.sqrt(
            np.where(
                is_wide,
                np.maximum(spread_free[:, 0, 0] / free[:, 0] ** 2 + 2 * with_peak + log_error**2, 0),
                given_area / usual[:, 0] ** 2 + ((1 + fall) * doubt) ** 2,
            )
        )
        chosen[:, 1:3] += offset
        parameters = parameters.copy()
        parameters[at], resolved[at] = chosen, is_wide
        area[at] = np.exp(np.where(is_wide, log_area, likely))
        largest[at] = np.exp(np.maximum(log_area, 0) + RESOLVED_SIGMA * log_error)
    return CompactFits(
        parameters=parameters, covariance=spread, area_ratio=area, flux_error=flux_error,
        largest_ratio=largest, chi2=chi2, good=good, resolved=resolved,
    )  # fmt: skip


def _spread(parameters: Double, problem: Correlated, grid: Grid, sigma: Double, *, n_free: int = 6) -> Double:
    """Return the covariance of fitted parameters, 0 for those that were not free."""
    model = np.exp(grid.to_terms(parameters) @ grid.terms)
    matrix, _ = problem.normal(np.arange(len(model)), model, model, grid.terms)
    slopes = grid.slopes(parameters)
    normal = (slopes.transpose(0, 2, 1) @ matrix @ slopes)[:, :n_free, :n_free]
    result = np.zeros((len(model), 6, 6))
    result[:, :n_free, :n_free] = np.linalg.pinv(normal, hermitian=True) * sigma[:, None, None] ** 2
    return result


def _merged(free: Double, point: Double) -> Double:
    """Take the shape's block of one covariance and the rest of the other."""
    merged = point.copy()
    merged[:, 3:, 3:] = free[:, 3:, 3:]
    return merged


def _log_area(parameters: Double, spread: Double, form: Form) -> tuple[Double, Double, Double]:
    """Return the logarithm of the area in beams, its error, and its covariance with that of the peak."""
    a, b, c = parameters[:, 3:].T
    determinant = a * c - b * b
    slope = np.stack([-0.5 * c, b, -0.5 * a], axis=1) / determinant[:, None]
    variance = np.einsum("ni,nij,nj->n", slope, spread[:, 3:, 3:], slope)
    log_area = 0.5 * np.log((form[0] * form[2] - form[1] ** 2) / determinant)
    with_peak = np.einsum("ni,ni->n", slope, spread[:, 0, 3:]) / parameters[:, 0]
    return log_area, np.sqrt(np.maximum(variance, 0)), with_peak
