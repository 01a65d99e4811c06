"""What can be measured of each piece and of what is around it, for the judges to go by."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.detect import Pieces, peak_heights

__all__ = ["PIECE_FEATURES", "Shapes", "describe_pieces"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]

PIECE_FEATURES = (
    "snr", "area", "flux_ratio", "elongation", "n_in_island", "lowest", "scatter", "low_share",
    "high_share", "rms_rise", "glare", "glare_snr", "glare_distance", "spoke", "crowding",
    "height_above_island", "usual",
)  # fmt: skip
"""Names of the columns of ``Shapes.features``; logarithms, or bounded.

``usual`` is the share of a map's pieces as bright that are as wide: where many
single sources are resolved, width says less."""
AROUND_BEAMS = 8.0
"""Side in beams of the square in which the surroundings are measured."""
FAR_SIGMA = 2.5
"""Pixels farther from zero are counted: where there are many without a source, there are artefacts."""
WIDE_BEAMS = 60.0
GLARE_BEAMS = 80.0
"""How far, in beams, a bright source is blamed for artefacts."""
BRIGHT = 30.0
"""Such a source has at least this signal to noise."""
NO_GLARE = -8.0
STRIP = 64
"""Columns that are filtered at a time."""
PRIOR_PIECES, WIDTH_FALL = 20.0, 3.0
"""What is usual counts as so many pieces; of pieces e times as wide, there are exp(-3) as many."""
CELL, N_CELLS, CELL_WIDTHS = 0.05, 256, (-2.0, 6.0)
SURE, NARROW, POINT = 20.0, 0.16, 0.02
"""Of pieces above so many sigma, this share is narrower than what all have.

Points have this flux ratio: by so much the highest pixel of a beam of five is
below the peak, and the judges learnt with pixels.
"""
WIDE_SIGMA, WIDE, USUALLY_WIDE, PRIOR_WIDE = 10.0, (0.15, 0.4, 0.9), (0.35, 0.2, 0.1), 5.0
"""Which share of the pieces above so many sigma is wider than points by so much in the (log) flux ratio.

A map of few pieces does not say; these shares count as five pieces.
"""
BEAM_AREA = 1.1331
"""Of a Gaussian beam, in squared widths."""
PRIOR_BEAMS, PRIOR_DENSITY = 2000.0, 0.004
"""Islands to a beam in the made-up training fields, about; they count as seen over so many beams."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """Pieces in numbers.

    Attributes
    ----------
    features : ndarray, shape (n, 17)
        As in ``PIECE_FEATURES``.
    x, y : ndarray, shape (n,)
        Peaks in pixels.
    snr : ndarray, shape (n,)
        Their significance.
    axis : ndarray, shape (n, 2)
        Unit vector (x, y) along the major axis, times 1 - minor / major.
    wider : float
        What smearing, few pixels to a beam or a header that is not quite right
        give to the ``flux_ratio`` of all of them.
    like : tuple of float
        What the map is like, in logarithms: the shares of the bright pieces that are
        wider than that by :data:`WIDE`, for where nothing is wide there are no
        galaxies; the same shares of the faint ones; the number of islands to a beam.
    """

    features: Double
    x: Double
    y: Double
    snr: Double
    axis: Double
    wider: float = 0.0
    like: tuple[float, ...] = tuple(map(math.log, (*USUALLY_WIDE, *USUALLY_WIDE, PRIOR_DENSITY)))


def describe_pieces(
    significance: Float,
    rms: Float,
    pieces: Pieces,
    *,
    flood_sigma: float,
    beam_fwhm_pixels: float,
) -> Shapes:
    """Measure pieces and their surroundings.

    Parameters
    ----------
    significance, rms : ndarray of float32, shape (ny, nx)
        (map - background) / rms, and rms; NaN where blank.
    pieces : Pieces
    flood_sigma : float
        What the pieces reach down to.
    """
    is_known = np.isfinite(significance)
    clean = np.where(is_known, significance, np.float32(0))
    n, beam_area = len(pieces), BEAM_AREA * beam_fwhm_pixels**2
    y, x = np.nonzero(pieces.labels > 0)
    owner = pieces.labels[y, x] - 1
    value = clean[y, x].astype(np.float64)
    n_pixels, total = (
        np.bincount(owner, minlength=n),
        np.bincount(owner, value, minlength=n),
    )
    snr = clean[pieces.y, pieces.x].astype(np.float64)
    share = np.maximum(1 - flood_sigma / np.maximum(snr, 1.2 * flood_sigma), 0.15)
    axis, elongation = _axes(x, y, value, owner, n, beam_fwhm_pixels)
    height = peak_heights(significance, pieces.y, pieces.x).astype(np.float64)
    flux_ratio = POINT + np.log(np.maximum(total, 1e-3) / (np.maximum(height, 1) * beam_area * share))
    around = _around(clean, rms, pieces, beam_fwhm_pixels)
    glare = _glare(pieces, snr, axis, beam_fwhm_pixels)
    top = np.zeros(int(pieces.island.max(initial=0)) + 1)
    np.maximum.at(top, pieces.island, snr)
    columns = [
        np.log(np.maximum(snr, 1)),
        np.log(np.maximum(n_pixels, 1) / beam_area),
        flux_ratio,
        elongation,
        np.log(pieces.n_pieces_of_island),
        *around,
        *glare,
        _crowding(pieces, beam_fwhm_pixels),
        np.log(np.maximum(snr, 1) / np.maximum(top[pieces.island], 1)),
        _usual(snr, flux_ratio),
    ]
    wider = _of_all(snr, flux_ratio)
    n_beams = np.count_nonzero(is_known) / beam_area
    return Shapes(
        features=np.stack(columns, axis=1).astype(np.float64),
        x=pieces.x.astype(np.float64),
        y=pieces.y.astype(np.float64),
        snr=snr,
        axis=axis,
        wider=wider,
        like=_like(snr, flux_ratio - wider, pieces, n_beams),
    )


def _axes(
    x: npt.NDArray[np.intp],
    y: npt.NDArray[np.intp],
    value: Double,
    owner: npt.NDArray[np.int32],
    n: int,
    beam_fwhm_pixels: float,
) -> tuple[Double, Double]:
    """Major axes as in ``Shapes.axis``, and the logarithm of their length over the beam's."""
    weight = np.maximum(value, 1e-3)
    total = np.maximum(np.bincount(owner, weight, minlength=n), 1e-9)
    mean_x, mean_y = (np.bincount(owner, weight * v, minlength=n) / total for v in (x, y))
    dx, dy = x - mean_x[owner], y - mean_y[owner]
    xx, yy, xy = (np.bincount(owner, weight * v, minlength=n) / total for v in (dx * dx, dy * dy, dx * dy))
    middle, half = (xx + yy) / 2 + 1 / 12, np.hypot((xx - yy) / 2, xy)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    stretch = 1 - np.sqrt(np.maximum(middle - half, 1e-6) / (middle + half))
    axis = np.stack([np.cos(angle), np.sin(angle)], axis=1) * stretch[:, None]
    return axis, np.log(np.sqrt(middle + half) / beam_fwhm_pixels)


