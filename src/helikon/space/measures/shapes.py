"""Fit the shapes of pieces: what is compact, and what its neighbours leave of its pixels."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from helikon.space.detect import Pieces
from helikon.space.measures.gaussians import Plain, ellipse_of_form, evaluate, fit_gaussians
from helikon.space.measures.stamps import RADIUS, Stamps, cut_stamps
from helikon.space.measures.touching import Touching

__all__ = ["Shapes", "fit_shapes"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.intp]
Form = tuple[float, float, float]

HALF_STAMP = 2.0
"""Half the side of a stamp in beam widths, where the piece is large or has neighbours."""
LARGEST = 2.5
SMALLEST = 0.6
"""Widths, in beams, between which a fit is that of a compact source."""
LEAST_HELD = 0.95
"""Part of the piece's brightness that the stamp holds."""
RESIDUAL_SIGMA, RESIDUAL = 6.0, 0.12
"""What a Gaussian may leave, in sigma or of the peak."""


@dataclasses.dataclass(frozen=True, slots=True)
class Shapes:
    """Gaussians of free shape on some pieces.

    Attributes
    ----------
    stamps : Stamps
        Of these pieces.
    values : ndarray, shape (n, p)
        The stamps, less the models of neighbours in the same island.
    parameters : ndarray, shape (n, 6)
        Peak, x, y in the map, a, b, c.
    good : ndarray of bool, shape (n,)
        The Gaussian describes the piece, and is compact.
    """

    stamps: Stamps
    values: Double
    parameters: Double
    good: Bool


def fit_shapes(
    data: Float, noise: Double, pieces: Pieces, form: Form, fwhm: float, chosen: Bool | None = None
) -> Iterator[Shapes]:
    """Fit all pieces, or those chosen, group by group of stamps of one size.

    Parameters
    ----------
    data : ndarray of float32, shape (ny, nx)
        Map less its background.
    noise : ndarray, shape (n,)
        At the pieces' peaks.
    form : tuple of float
        a, b, c of the beam in pixels.
    """
    for stamps in _groups(data, pieces, form, fwhm, chosen):
        parameters, values = _fit_shapes(stamps, data, pieces, form)
        good = _is_compact(parameters, values, stamps, data, pieces, noise, fwhm, form)
        yield Shapes(stamps, values, parameters, good)


def _groups(data: Float, pieces: Pieces, form: Form, fwhm: float, chosen: Bool | None) -> list[Stamps]:
    """Cut small stamps for small pieces without neighbours, and large ones for the others."""
    small = int(np.ceil(RADIUS * fwhm * _elongation(form)))
    large = max(small, int(np.ceil(HALF_STAMP * fwhm)))
    bounds = np.array([(r.start, r.stop - 1, c.start, c.stop - 1) for r, c in pieces.slices]).reshape(-1, 4)
    reach = np.abs(bounds - np.stack([pieces.y, pieces.y, pieces.x, pieces.x], axis=1)).max(axis=1, initial=0)
    is_small = (pieces.n_pieces_of_island == 1) & (reach <= small)
    wanted = np.ones(len(pieces), dtype=bool) if chosen is None else chosen
    groups = ((np.flatnonzero(is_small & wanted), small), (np.flatnonzero(~is_small & wanted), large))
    return [
        cut_stamps(data, pieces, members, half=half, form=form, fwhm=fwhm)
        for members, half in groups
        if len(members)
    ]


def _elongation(form: Form) -> float:
    """Return the beam's major axis over its mean one."""
    major, minor, _ = ellipse_of_form(np.array([form]))
    return float(np.sqrt(major[0] / minor[0]))


def _start(stamps: Stamps, data: Float, pieces: Pieces, form: Form) -> Double:
    """The beam at each piece's highest pixel."""
    start = np.zeros((len(stamps.piece), 6))
    at = stamps.piece
    start[:, 0], start[:, 3:] = data[pieces.y[at], pieces.x[at]], form
    return start


