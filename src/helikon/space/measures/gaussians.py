"""Fit many elliptical Gaussians at once.

One source is six numbers: peak, x, y and the three of the form
a dx² + 2 b dx dy + c dy², which is smooth where axes and angle are not. The
logarithm of a Gaussian is a polynomial of second degree, so that on stamps of
one grid all models are one matrix product, and so are all normal equations.
All stamps go through one Levenberg-Marquardt loop; those that have converged
leave it.
"""

import dataclasses
import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "FWHM",
    "MOST_STAMP_PIXELS",
    "Grid",
    "Plain",
    "Problem",
    "ellipse_of_form",
    "evaluate",
    "fit_gaussians",
    "form_of_ellipse",
    "in_beams",
]

Double = npt.NDArray[np.float64]

FWHM = math.sqrt(8 * math.log(2))
"""Full width at half maximum of a Gaussian of unit standard deviation."""
N_STEPS = 30
GAIN = 1e-6
"""Part of its cost by which a step must better a fit for the fit to go on."""
LEAST_PEAK = 1e-6
"""A start has this part of the stamp's brightness at least: its logarithm is fitted."""
FARTHEST = 20.0
"""A fit that runs away farther than this many scales is given up: the start is returned."""
MOST_STAMP_PIXELS = 2_000_000
"""Pixels of stamps that are fitted at once: bounds the memory."""
N_BITS = 30
"""Of the parameters that fits give."""
_ROWS, _COLUMNS = np.triu_indices(6)


def form_of_ellipse(major: float, minor: float, angle_rad: float) -> tuple[float, float, float]:
    """Return a, b, c of an ellipse with FWHM axes and the major axis at an angle from +x to +y."""
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    u, v = (FWHM / major) ** 2, (FWHM / minor) ** 2
    return u * cos**2 + v * sin**2, (u - v) * cos * sin, u * sin**2 + v * cos**2


def in_beams(places: Double, form: tuple[float, float, float]) -> Double:
    """Return places (n, 2), x and y, in coordinates where the Gaussian of that form is round and 1 wide."""
    a, b, c = form
    root = math.sqrt(a)
    u, v = root * places[:, 0] + b / root * places[:, 1], math.sqrt(c - b * b / a) * places[:, 1]
    return np.stack([u, v], axis=1) / FWHM


def ellipse_of_form(form: Double) -> tuple[Double, Double, Double]:
    """Return FWHM major, FWHM minor and angle from +x to +y of forms (n, 3); NaN for no ellipse."""
    a, b, c = form.T
    mean, half = (a + c) / 2, np.hypot((a - c) / 2, b)
    with np.errstate(invalid="ignore", divide="ignore"):
        major, minor = FWHM / np.sqrt(mean - half), FWHM / np.sqrt(mean + half)
    angle = np.mod(0.5 * np.arctan2(-2 * b, c - a), math.pi)
    return major, minor, angle


def evaluate(parameters: Double, x: Double, y: Double) -> Double:
    """Return the Gaussians of ``parameters`` (n, 6) at ``x`` and ``y`` (n, p)."""
    peak, x0, y0, a, b, c = (column[:, None] for column in parameters.T)
    dx, dy = x - x0, y - y0
    return np.asarray(peak * np.exp(-0.5 * (a * dx**2 + 2 * b * dx * dy + c * dy**2)))