def _around(clean: Float, rms: Float, pieces: Pieces, beam_fwhm_pixels: float) -> list[Double]:
    """Around each piece: deepest negative pixel, scatter, how much is far from zero, rise of the noise."""
    side = max(3, round(AROUND_BEAMS * beam_fwhm_pixels)) | 1
    at = pieces.y, pieces.x
    is_empty = pieces.labels == 0
    empty = is_empty.astype(np.float32)
    lowest = _filtered(ndimage.minimum_filter1d, clean, side, at)
    free = _filtered(ndimage.uniform_filter1d, empty, side, at)
    square = _filtered(ndimage.uniform_filter1d, np.clip(clean, -10, 10) ** 2 * empty, side, at)
    far = [
        _filtered(ndimage.uniform_filter1d, beyond.astype(np.float32), side, at)
        for beyond in (clean < -FAR_SIGMA, (clean > FAR_SIGMA) & is_empty)
    ]
    noise = np.nan_to_num(rms, nan=0.0)
    wide_side = round(WIDE_BEAMS * beam_fwhm_pixels) | 1
    wide = _filtered(ndimage.uniform_filter1d, noise, wide_side, at)
    return [
        np.log(np.maximum(-lowest, 0.5)).astype(np.float64),
        np.log(np.sqrt(np.maximum(square, 0) / np.maximum(free, 0.02)) + 0.1).astype(np.float64),
        *(np.log(np.maximum(share, 0) + 1e-3).astype(np.float64) for share in far),
        np.log(np.maximum(noise[at], 1e-30) / np.maximum(wide, 1e-30)).astype(np.float64),
    ]


def _filtered(
    filter1d: Callable[..., Any], image: Float, side: int, at: tuple[Places, Places]
) -> npt.NDArray[np.float32]:
    """Return what a filter along both axes gives at some pixels (y, x).

    Columns are filtered in strips that the processor's cache holds, and rows only where there is a pixel.
    """
    rows, place = np.unique(at[0], return_inverse=True)
    filtered = np.empty((len(rows), image.shape[1]), dtype=np.float32)
    for start in range(0, image.shape[1], STRIP):
        strip = image[:, start : start + STRIP].copy()
        filtered[:, start : start + STRIP] = filter1d(strip, side, axis=0, mode="nearest")[rows]
    return np.asarray(filter1d(filtered, side, axis=1, mode="nearest")[place, at[1]])


