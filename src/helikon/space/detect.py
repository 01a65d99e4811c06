"""Find islands of emission, and the compact peaks that touch in one.

An island is a connected region above the flood threshold with a pixel above
the seed threshold, both in local sigma. A *piece* is an island, or one of the
compact sources that an island is a blend of.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.segmentation import watershed

__all__ = ["Pieces", "find_pieces"]

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

EIGHT = np.ones((3, 3), dtype=bool)
LEAST_AREA = 0.15
"""Smallest island in squared beam widths: a five-sigma point source has 0.58 above three sigma."""
LEAST_PROMINENCE_SIGMA = 3.0
LEAST_PROMINENCE = 0.2
"""How far, in sigma and in its own height, a peak must stand out over the saddle to the next."""
MOST_PEAKS = 12
"""An island of more peaks is one extended source, not a blend."""
HIGHEST_SADDLE = 0.5
"""A compact source in extended emission is at least twice as high as the pass that leads from it."""
CORE_RADIUS = 0.7
"""Pixels this many beam widths around such a peak must look like a beam."""
RESIDUAL_SIGMA, RESIDUAL = 5.0, 0.15
"""What may be left over, in sigma or of the peak, where beams explain a blend."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Pieces of emission.

    Attributes
    ----------
    labels : ndarray of int32, shape (ny, nx)
        Piece number from 1, 0 elsewhere.
    island : ndarray of int32, shape (n,)
        Island number from 1 of each piece.
    x, y : ndarray of int32, shape (n,)
        Pixel of the highest significance.
    n_pieces_of_island : ndarray of int32, shape (n,)
        More than 1 for a blend.
    slices : list of tuple of slice
        Bounding boxes of the pieces, rows and columns.
    """

    labels: Int
    island: Int
    x: Int
    y: Int
    n_pieces_of_island: Int
    slices: list[tuple[slice, slice]]

    def __len__(self) -> int:
        """Count the pieces."""
        return len(self.island)


def find_pieces(
    significance: Float,
    *,
    seed_sigma: float,
    flood_sigma: float,
    beam_fwhm_pixels: float,
    beam_form: tuple[float, float, float],
) -> Pieces:
    """Find islands and part those that are blends of compact sources.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
        (map - background) / rms; NaN where blank.
    seed_sigma, flood_sigma : float
        Thresholds; flood is not above seed.
    beam_fwhm_pixels : float
        Geometric mean of the beam's widths.
    beam_form : tuple of float
        a, b, c of the beam in pixels, see ``gaussians.form_of_ellipse``.
    """
    filled = np.nan_to_num(significance, nan=-np.inf)
    islands = _islands(filled, seed_sigma, flood_sigma, beam_fwhm_pixels)
    peaks = _peaks(filled, islands, seed_sigma, beam_fwhm_pixels)
    labels = islands.copy()
    n_islands = int(islands.max(initial=0))
    boxes = ndimage.find_objects(islands)
    n_labels = n_islands
    for island in np.flatnonzero(np.bincount(islands[peaks], minlength=n_islands + 1) > 1):
        box = boxes[island - 1]
        parts = _part(filled[box], islands[box] == island, peaks[box], beam_form)
        for part in range(2, int(parts.max(initial=0)) + 1):
            n_labels += 1
            labels[box][parts == part] = n_labels
    return _describe(filled, labels, islands)


def _islands(significance: Float, seed: float, flood: float, beam_fwhm_pixels: float) -> Int:
    labels, n_labels = ndimage.label(significance > flood, structure=EIGHT)
    counts = np.bincount(labels.ravel(), minlength=n_labels + 1)
    seeded = np.zeros(n_labels + 1, dtype=bool)
    seeded[labels[significance > seed]] = True
    keep = seeded & (counts >= max(1, round(LEAST_AREA * beam_fwhm_pixels**2)))
    keep[0] = False
    numbers = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return np.asarray(numbers[labels])


def _peaks(significance: Float, islands: Int, seed: float, beam_fwhm_pixels: float) -> Bool:
    size = 2 * max(1, round(0.5 * beam_fwhm_pixels)) + 1
    highest = ndimage.maximum_filter(significance, size=size)
    return np.asarray((significance == highest) & (significance > seed) & (islands > 0))


def _part(
    significance: Float,
    island: Bool,
    peaks: Bool,
    form: tuple[float, float, float],
) -> Int:
    """Number the compact pieces of one island from 1; all 1 where it is no blend."""
    whole = island.astype(np.int32)
    markers, n_peaks = ndimage.label(peaks & island, structure=EIGHT)
    if n_peaks < 2 or n_peaks > 4 * MOST_PEAKS:
        return whole
    parts = watershed(-significance, markers, mask=island).astype(np.int32)
    parts = _merge_low(significance, parts, n_peaks)
    if int(parts.max()) <= MOST_PEAKS and _beams_explain(significance, parts, form):
        return parts
    return _only_compact(significance, parts, form)


def _only_compact(significance: Float, parts: Int, form: tuple[float, float, float]) -> Int:
    """Keep the parts that stand out as beams do; the others become one, number 1."""
    highest_pass = np.zeros(int(parts.max()) + 1)
    for saddle, one, other in _saddles(significance, parts):
        highest_pass[[one, other]] = np.maximum(highest_pass[[one, other]], saddle)
    kept = [
        part
        for part in range(1, len(highest_pass))
        if _stands_out(significance, parts == part, float(highest_pass[part]), form)
    ]
    result = (parts > 0).astype(np.int32)
    first = 1 if np.isin(parts[parts > 0], kept).all() else 2
    for number, part in enumerate(kept, start=first):
        result[parts == part] = number
    return result


def _stands_out(significance: Float, part: Bool, saddle: float, form: tuple[float, float, float]) -> bool:
    """Say whether a part is a beam on a pedestal, twice as high as the pass to its neighbour."""
    y, x = np.nonzero(part)
    values = significance[y, x].astype(np.float64)
    top = int(np.argmax(values))
    height = values[top]
    if saddle > HIGHEST_SADDLE * height:
        return False
    offset = _vertex(significance, y[top], x[top])
    dy, dx = y - y[top] - offset[0], x - x[top] - offset[1]
    distance = form[0] * dx**2 + 2 * form[1] * dx * dy + form[2] * dy**2
    core = distance < 8 * np.log(2) * CORE_RADIUS**2
    terms = np.column_stack([np.exp(-0.5 * distance), np.ones(len(x))])[core]
    fitted = np.linalg.lstsq(terms, values[core], rcond=None)[0]
    residual = np.abs(values[core] - terms @ fitted).max()
    return bool(fitted[0] > 0.5 * height and residual < max(RESIDUAL_SIGMA, RESIDUAL * height))


def _merge_low(significance: Float, parts: Int, n_parts: int) -> Int:
    """Merge peaks that do not stand out over the saddle to a higher one."""
    height = ndimage.maximum(significance, parts, np.arange(n_parts + 1))
    saddles = _saddles(significance, parts)
    target = np.arange(n_parts + 1)
    for saddle, one, other in sorted(saddles, reverse=True):
        a, b = _root(target, one), _root(target, other)
        if a == b:
            continue
        low, high = (a, b) if height[a] < height[b] else (b, a)
        least = max(LEAST_PROMINENCE_SIGMA, LEAST_PROMINENCE * height[low])
        if height[low] - saddle < least:
            target[low] = high
    roots = np.array([_root(target, i) for i in range(n_parts + 1)])
    return np.asarray(np.unique(roots, return_inverse=True)[1].astype(np.int32)[parts])


def _root(target: npt.NDArray[np.int64], i: int) -> int:
    while target[i] != i:
        i = int(target[i])
    return i


def _saddles(significance: Float, parts: Int) -> list[tuple[float, int, int]]:
    """Return the highest pass between each pair of neighbouring parts."""
    found: dict[tuple[int, int], float] = {}
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a, b = _shifted(parts, dy, dx)
        u, v = _shifted(significance, dy, dx)
        touch = (a != b) & (a > 0) & (b > 0)
        low = np.minimum(u[touch], v[touch])
        for i, j, value in zip(a[touch].tolist(), b[touch].tolist(), low.tolist(), strict=True):
            key = (min(i, j), max(i, j))
            found[key] = max(value, found.get(key, -np.inf))
    return [(value, i, j) for (i, j), value in found.items()]


def _shifted(array: npt.NDArray[np.generic], dy: int, dx: int) -> tuple[npt.NDArray, npt.NDArray]:  # type: ignore[type-arg]
    ny, nx = array.shape
    left, right = slice(max(0, -dx), nx - max(0, dx)), slice(max(0, dx), nx + min(0, dx))
    return array[: ny - dy, left], array[dy:, right]


def _beams_explain(significance: Float, parts: Int, form: tuple[float, float, float]) -> bool:
    """Say whether beams at the peaks, fitted in height, leave little of an island."""
    y, x = np.nonzero(parts)
    values = significance[y, x].astype(np.float64)
    peaks = np.array(ndimage.maximum_position(significance, parts, np.arange(1, parts.max() + 1)))
    peaks = peaks + np.array([_vertex(significance, row, column) for row, column in peaks])
    dx, dy = x[:, None] - peaks[:, 1], y[:, None] - peaks[:, 0]
    a, b, c = form
    beams = np.exp(-0.5 * (a * dx**2 + 2 * b * dx * dy + c * dy**2))
    heights = np.linalg.lstsq(beams, values, rcond=None)[0]
    residual = np.abs(values - beams @ heights)
    near = np.max(beams * heights, axis=1)
    return bool(
        np.all(heights > 0)
        and np.all(residual < np.maximum(RESIDUAL_SIGMA, RESIDUAL * (near + values.max()) / 2))
    )


def _vertex(significance: Float, row: int, column: int) -> tuple[float, float]:
    """Return the offset from a highest pixel to the vertex of parabolas through its neighbours."""
    padded = np.pad(significance, 1, mode="reflect")[row : row + 3, column : column + 3].astype(np.float64)
    return _vertex_1d(padded[:, 1]), _vertex_1d(padded[1])


def _vertex_1d(three: Double) -> float:
    before, here, after = three
    curvature = 2 * here - before - after
    return float(np.clip((after - before) / (2 * curvature), -0.5, 0.5)) if 0 < curvature < np.inf else 0.0


def _describe(significance: Float, labels: Int, islands: Int) -> Pieces:
    n = int(labels.max(initial=0))
    numbers = np.arange(1, n + 1)
    positions = ndimage.maximum_position(significance, labels, numbers) if n else []
    yx = np.array(positions, dtype=np.int32).reshape(-1, 2)
    island = islands[yx[:, 0], yx[:, 1]]
    return Pieces(
        labels=labels,
        island=island,
        y=yx[:, 0],
        x=yx[:, 1],
        n_pieces_of_island=np.bincount(island, minlength=1)[island].astype(np.int32),
        slices=ndimage.find_objects(labels),
    )
