"""Measure compact pieces: Gaussians, fitted together where they touch."""

import dataclasses

import numpy as np
import numpy.typing as npt

from helikon.space.detect import Pieces
from helikon.space.gaussians import ellipse_of_form, evaluate, fit_gaussians

__all__ = ["CompactFits", "fit_pieces"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

RADIUS = 1.0
"""Pixels this many beam widths around the peak are fitted (those of the piece always are)."""
HALF_STAMP = 2.0
"""Half the side of a stamp in beam widths."""
_NONE = np.empty(0, dtype=np.bool_)

N_ROUNDS = 4
"""Times that touching pieces are fitted with their neighbours subtracted."""
LARGEST = 2.5
SMALLEST = 0.6
"""Widths, in beams, between which a fit is that of a compact source."""
LEAST_HELD = 0.95
"""Part of the piece's brightness that the stamp holds."""
RESIDUAL_SIGMA, RESIDUAL = 6.0, 0.12
"""What a Gaussian may leave, in sigma or of the peak."""
RESOLVED_SIGMA = 3.0
"""Excess of integrated over peak flux density that makes a source resolved."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CompactFits:
    """Gaussians of all pieces; only those that are ``good`` mean something.

    Attributes
    ----------
    parameters : ndarray, shape (n, 6)
        Peak (Jy/beam), x, y, a, b, c.
    area_ratio : ndarray, shape (n,)
        Integrated over peak flux density: area of the Gaussian in beams; 1 if unresolved.
    good : ndarray of bool, shape (n,)
        The piece is compact and a Gaussian describes it.
    resolved : ndarray of bool, shape (n,)
        It is good and wider than the beam; other good ones have the beam's shape.
    """

    parameters: Double
    area_ratio: Double
    good: Bool
    resolved: Bool


def fit_pieces(
    data: Float, rms: Float, pieces: Pieces, form: tuple[float, float, float], beam_fwhm_pixels: float
) -> CompactFits:
    """Fit a Gaussian to every piece.

    Parameters
    ----------
    data, rms : ndarray of float32, shape (ny, nx)
        Map less its background, and noise, in Jy/beam.
    form : tuple of float
        a, b, c of the beam in pixels.
    """
    if len(pieces) == 0:
        return CompactFits(parameters=np.empty((0, 6)), area_ratio=np.empty(0), good=_NONE, resolved=_NONE)
    stamps = _Stamps.cut(data, pieces, form, beam_fwhm_pixels)
    noise = rms[pieces.y, pieces.x].astype(np.float64)
    beam = np.broadcast_to(np.array(form), (len(pieces), 3))
    start = np.column_stack([data[pieces.y, pieces.x], pieces.x, pieces.y, beam]).astype(np.float64)
    parameters, values = _fit_together(stamps, start, pieces, data.shape)
    area = _area_ratio(parameters[:, 3:], form)
    brightness = np.nan_to_num(data).ravel().astype(np.float64)
    total = np.bincount(pieces.labels.ravel(), brightness, minlength=len(pieces) + 1)[1:].astype(np.float64)
    good = _is_compact(parameters, values, stamps, total, pieces, noise, beam_fwhm_pixels, form)
    point = fit_gaussians(values, stamps.weights, stamps.x, stamps.y, start, free_shape=False)[0]
    excess = (area - 1) * parameters[:, 0] / noise
    resolved = good & (excess > RESOLVED_SIGMA * np.sqrt(1 + area))
    chosen = np.where(resolved[:, None] | ~good[:, None], parameters, point)
    return CompactFits(
        parameters=chosen, area_ratio=np.where(resolved, area, 1.0), good=good, resolved=resolved
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Stamps:
    """Pixels around each piece: positions, values, weights alone and among neighbours, all (n, p)."""

    x: Double
    y: Double
    index: npt.NDArray[np.int64]
    values: Double
    weights: Double
    own: Bool
    inside: Bool

    @classmethod
    def cut(cls, data: Float, pieces: Pieces, form: tuple[float, float, float], fwhm: float) -> "_Stamps":
        half = int(np.ceil(HALF_STAMP * fwhm))
        dy, dx = (offset.ravel() for offset in np.mgrid[-half : half + 1, -half : half + 1])
        y, x = pieces.y[:, None] + dy, pieces.x[:, None] + dx
        ny, nx = data.shape
        inside = (y >= 0) & (y < ny) & (x >= 0) & (x < nx)
        index = np.clip(y, 0, ny - 1).astype(np.int64) * nx + np.clip(x, 0, nx - 1)
        values = data.ravel()[index].astype(np.float64)
        labels = pieces.labels.ravel()[index]
        own = labels == np.arange(1, len(pieces) + 1)[:, None]
        island = np.concatenate([[0], pieces.island])[labels]
        near = form[0] * dx**2 + 2 * form[1] * dx * dy + form[2] * dy**2 < 8 * np.log(2) * RADIUS**2
        free = own | (near & ((labels == 0) | (island == pieces.island[:, None])))
        weights = (free & inside & np.isfinite(values)).astype(np.float64)
        return cls(
            x.astype(float), y.astype(float), index, np.nan_to_num(values), weights, own & inside, inside
        )


def _fit_together(
    stamps: _Stamps, start: Double, pieces: Pieces, shape: tuple[int, ...]
) -> tuple[Double, Double]:
    """Fit all; then fit the blended again and again with the neighbours' models subtracted."""
    blended = pieces.n_pieces_of_island > 1
    parameters = start.copy()
    part = [array[~blended] for array in (stamps.values, stamps.weights, stamps.x, stamps.y, start)]
    parameters[~blended] = fit_gaussians(*part)[0]
    values = stamps.values
    for _ in range(N_ROUNDS if blended.any() else 0):
        values = _without_neighbours(stamps, parameters, blended, shape)
        part = [array[blended] for array in (values, stamps.weights, stamps.x, stamps.y, parameters)]
        parameters[blended] = fit_gaussians(*part)[0]
    return parameters, values


def _without_neighbours(stamps: _Stamps, parameters: Double, blended: Bool, shape: tuple[int, ...]) -> Double:
    models = evaluate(parameters[blended], stamps.x[blended], stamps.y[blended])
    models *= stamps.inside[blended]
    image = np.bincount(stamps.index[blended].ravel(), models.ravel(), minlength=int(np.prod(shape)))
    values = stamps.values.copy()
    values[blended] += models - image[stamps.index[blended]]
    return values


def _area_ratio(forms: Double, form: tuple[float, float, float]) -> Double:
    beam = form[0] * form[2] - form[1] ** 2
    return np.asarray(np.sqrt(beam / np.maximum(forms[:, 0] * forms[:, 2] - forms[:, 1] ** 2, 1e-300)))


def _is_compact(
    parameters: Double,
    values: Double,
    stamps: _Stamps,
    total: Double,
    pieces: Pieces,
    noise: Double,
    fwhm: float,
    form: tuple[float, float, float],
) -> Bool:
    major, minor, _ = ellipse_of_form(parameters[:, 3:])
    beam_major, beam_minor, _ = ellipse_of_form(np.array([form]))
    shift = np.hypot(parameters[:, 1] - pieces.x, parameters[:, 2] - pieces.y)
    residual = np.abs(values - evaluate(parameters, stamps.x, stamps.y)) * (stamps.weights > 0)
    held = (stamps.values * stamps.own).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (parameters[:, 0] > 0)
            & (major < LARGEST * beam_major)
            & (minor > SMALLEST * beam_minor)
            & (shift < max(1.0, 0.7 * fwhm))
            & (held >= LEAST_HELD * total)
            & (residual.max(axis=1) < np.maximum(RESIDUAL_SIGMA * noise, RESIDUAL * parameters[:, 0]))
        )
