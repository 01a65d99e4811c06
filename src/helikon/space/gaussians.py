"""Fit many elliptical Gaussians at once.

One source is six numbers: peak, x, y and the three of the form
a dx² + 2 b dx dy + c dy², which is smooth where axes and angle are not. All
stamps go through one Levenberg-Marquardt loop of small matrices.
"""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["ellipse_of_form", "evaluate", "fit_gaussians", "form_of_ellipse"]

Double = npt.NDArray[np.float64]

FWHM = math.sqrt(8 * math.log(2))
"""Full width at half maximum of a Gaussian of unit standard deviation."""
N_STEPS = 25


def form_of_ellipse(major: float, minor: float, angle_rad: float) -> tuple[float, float, float]:
    """Return a, b, c of an ellipse with FWHM axes and the major axis at an angle from +x to +y."""
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    u, v = (FWHM / major) ** 2, (FWHM / minor) ** 2
    return u * cos**2 + v * sin**2, (u - v) * cos * sin, u * sin**2 + v * cos**2


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


def fit_gaussians(
    values: Double, weights: Double, x: Double, y: Double, start: Double, *, free_shape: bool = True
) -> tuple[Double, Double]:
    """Fit one Gaussian to each row.

    Parameters
    ----------
    values, weights, x, y : ndarray, shape (n, p)
        Pixels of n stamps; weight 0 leaves a pixel out.
    start : ndarray, shape (n, 6)
        Peak, x, y, a, b, c.
    free_shape : bool
        Fit a, b and c too, not the peak and position alone.

    Returns
    -------
    parameters : ndarray, shape (n, 6)
    cost : ndarray, shape (n,)
        Weighted sum of squared residuals.
    """
    n_free = 6 if free_shape else 3
    parameters, damping = start.copy(), np.full(len(start), 1e-3)
    cost = _cost(parameters, values, weights, x, y)
    for _ in range(N_STEPS):
        step = _step(parameters, values, weights, x, y, n_free, damping)
        tried = parameters.copy()
        tried[:, :n_free] += step
        new_cost = _cost(tried, values, weights, x, y)
        better = new_cost <= cost
        gain = np.where(better, cost - new_cost, 0.0)
        parameters[better] = tried[better]
        damping = np.clip(np.where(better, damping / 5, damping * 10), 1e-9, 1e9)
        cost = np.where(better, new_cost, cost)
        if np.all(gain <= 1e-7 * cost) and np.all(better | (damping > 1e3)):
            break
    return parameters, cost


def _cost(parameters: Double, values: Double, weights: Double, x: Double, y: Double) -> Double:
    a, b, c = parameters[:, 3:].T
    with np.errstate(over="ignore", invalid="ignore"):
        cost = np.sum(weights * (values - evaluate(parameters, x, y)) ** 2, axis=1)
    return np.asarray(np.where((a > 0) & (a * c > b**2) & np.isfinite(cost), cost, np.inf))


def _step(
    parameters: Double, values: Double, weights: Double, x: Double, y: Double, n_free: int, damping: Double
) -> Double:
    model = evaluate(parameters, x, y)
    slopes = _slopes(parameters, model, x, y)[:, :n_free]
    weighted = slopes * weights[:, None, :]
    normal = weighted @ slopes.transpose(0, 2, 1)
    diagonal = np.einsum("nii->ni", normal)
    diagonal += damping[:, None] * diagonal + 1e-30 * diagonal.max(axis=1, keepdims=True) + 1e-300
    gradient = np.einsum("nip,np->ni", weighted, values - model)
    scale = 1 / np.sqrt(diagonal)
    scaled = normal * scale[:, :, None] * scale[:, None, :] + 1e-12 * np.eye(n_free)
    return np.asarray(np.linalg.solve(scaled, (gradient * scale)[..., None])[..., 0] * scale)


def _slopes(parameters: Double, model: Double, x: Double, y: Double) -> Double:
    peak, x0, y0, a, b, c = (column[:, None] for column in parameters.T)
    dx, dy = x - x0, y - y0
    shape = model / np.where(peak == 0, 1e-300, peak)
    return np.stack(
        [
            shape,
            model * (a * dx + b * dy),
            model * (b * dx + c * dy),
            -0.5 * model * dx**2,
            -model * dx * dy,
            -0.5 * model * dy**2,
        ],
        axis=1,
    )
