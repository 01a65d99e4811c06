"""Pairs of pieces that might be one source, and what is known of them."""

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from helikon.space.surroundings import PIECE_FEATURES, Shapes

__all__ = ["PAIR_FEATURES", "Pairs", "find_pairs"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

N_NEAREST = 9
FARTHEST_BEAMS, FARTHEST_BIG_BEAMS = 20.0, 45.0
"""Peaks farther apart, in beams, are never asked about; the second is for large and bright ones."""
BIG_FLUX_RATIO, BIG_SNR = 0.4, 20.0
"""Pieces of at least this (log) flux ratio, or signal to noise, are also paired among themselves."""
N_SAMPLES = 17
SHARED = tuple(PIECE_FEATURES.index(name) for name in ("snr", "area", "flux_ratio", "elongation", "glare"))

PAIR_FEATURES = (
    "distance", "same_island", "saddle", "bridge", "bridge_sigma", "aligned_least", "aligned_most",
    "between", "chance",
    *(f"{PIECE_FEATURES[i]}_{which}" for i in SHARED for which in ("least", "most")),
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


def find_pairs(
    significance: Float, shapes: Shapes, island: npt.NDArray[np.int32], *, beam_fwhm_pixels: float
) -> Pairs:
    """Pair pieces with their neighbours, and the large and bright ones with the next of their kind.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
    shapes : Shapes
    island : ndarray of int32, shape (n_pieces,)
    """
    one, other = _neighbours(shapes, beam_fwhm_pixels)
    dx, dy = shapes.x[other] - shapes.x[one], shapes.y[other] - shapes.y[one]
    distance = np.hypot(dx, dy)
    beams = distance / beam_fwhm_pixels
    weaker = np.minimum(shapes.snr[one], shapes.snr[other])
    along = _along(significance, shapes, one, other)
    direction = np.column_stack([dx, dy]) / np.maximum(distance, 1e-6)[:, None]
    aligned = [_aligned(shapes.axis[i], direction) for i in (one, other)]
    between = _between(shapes, one, other, distance)
    shared = [shapes.features[:, column] for column in SHARED]
    columns = [
        np.log(np.maximum(beams, 0.2)),
        (island[one] == island[other]).astype(np.float64),
        np.clip(along.min(axis=1) / weaker, -0.5, 1.5),
        np.clip(along[:, 5:12].mean(axis=1) / weaker, -0.5, 2.0),
        np.clip(along[:, 5:12].mean(axis=1), -3, 20),
        np.minimum(*aligned),
        np.maximum(*aligned),
        np.log1p(between),
        _chance(shapes, one, other, distance),
    ]
    for values in shared:
        columns += [np.minimum(values[one], values[other]), np.maximum(values[one], values[other])]
    features = np.stack(columns, axis=1) if len(one) else np.zeros((0, len(PAIR_FEATURES)))
    return Pairs(one=one, other=other, features=features)


def _neighbours(shapes: Shapes, beam_fwhm_pixels: float) -> tuple[Int, Int]:
    flux_ratio = shapes.features[:, PIECE_FEATURES.index("flux_ratio")]
    big = np.flatnonzero((flux_ratio > BIG_FLUX_RATIO) | (shapes.snr > BIG_SNR))
    pairs = [
        _nearest(shapes, np.arange(len(shapes.x)), FARTHEST_BEAMS * beam_fwhm_pixels),
        _nearest(shapes, big, FARTHEST_BIG_BEAMS * beam_fwhm_pixels),
    ]
    ordered = np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)
    return ordered[:, 0], ordered[:, 1]


def _nearest(shapes: Shapes, chosen: Int, farthest: float) -> Int:
    """Pairs (m, 2) of each of the chosen with the nearest others of them."""
    if len(chosen) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    points = np.column_stack([shapes.x, shapes.y])[chosen]
    k = min(N_NEAREST + 1, len(chosen))
    distance, index = cKDTree(points).query(points, k=k, distance_upper_bound=farthest)
    row = np.repeat(np.arange(len(chosen)), k).reshape(index.shape)
    good = np.isfinite(distance) & (index != row)
    return np.column_stack([chosen[row[good]], chosen[index[good]]]).astype(np.int64)


def _along(significance: Float, shapes: Shapes, one: Int, other: Int) -> Double:
    """Significance at points on the way from peak to peak, shape (n, 17)."""
    t = np.linspace(0, 1, N_SAMPLES)[None]
    x = shapes.x[one, None] * (1 - t) + shapes.x[other, None] * t
    y = shapes.y[one, None] * (1 - t) + shapes.y[other, None] * t
    clean = np.nan_to_num(significance, nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(ndimage.map_coordinates(clean, [y, x], order=1, mode="nearest"), dtype=np.float64)


def _aligned(axis: Double, direction: Double) -> Double:
    """Cosine of twice the angle between an axis and the way to the other, times the stretch; -1 to 1."""
    stretch = np.hypot(*axis.T)
    along = np.einsum("ni,ni->n", axis, direction)
    return np.asarray(2 * along**2 / np.maximum(stretch, 1e-6) - stretch)


def _between(shapes: Shapes, one: Int, other: Int, distance: Double) -> Double:
    """Number of other peaks in the circle that has the pair as its diameter."""
    tree = cKDTree(np.column_stack([shapes.x, shapes.y]))
    middle = np.column_stack([shapes.x[one] + shapes.x[other], shapes.y[one] + shapes.y[other]]) / 2
    if not len(one):
        return np.zeros(0)
    inside = tree.query_ball_point(middle, distance / 2 * 0.98, return_length=True)
    return np.asarray(inside, dtype=np.float64)


def _chance(shapes: Shapes, one: Int, other: Int, distance: Double) -> Double:
    """Logarithm of how many as bright as the weaker one the field has within the distance by chance."""
    if not len(one):
        return np.zeros(0)
    area = max(float(np.ptp(shapes.x) * np.ptp(shapes.y)), 1.0)
    ranked = np.sort(shapes.snr)
    weaker = np.minimum(shapes.snr[one], shapes.snr[other])
    n_brighter = len(ranked) - np.searchsorted(ranked, weaker)
    return np.asarray(np.log(n_brighter * np.pi * distance**2 / area + 1e-3))