def _glare(pieces: Pieces, snr: Double, axis: Double, beam_fwhm_pixels: float) -> list[Double]:
    """How much brighter, for its distance, the worst neighbour of each piece is; its S/N and distance.

    And how much the piece points at it, as the spokes of calibration errors do.
    """
    n, bright = len(pieces), np.flatnonzero(snr > BRIGHT)
    if not len(bright):
        return [
            np.full(n, NO_GLARE),
            np.zeros(n),
            np.full(n, np.log(GLARE_BEAMS)),
            np.zeros(n),
        ]
    x, y = pieces.x.astype(np.float64), pieces.y.astype(np.float64)
    distance = np.hypot(x[:, None] - x[None, bright], y[:, None] - y[None, bright])
    beams = np.maximum(distance / beam_fwhm_pixels, 0.5)
    score = np.log(snr[None, bright] / snr[:, None]) - 1.2 * np.log(beams)
    score[(distance == 0) | (beams > GLARE_BEAMS) | (snr[None, bright] < 3 * snr[:, None])] = NO_GLARE
    worst, rows = np.argmax(score, axis=1), np.arange(n)
    some = score[rows, worst] > NO_GLARE
    way = np.stack([x[bright][worst] - x, y[bright][worst] - y], axis=1)
    way /= np.maximum(np.hypot(*way.T), 1)[:, None]
    stretch = np.hypot(*axis.T)
    pointing = 2 * np.einsum("ni,ni->n", axis, way) ** 2 / np.maximum(stretch, 1e-6) - stretch
    return [
        score[rows, worst],
        np.where(some, np.log(snr[bright][worst]), 0.0),
        np.where(some, np.log(beams[rows, worst]), np.log(GLARE_BEAMS)),
        np.where(some, pointing, 0.0),
    ]


def _crowding(pieces: Pieces, beam_fwhm_pixels: float) -> Double:
    """Logarithm of the number of pieces within fifteen beams."""
    from scipy.spatial import cKDTree

    points = np.column_stack([pieces.x, pieces.y])
    near = cKDTree(points).query_ball_point(points, 15 * beam_fwhm_pixels, return_length=True)
    return np.asarray(np.log(near), dtype=np.float64)


def _usual(snr: Double, flux_ratio: Double) -> Double:
    """Logarithm of the share of the pieces at least as bright that are at least as wide.

    Counted in cells of 0.05 in the logarithm of either. A map of few pieces does
    not say; what training fields have counts as :data:`PRIOR_PIECES` of them.
    """
    bright = np.log(np.maximum(snr, 1)) / CELL
    wide = (np.clip(flux_ratio, *CELL_WIDTHS) - CELL_WIDTHS[0]) / CELL
    cell = tuple(np.minimum(each, N_CELLS - 1).astype(np.int64) for each in (bright, wide))
    counts = np.zeros((N_CELLS, N_CELLS))
    np.add.at(counts, cell, 1)
    above = counts[::-1, ::-1].cumsum(axis=0).cumsum(axis=1)[::-1, ::-1]
    expected = PRIOR_PIECES * np.exp(-WIDTH_FALL * np.clip(flux_ratio, 0, 1))
    return np.asarray(np.log((above[cell] + expected) / (above[cell[0], 0] + PRIOR_PIECES)))


def _of_all(snr: Double, flux_ratio: Double) -> float:
    """Return by how much all sources of a map are wider than points; a map of few does not say."""
    sure = flux_ratio[snr > SURE]
    if not len(sure):
        return 0.0
    wider = max(float(np.quantile(sure, NARROW)) - POINT, 0.0)
    return wider * len(sure) / (len(sure) + PRIOR_PIECES)


def _like(snr: Double, flux_ratio: Double, pieces: Pieces, n_beams: float) -> tuple[float, ...]:
    """Return ``Shapes.like``."""
    strong, is_bright = ~pieces.is_faint, snr > WIDE_SIGMA
    density = (len(np.unique(pieces.island[strong])) + PRIOR_BEAMS * PRIOR_DENSITY) / (n_beams + PRIOR_BEAMS)
    shares = [_wide(flux_ratio[some]) for some in (is_bright, strong & ~is_bright)]
    return *shares[0], *shares[1], math.log(density)


def _wide(flux_ratio: Double) -> list[float]:
    """Return the logarithms of the shares that are wider than :data:`WIDE`."""
    return [
        math.log((np.count_nonzero(flux_ratio > wide) + PRIOR_WIDE * usual) / (len(flux_ratio) + PRIOR_WIDE))
        for wide, usual in zip(WIDE, USUALLY_WIDE, strict=True)
    ]