def _fit_shapes(stamps: Stamps, data: Float, pieces: Pieces, form: Form) -> tuple[Double, Double]:
    """Fit free shapes; then those of blends again with the neighbours' models subtracted."""
    parameters, values = _start(stamps, data, pieces, form), stamps.values
    is_blended = pieces.n_pieces_of_island[stamps.piece] > 1
    alone, blended = np.flatnonzero(~is_blended), np.flatnonzero(is_blended)
    weights = stamps.weights[alone]
    parameters[alone] = fit_gaussians(values[alone], Plain(weights), stamps.grid, parameters[alone])[0]
    if len(blended):
        values = values.copy()
        touching = Touching.of(stamps, blended, pieces)
        parameters[blended], values[blended] = touching.fit(parameters[blended], form)
    parameters[:, 1] += pieces.x[stamps.piece]
    parameters[:, 2] += pieces.y[stamps.piece]
    return parameters, values


def _is_compact(
    parameters: Double,
    values: Double,
    stamps: Stamps,
    data: Float,
    pieces: Pieces,
    noise: Double,
    fwhm: float,
    form: Form,
) -> Bool:
    major, minor, _ = ellipse_of_form(parameters[:, 3:])
    beam_major, beam_minor, _ = ellipse_of_form(np.array([form]))
    x, y = pieces.x[stamps.piece], pieces.y[stamps.piece]
    shift = np.hypot(parameters[:, 1] - x, parameters[:, 2] - y)
    local = parameters - np.stack([0 * x, x, y, 0 * x, 0 * x, 0 * x], axis=1)
    residual = np.abs(values - evaluate(local, stamps.grid.dx[None], stamps.grid.dy[None]))
    allowed = np.maximum(RESIDUAL_SIGMA * noise[stamps.piece], RESIDUAL * parameters[:, 0])
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (parameters[:, 0] > 0)
            & (major < LARGEST * beam_major)
            & (minor > SMALLEST * beam_minor)
            & (shift < max(1.0, 0.7 * fwhm))
            & (_share_held(stamps, data, pieces, parameters) >= LEAST_HELD)
            & ((residual * (stamps.weights > 0)).max(axis=1) < allowed)
        )


def _share_held(stamps: Stamps, data: Float, pieces: Pieces, parameters: Double) -> Double:
    """Return the part of each piece's own brightness that lies on its stamp."""
    half = int(stamps.grid.dx.max())
    held = np.ones(len(stamps.piece))
    for row, piece in enumerate(stamps.piece.tolist()):
        box = pieces.slices[piece]
        y, x = pieces.y[piece], pieces.x[piece]
        if max(y - box[0].start, box[0].stop - 1 - y, x - box[1].start, box[1].stop - 1 - x) <= half:
            continue
        rows, columns = np.nonzero(pieces.labels[box] == piece + 1)
        brightness = np.nan_to_num(data[box][rows, columns]).astype(np.float64)
        rows, columns = rows + box[0].start, columns + box[1].start
        others = np.flatnonzero(
            (pieces.island[stamps.piece] == pieces.island[piece]) & _near(parameters, box, half)
        )
        others = others[others != row]
        if len(others):
            brightness -= evaluate(parameters[others], columns[None], rows[None]).sum(axis=0)
            brightness = np.maximum(brightness, 0)
        near = (np.abs(rows - y) <= half) & (np.abs(columns - x) <= half)
        held[row] = brightness[near].sum() / max(brightness.sum(), 1e-300)
    return held


def _near(parameters: Double, box: tuple[slice, slice], reach: int) -> Bool:
    """Say which Gaussians (n, 6) have their middle in a box or within a reach of it."""
    x, y = parameters[:, 1], parameters[:, 2]
    inside = (x > box[1].start - reach) & (x < box[1].stop + reach)
    return np.asarray(inside & (y > box[0].start - reach) & (y < box[0].stop + reach))