@dataclasses.dataclass(frozen=True, slots=True)
class Grid:
    """Pixels that all stamps share.

    Attributes
    ----------
    dx, dy : ndarray, shape (p,)
        Offsets from the stamps' middle in pixels.
    scale : float
        Length in pixels that keeps the numbers near 1, as the beam's width.
    """

    dx: Double
    dy: Double
    scale: float

    @property
    def terms(self) -> Double:
        """The polynomial's terms 1, u, v, u², u v, v² at each pixel, (6, p)."""
        u, v = self.dx / self.scale, self.dy / self.scale
        return np.stack([np.ones_like(u), u, v, u * u, u * v, v * v])

    def to_terms(self, parameters: Double) -> Double:
        """Turn peak, x, y, a, b, c (n, 6) to the polynomial's coefficients (n, 6)."""
        peak, x, y, a, b, c = parameters.T
        s = self.scale
        constant = np.log(peak) - 0.5 * (a * x * x + 2 * b * x * y + c * y * y)
        slopes = (a * x + b * y) * s, (b * x + c * y) * s
        return np.stack([constant, *slopes, -0.5 * a * s**2, -b * s**2, -0.5 * c * s**2], axis=1)

    def from_terms(self, terms: Double) -> Double:
        """Turn coefficients back to peak, x, y, a, b, c; not finite where they are no ellipse's."""
        constant, along_x, along_y, *squares = terms.T
        s = self.scale
        a, b, c = (factor * value / s**2 for factor, value in zip((-2, -1, -2), squares, strict=True))
        with np.errstate(all="ignore"):
            determinant = a * c - b * b
            x = (c * along_x - b * along_y) / determinant / s
            y = (a * along_y - b * along_x) / determinant / s
            peak = np.exp(constant + 0.5 * (a * x * x + 2 * b * x * y + c * y * y))
        return np.stack([peak, x, y, a, b, c], axis=1)

    def slopes(self, parameters: Double) -> Double:
        """Return the derivatives of the coefficients by peak, x, y, a, b, c: (n, 6, 6)."""
        peak, x, y, a, b, c = parameters.T
        s, nought, half = self.scale, np.zeros_like(peak), np.full_like(peak, -0.5)
        rows = [
            [1 / peak, -(a * x + b * y), -(b * x + c * y), -0.5 * x * x, -x * y, -0.5 * y * y],
            [nought, s * a, s * b, s * x, s * y, nought],
            [nought, s * b, s * c, nought, s * x, s * y],
            [nought, nought, nought, s * s * half, nought, nought],
            [nought, nought, nought, nought, 2 * s * s * half, nought],
            [nought, nought, nought, nought, nought, s * s * half],
        ]
        return np.array(rows).transpose(2, 0, 1)


