"""Describe an island that is no single Gaussian by a few of them, fitted together.

The time is bounded: at most :data:`MOST_COMPONENTS` Gaussians on
:data:`MOST_PIXELS` pixels, twice :data:`N_STEPS` steps.
"""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.measures.gaussians import ellipse_of_form

__all__ = [
    "GAIN_OF_POINTS",
    "N_STEPS_OF_POINTS",
    "Blend",
    "Island",
    "fit_blend",
    "fit_points",
    "fit_together",
]

Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

MOST_COMPONENTS = 8
MOST_POINTS = 4
MOST_PIXELS = 1200
N_STEPS, GAIN = 14, 1e-4
"""Steps of a fit, and part of its cost by which one must better it for the fit to go on."""
N_STEPS_OF_POINTS, GAIN_OF_POINTS = 40, 1e-5
"""The same, where points are told apart."""
LEAST_SIGMA = 4.0
"""A component's start, and what it leaves, is this many local sigma at least."""
SEPARATION = 0.8
"""Components start this many beam widths apart, at least."""
LEAST_HALVES = 0.5
"""Two Gaussians in the place of one start this part of a beam apart, at least."""
START_WIDTH = 1.3
"""Their first widths in beams."""
SMALLEST, LARGEST = 0.7, 3.0
"""Widths of a component: in beams, and in island sizes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Blend:
    """Gaussians of one island.

    Attributes
    ----------
    parameters : ndarray, shape (m, 6)
        Peak, x, y, a, b, c; brightest first.
    chi2 : float
        Mean squared residual over the squared local noise.
    largest_residual : float
        In local noise.
    """

    parameters: Double
    chi2: float
    largest_residual: float


@dataclasses.dataclass(frozen=True, slots=True)
class Island:
    """An island, cut out of a map with what is around it.

    Attributes
    ----------
    image : ndarray, shape (h, w)
        Jy/beam, without background; finite.
    mask : ndarray of bool, shape (h, w)
        Its pixels.
    used : ndarray of bool, shape (h, w)
        These, and those without emission within half a beam.
    sigma : float
        Local noise.
    x0, y0 : int
        The first pixel's place in the map.
    """

    image: Double
    mask: Bool
    used: Bool
    sigma: float
    x0: int
    y0: int

    @classmethod
    def cut(
        cls,
        data: npt.NDArray[np.float32],
        rms: npt.NDArray[np.float32],
        labels: npt.NDArray[np.int32],
        y: npt.NDArray[np.int64],
        x: npt.NDArray[np.int64],
        fwhm: float,
    ) -> "Island":
        """Cut the pixels ``y`` and ``x`` out of a map; ``labels`` are 0 where no emission is."""
        (ny, nx), pad = data.shape, int(np.ceil(fwhm / 2))
        x0, y0 = max(0, int(x.min()) - pad), max(0, int(y.min()) - pad)
        box = slice(y0, min(ny, int(y.max()) + pad + 1)), slice(x0, min(nx, int(x.max()) + pad + 1))
        image = data[box].astype(np.float64)
        mask = np.zeros(image.shape, dtype=bool)
        mask[y - y0, x - x0] = True
        around = ndimage.distance_transform_edt(~mask) <= fwhm / 2
        used = mask | (around & (labels[box] == 0) & np.isfinite(image))
        return cls(np.nan_to_num(image), mask, used, float(np.median(rms[y, x])), x0, y0)

    def described(self, found: Double) -> Blend:
        """Say what Gaussians leave of the island, and give them positions in the map."""
        inside = (self.image - _model(found, self.mask.shape))[self.mask] / self.sigma
        order = np.argsort(-found[:, 0], kind="stable")
        in_map = found[order] + np.array([0, self.x0, self.y0, 0, 0, 0])
        return Blend(in_map, float(np.mean(inside**2)), float(np.abs(inside).max()))


def fit_blend(island: Island, form: tuple[float, float, float], fwhm: float) -> Blend:
    """Fit Gaussians to an island and what is around it.

    Parameters
    ----------
    form : tuple of float
        a, b, c of the beam in pixels.

    Returns
    -------
    Blend
        Positions in pixels of the map; at least one component.
    """
    image, mask, sigma = island.image, island.mask, island.sigma
    y, x = np.nonzero(island.used)
    step = -(-len(x) // MOST_PIXELS)
    fitted_x, fitted_y = x[::step].astype(float), y[::step].astype(float)
    values = image[island.used][::step]
    peaks = _peaks(image, mask, fwhm, sigma, MOST_COMPONENTS)
    start = _starts(image, peaks, form, START_WIDTH)
    found = _kept(fit_together(values, fitted_x, fitted_y, start), mask, sigma, form)
    room = MOST_COMPONENTS - len(found)
    residual, missed = _missed(island, found, fwhm, room)
    if room and len(missed):
        more = np.concatenate([found, _starts(residual, missed, form, START_WIDTH)])
        found = _kept(fit_together(values, fitted_x, fitted_y, more), mask, sigma, form)
    return island.described(found if len(found) else start[:1])


def fit_points(
    island: Island, form: tuple[float, float, float], fwhm: float, *, single: Double | None = None
) -> Blend:
    """Fit two Gaussians or more to an island, one after the other until they leave nothing.

    Parameters
    ----------
    single : ndarray, shape (6,), optional
        The one Gaussian that fits best, where it is known; positions in the map.

    Returns
    -------
    Blend
        Positions in pixels of the map. Whether one Gaussian would do is for others to say.
    """
    y, x = np.nonzero(island.used)
    fit = functools.partial(
        fit_together,
        island.image[island.used],
        x.astype(float),
        y.astype(float),
        n_steps=N_STEPS_OF_POINTS,
        gain=GAIN_OF_POINTS,
    )
    peaks = _peaks(island.image, island.mask, fwhm, island.sigma, MOST_POINTS)
    if single is not None and len(peaks) == 1:
        found = (single - np.array([0, island.x0, island.y0, 0, 0, 0]))[None]
    else:
        found = fit(_starts(island.image, peaks, form))
    while len(found) < MOST_POINTS:
        residual, missed = _missed(island, found, fwhm, 1)
        if not len(missed):
            break
        found = fit(np.concatenate([found, _starts(residual, missed, form)]))
    if len(found) == 1:
        found = fit(_halves(found[0], form))
    return island.described(found)


def _missed(island: Island, found: Double, fwhm: float, most: int) -> tuple[Double, npt.NDArray[np.intp]]:
    """Return what Gaussians leave of an island, and the highest maxima of that."""
    residual = np.where(island.mask, island.image - _model(found, island.mask.shape), 0.0)
    smooth = ndimage.gaussian_filter(residual, fwhm / 4)
    return residual, _peaks(smooth, island.mask, fwhm, island.sigma, most, always=False)


def _halves(whole: Double, form: tuple[float, float, float]) -> Double:
    """Return two beams (2, 6) along the long axis of a Gaussian, as far apart as its width in excess says."""
    major, _, angle = (value[0] for value in ellipse_of_form(whole[None, 3:]))
    beam = ellipse_of_form(np.array([form]))[0][0]
    apart = max(np.sqrt(max(major**2 - beam**2, 0.0)), LEAST_HALVES * beam)
    start = np.tile(np.array([whole[0] / 2, whole[1], whole[2], *form]), (2, 1))
    start[:, 1] += np.array([0.5, -0.5]) * apart * np.cos(angle)
    start[:, 2] += np.array([0.5, -0.5]) * apart * np.sin(angle)
    return start


def _peaks(
    image: Double, mask: Bool, fwhm: float, sigma: float, most: int, *, always: bool = True
) -> npt.NDArray[np.intp]:
    """Return (m, 2) rows and columns of the highest local maxima; the highest pixel if there is none."""
    size = 2 * max(1, round(SEPARATION * fwhm)) + 1
    inside = np.where(mask, image, -np.inf)
    highest = ndimage.maximum_filter(inside, size=size, mode="constant", cval=-np.inf)
    places = np.argwhere(mask & (inside == highest) & (inside > LEAST_SIGMA * sigma))
    if len(places) == 0 and always:
        places = np.array([np.unravel_index(int(np.argmax(inside)), inside.shape)])
    order = np.argsort(-inside[tuple(places.T)], kind="stable")
    return places[order[:most]]


def _starts(
    image: Double, peaks: npt.NDArray[np.intp], form: tuple[float, float, float], width: float = 1.0
) -> Double:
    """Return Gaussians of so many beams' width at the peaks."""
    start = np.empty((len(peaks), 6))
    start[:, 0] = np.maximum(image[tuple(peaks.T)], 1e-300)
    start[:, 1], start[:, 2] = peaks[:, 1], peaks[:, 0]
    start[:, 3:] = np.array(form) / width**2
    return start


