"""Pairs of pieces that might be one source, and what is known of them."""

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from helikon.space.association.surroundings import (
    BEAM_AREA,
    PIECE_FEATURES,
    PRIOR_BEAMS,
    PRIOR_DENSITY,
    Shapes,
)
from helikon.space.detect import Pieces

__all__ = ["PAIR_FEATURES", "Pairs", "find_pairs"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

N_NEAREST, N_NEAREST_FAINT = 9, 4
FARTHEST_BEAMS, FARTHEST_BIG_BEAMS = 20.0, 45.0
"""Peaks farther apart, in beams, are never asked about; the second is for large and bright ones."""
BIG_FLUX_RATIO, BIG_SNR = 0.4, 20.0
"""Pieces of at least this (log) flux ratio, or signal to noise, are also paired among themselves."""
N_SAMPLES = 17
PRIOR_SNR = 5.0
"""Pieces above so many sigma are as dense as :data:`PRIOR_DENSITY`, brighter ones less."""
SHARED = ("snr", "area", "flux_ratio", "elongation", "glare")
"""Of pieces; the flux ratio less what all sources of the map have of it: that makes nobody kin."""

PAIR_FEATURES = (
    "distance", "same_island", "saddle", "bridge", "bridge_sigma", "aligned_least", "aligned_most",
    "between", "chance",
    *(f"{name}_{which}" for name in SHARED for which in ("least", "most")),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of pieces.

    Attributes
    ----------
    one, other : ndarray of int, shape (n,)
        Pieces from 0; one < other.
    features : ndarray, shape (n, 19)
        As in ``PAIR_FEATURES``.
    """

    one: Int
    other: Int
    features: Double

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.one)

    def feature(self, name: str) -> Double:
        """Return one of the features (n,) by its name."""
        return np.asarray(self.features[:, PAIR_FEATURES.index(name)])


def find_pairs(significance: Float, shapes: Shapes, pieces: Pieces, *, beam_fwhm_pixels: float) -> Pairs:
    """Pair pieces with their neighbours, and the large and bright ones with the next of their kind.

    Faint pieces are paired with others alone: two of them are no source.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
    shapes : Shapes
    pieces : Pieces
    """
    island, strong = pieces.island, np.flatnonzero(~pieces.is_faint)
    one, other = _neighbours(shapes, strong, np.flatnonzero(pieces.is_faint), beam_fwhm_pixels)
    dx, dy = shapes.x[other] - shapes.x[one], shapes.y[other] - shapes.y[one]
    distance = np.hypot(dx, dy)
    beams = distance / beam_fwhm_pixels
    n_beams = np.count_nonzero(np.isfinite(significance)) / (BEAM_AREA * beam_fwhm_pixels**2)
    weaker = np.minimum(shapes.snr[one], shapes.snr[other])
    along = _along(significance, shapes, one, other)
    direction = np.column_stack([dx, dy]) / np.maximum(distance, 1e-6)[:, None]
    aligned = [_aligned(shapes.axis[i], direction) for i in (one, other)]
    between = _between(shapes, strong, one, other, distance)
    shared = [_relative(shapes, name) for name in SHARED]
    columns = [
        np.log(np.maximum(beams, 0.2)),
        (island[one] == island[other]).astype(np.float64),
        np.clip(along.min(axis=1) / weaker, -0.5, 1.5),
        np.clip(along[:, 5:12].mean(axis=1) / weaker, -0.5, 2.0),
        np.clip(along[:, 5:12].mean(axis=1), -3, 20),
        np.minimum(*aligned),
        np.maximum(*aligned),
        np.log1p(between),
        _chance(shapes, one, other, distance, n_beams, beam_fwhm_pixels),
    ]
    for values in shared:
        columns += [np.minimum(values[one], values[other]), np.maximum(values[one], values[other])]
    features = np.stack(columns, axis=1) if len(one) else np.zeros((0, len(PAIR_FEATURES)))
    return Pairs(one=one, other=other, features=features)


def _relative(shapes: Shapes, name: str) -> Double:
    values = shapes.features[:, PIECE_FEATURES.index(name)]
    return values - shapes.wider if name == "flux_ratio" else values


def _neighbours(shapes: Shapes, strong: Int, faint: Int, beam_fwhm_pixels: float) -> tuple[Int, Int]:
    flux_ratio = _relative(shapes, "flux_ratio")[strong]
    big = strong[(flux_ratio > BIG_FLUX_RATIO) | (shapes.snr[strong] > BIG_SNR)]
    near, far = (beams * beam_fwhm_pixels for beams in (FARTHEST_BEAMS, FARTHEST_BIG_BEAMS))
    pairs = [
        _nearest(shapes, strong, strong, N_NEAREST + 1, near),
        _nearest(shapes, big, big, N_NEAREST + 1, far),
        _nearest(shapes, faint, strong, N_NEAREST_FAINT, near),
    ]
    ordered = np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)
    return ordered[:, 0], ordered[:, 1]


def _nearest(shapes: Shapes, chosen: Int, among: Int, k: int, farthest: float) -> Int:
    """Pairs (m, 2) of each of the chosen with the nearest of some others, itself left out."""
    if not len(chosen) or not len(among):
        return np.zeros((0, 2), dtype=np.int64)
    points = np.column_stack([shapes.x, shapes.y])
    distance, index = cKDTree(points[among]).query(
        points[chosen], k=range(1, min(k, len(among)) + 1), distance_upper_bound=farthest
    )
    row = np.broadcast_to(np.arange(len(chosen))[:, None], index.shape)
    good = np.isfinite(distance)
    one, other = chosen[row[good]], among[index[good]]
    return np.asarray(np.column_stack([one, other])[one != other], dtype=np.int64)


def _along(significance: Float, shapes: Shapes, one: Int, other: Int) -> Double:
    """Significance at points on the way from peak to peak, shape (n, 17)."""
    t = np.linspace(0, 1, N_SAMPLES)[None]
    x = shapes.x[one, None] * (1 - t) + shapes.x[other, None] * t
    y = shapes.y[one, None] * (1 - t) + shapes.y[other, None] * t
    clean = np.where(np.isfinite(significance), significance, np.float32(0))
    return np.asarray(ndimage.map_coordinates(clean, [y, x], order=1, mode="nearest"), dtype=np.float64)


def _aligned(axis: Double, direction: Double) -> Double:
    """Cosine of twice the angle between an axis and the way to the other, times the stretch; -1 to 1."""
    stretch = np.hypot(*axis.T)
    along = np.einsum("ni,ni->n", axis, direction)
    return np.asarray(2 * along**2 / np.maximum(stretch, 1e-6) - stretch)


def _between(shapes: Shapes, strong: Int, one: Int, other: Int, distance: Double) -> Double:
    """Number of other strong peaks in the circle that has the pair as its diameter."""
    middle = np.column_stack([shapes.x[one] + shapes.x[other], shapes.y[one] + shapes.y[other]]) / 2
    if not len(one):
        return np.zeros(0)
    tree = cKDTree(np.column_stack([shapes.x, shapes.y])[strong])
    inside = tree.query_ball_point(middle, distance / 2 * 0.98, return_length=True)
    return np.asarray(inside, dtype=np.float64)


def _chance(shapes: Shapes, one: Int, other: Int, distance: Double, beams: float, fwhm: float) -> Double:
    """Logarithm of how many others as bright as the weaker one are within the distance by chance.

    A map of few beams does not say how many there are; what maps have on
    average counts as if it had been seen over :data:`PRIOR_BEAMS` beams.
    """
    weaker = np.minimum(shapes.snr[one], shapes.snr[other])
    ranked = np.sort(shapes.snr)
    n_others = np.maximum(len(ranked) - np.searchsorted(ranked, weaker) - 2, 0)
    usual = PRIOR_BEAMS * PRIOR_DENSITY * PRIOR_SNR / np.maximum(weaker, 1)
    density = (n_others + usual) / (beams + PRIOR_BEAMS)
    return np.asarray(np.log(density * np.pi * (distance / fwhm) ** 2 / BEAM_AREA + 1e-3))