class Problem(Protocol):
    """What a fit makes small: cost and normal equations of some rows of stamps."""

    def cost(self, rows: npt.NDArray[np.intp], residual: Double) -> Double:
        """Return the cost (n,) of residuals (n, p)."""

    def normal(
        self, rows: npt.NDArray[np.intp], model: Double, residual: Double, terms: Double
    ) -> tuple[Double, Double]:
        """Return the normal matrices (n, 6, 6) and gradients (n, 6) of models (n, p)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plain:
    """Least squares with a weight (n, p) for each pixel; 0 leaves it out."""

    weights: Double

    def cost(self, rows: npt.NDArray[np.intp], residual: Double) -> Double:
        """Sum the weighted squares."""
        return np.asarray(np.einsum("np,np,np->n", self.weights[rows], residual, residual, optimize=False))

    def normal(
        self, rows: npt.NDArray[np.intp], model: Double, residual: Double, terms: Double
    ) -> tuple[Double, Double]:
        """Make them of products of terms that all stamps share."""
        weighted = self.weights[rows] * model
        products = (weighted * model) @ (terms[_ROWS] * terms[_COLUMNS]).T
        matrix = np.empty((len(model), 6, 6))
        matrix[:, _ROWS, _COLUMNS] = matrix[:, _COLUMNS, _ROWS] = products
        return matrix, (weighted * residual) @ terms.T


def fit_gaussians(
    values: Double, problem: Problem, grid: Grid, start: Double, *, free_shape: bool = True
) -> tuple[Double, Double]:
    """Fit one Gaussian to each row.

    Parameters
    ----------
    values : ndarray, shape (n, p)
        Pixels of n stamps; finite.
    problem : Problem
        What is made small.
    grid : Grid
        Where the p pixels are.
    start : ndarray, shape (n, 6)
        Peak (positive), x, y, from the middle of the stamp, a, b, c.
    free_shape : bool
        Fit a, b and c too, not the peak and position alone.

    Returns
    -------
    parameters : ndarray, shape (n, 6)
    cost : ndarray, shape (n,)
    """
    parameters, cost = start.copy(), np.zeros(len(start))
    n_rows = max(1, MOST_STAMP_PIXELS // max(1, values.shape[1]))
    for first in range(0, len(start), n_rows):
        rows = np.arange(first, min(first + n_rows, len(start)))
        parameters[rows], cost[rows] = _fit(values, problem, grid, start[rows], rows, 6 if free_shape else 3)
    return parameters, cost


def _fit(
    values: Double, problem: Problem, grid: Grid, start: Double, rows: npt.NDArray[np.intp], n_free: int
) -> tuple[Double, Double]:
    basis, scale = grid.terms, _scale(values[rows], start)
    scaled, begin = values[rows] / scale[:, None], start.copy()
    begin[:, 0] = np.maximum(start[:, 0] / scale, LEAST_PEAK)
    terms = grid.to_terms(begin)
    damping, going = np.full(len(start), 1e-3), np.arange(len(start))
    model = np.exp(terms @ basis)
    cost = problem.cost(rows, scaled - model)
    for _ in range(N_STEPS):
        matrix, gradient = problem.normal(rows[going], model, scaled[going] - model, basis)
        tried = terms[going]
        tried[:, :n_free] += _solve(matrix[:, :n_free, :n_free], gradient[:, :n_free], damping[going])
        new_model, is_ellipse = _models(tried, basis)
        new_cost = np.where(is_ellipse, problem.cost(rows[going], scaled[going] - new_model), np.inf)
        better = new_cost <= cost[going]
        gain = np.where(better, cost[going] - new_cost, 0.0)
        done = np.where(better, gain <= GAIN * cost[going], damping[going] > 1e4)
        accepted = going[better]
        terms[accepted], cost[accepted] = tried[better], new_cost[better]
        model = np.where(better[:, None], new_model, model)[~done]
        damping[going] = np.clip(np.where(better, damping[going] / 8, damping[going] * 10), 1e-9, 1e9)
        going = going[~done]
        if len(going) == 0:
            break
    found = grid.from_terms(terms)
    found[:, 0] *= scale
    lost = ~(np.isfinite(found).all(axis=1) & (np.abs(found[:, 1:3]) < FARTHEST * grid.scale).all(axis=1))
    found[lost] = start[lost]
    return _without_last_bits(found), cost * scale**2


def _without_last_bits(values: Double) -> Double:
    """Round to one part in 10⁹.

    The last bits of sums of products hang on where arrays lie in memory, and so on the process.
    """
    part, exponent = np.frexp(values)
    return np.asarray(np.ldexp(np.rint(np.ldexp(part, N_BITS)), exponent - N_BITS))


def _scale(values: Double, start: Double) -> Double:
    """Return a number (n,) by which each stamp's brightness is near 1."""
    return np.asarray(
        np.maximum(np.maximum(start[:, 0], 1e-3 * np.abs(values).max(axis=1, initial=0)), 1e-300)
    )


def _models(terms: Double, basis: Double) -> tuple[Double, npt.NDArray[np.bool_]]:
    """Return the models (n, p), and whether they are ellipses that a float holds."""
    is_ellipse = (terms[:, 3] < 0) & (4 * terms[:, 3] * terms[:, 5] > terms[:, 4] ** 2)
    exponent = terms @ basis
    is_ellipse &= exponent.max(axis=1) < 40
    return np.exp(np.minimum(exponent, 40)), is_ellipse


def _solve(matrix: Double, gradient: Double, damping: Double) -> Double:
    """Solve the damped normal equations, scaled so that their diagonals are 1."""
    n_free = matrix.shape[1]
    diagonal = np.einsum("nii->ni", matrix)
    diagonal = diagonal + 1e-14 * diagonal.max(axis=1, keepdims=True) + 1e-300
    scale = 1 / np.sqrt(diagonal)
    scaled = matrix * scale[:, :, None] * scale[:, None, :]
    scaled = scaled + (damping[:, None, None] + 1e-12) * np.eye(n_free)
    return np.asarray(np.linalg.solve(scaled, (gradient * scale)[..., None])[..., 0] * scale)