def _model(parameters: Double, shape: tuple[int, ...]) -> Double:
    y, x = np.arange(shape[0])[:, None], np.arange(shape[1])[None]
    total = np.zeros(shape)
    for peak, x0, y0, a, b, c in parameters:
        total += peak * np.exp(-0.5 * (a * (x - x0) ** 2 + 2 * b * (x - x0) * (y - y0) + c * (y - y0) ** 2))
    return total


def _kept(parameters: Double, mask: Bool, sigma: float, form: tuple[float, float, float]) -> Double:
    """Leave out components that are none."""
    major, minor, _ = ellipse_of_form(parameters[:, 3:])
    beam = ellipse_of_form(np.array([form]))[1][0]
    height, width = mask.shape
    inside = (parameters[:, 1] > -1) & (parameters[:, 1] < width) & (parameters[:, 2] > -1)
    inside &= parameters[:, 2] < height
    good = inside & (parameters[:, 0] > sigma) & (minor > SMALLEST * beam)
    good &= major < LARGEST * np.hypot(*mask.shape)
    return np.asarray(parameters[good])


def fit_together(
    values: Double, x: Double, y: Double, start: Double, *, n_steps: int = N_STEPS, gain: float = GAIN
) -> Double:
    """Fit all Gaussians together by Levenberg-Marquardt; forms through their Cholesky factors."""
    scale = float(values.max())
    inner = _to_factors(start, scale)
    damping = 1e-2
    model, slopes = _evaluate(inner, x, y)
    residual = values / scale - model
    cost = float(residual @ residual)
    for _ in range(n_steps):
        normal = slopes @ slopes.T
        diagonal = np.diag(normal) + 1e-12
        step = np.linalg.solve(normal + np.diag(damping * diagonal + 1e-12), slopes @ residual)
        tried = inner + step.reshape(inner.shape)
        new_model, new_slopes = _evaluate(tried, x, y)
        new_residual = values / scale - new_model
        new_cost = float(new_residual @ new_residual)
        if new_cost < cost:
            gained, inner, slopes, residual = cost - new_cost, tried, new_slopes, new_residual
            cost, damping = new_cost, max(damping / 8, 1e-9)
            if gained < gain * cost:
                break
        else:
            damping *= 10
            if damping > 1e6:
                break
    return _from_factors(inner, scale)


def _evaluate(inner: Double, x: Double, y: Double) -> tuple[Double, Double]:
    """Return the sum of the Gaussians (p,) and its derivatives (6 m, p)."""
    peak, x0, y0, l1, l2, l3 = (column[:, None] for column in inner.T)
    dx, dy = x - x0, y - y0
    u, v = l1 * dx + l2 * dy, l3 * dy
    shape = np.exp(-0.5 * np.minimum(u * u + v * v, 100.0))
    model = peak * shape
    along = -model * u
    slopes = [shape, -along * l1, -along * l2 + model * v * l3, along * dx, along * dy, -model * v * dy]
    return model.sum(axis=0), np.stack(slopes, axis=1).reshape(-1, len(x))


def _to_factors(parameters: Double, scale: float) -> Double:
    peak, x, y, a, b, c = parameters.T
    l1 = np.sqrt(a)
    return np.stack([peak / scale, x, y, l1, b / l1, np.sqrt(np.maximum(c - (b / l1) ** 2, 1e-12))], axis=1)


def _from_factors(inner: Double, scale: float) -> Double:
    peak, x, y, l1, l2, l3 = inner.T
    return np.stack([peak * scale, x, y, l1**2, l1 * l2, l2**2 + l3**2], axis=1)
