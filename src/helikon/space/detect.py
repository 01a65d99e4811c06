"""Find islands of emission, and the peaks that touch in one.

An island is a connected region above the flood threshold with a pixel above
the seed threshold, both in local sigma. A *piece* is an island, or what belongs
to one of its peaks: islands are divided as finely as the noise allows, for what
comes next can join pieces but not part them.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.segmentation import watershed

from helikon.space.valleys import merge_ripples, saddles

__all__ = ["Pieces", "find_pieces", "peak_heights"]

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

EIGHT = np.ones((3, 3), dtype=bool)
LEAST_AREA = 0.15
"""Smallest island in squared beam widths: a five-sigma point source has 0.58 above three sigma."""
SHARPENING = 0.08
"""Part of the Laplacian, in squared beam widths, that is taken off to part peaks: a beam gets 0.8 as wide."""
SHARP_PEAK, SHARP_NOISE = 1.75, 1.2
"""What that makes of a beam's peak, and then of the noise relative to it."""
LEAST_PARTED = 1.0
"""Smallest island that is divided, in squared beam widths."""
LEAST_PROMINENCE_SIGMA = 3.5
LEAST_PROMINENCE = 0.1
"""How far, in sigma and in its own height, a sharpened peak must stand out over the saddle to the next."""
MOST_PEAKS = 12
"""An island of more peaks is one extended source, not a blend, where shape alone decides."""


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
    is_faint : ndarray of bool, shape (n,)
        Whether its island does not reach the seed threshold.
    """

    labels: Int
    island: Int
    x: Int
    y: Int
    n_pieces_of_island: Int
    slices: list[tuple[slice, slice]]
    is_faint: Bool

    def __len__(self) -> int:
        """Count the pieces."""
        return len(self.island)

    def only(self, kept: Bool) -> "Pieces":
        """Leave out all others; those kept are numbered anew, and so are their islands."""
        number = np.zeros(len(self) + 1, dtype=np.int32)
        number[1:][kept] = np.arange(1, np.count_nonzero(kept) + 1)
        return Pieces(
            labels=number[self.labels],
            island=np.unique(self.island[kept], return_inverse=True)[1].astype(np.int32) + 1,
            x=self.x[kept],
            y=self.y[kept],
            n_pieces_of_island=self.n_pieces_of_island[kept],
            slices=[place for place, is_kept in zip(self.slices, kept, strict=True) if is_kept],
            is_faint=self.is_faint[kept],
        )

    def parted(self, labels: Int, significance: Float) -> "Pieces":
        """Return pieces of the same pixels that are parted in another way.

        Parameters
        ----------
        labels : ndarray of int32, shape (ny, nx)
            Of the new pieces, from 1 without gaps; each lies in one island.
        significance : ndarray of float32, shape (ny, nx)
        """
        islands = np.concatenate([[0], self.island])[self.labels].astype(np.int32)
        is_faint = np.zeros(int(self.island.max(initial=0)) + 1, dtype=bool)
        is_faint[self.island] = self.is_faint
        return _describe(_filled(significance), labels, islands, is_faint)


def find_pieces(
    significance: Float,
    *,
    seed_sigma: float,
    flood_sigma: float,
    beam_fwhm_pixels: float,
    faint_sigma: float = math.inf,
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
    faint_sigma : float
        Islands that only reach this are kept too, each one piece.
    """
    filled = _filled(significance)
    heights = _with_true_peaks(filled, flood_sigma)
    islands = _islands(heights, min(seed_sigma, faint_sigma), flood_sigma, beam_fwhm_pixels)
    labels = islands.copy()
    n_labels = int(islands.max(initial=0))
    least_area = LEAST_PARTED * beam_fwhm_pixels**2
    is_faint = np.zeros(n_labels + 1, dtype=bool)
    for island, box in enumerate(ndimage.find_objects(islands), start=1):
        inside = islands[box] == island
        is_faint[island] = heights[box][inside].max() <= seed_sigma
        if np.count_nonzero(inside) < least_area or is_faint[island]:
            continue
        parts = _part(heights, box, inside, seed_sigma, beam_fwhm_pixels)
        for part in range(2, int(parts.max(initial=0)) + 1):
            n_labels += 1
            labels[box][parts == part] = n_labels
    return _describe(filled, labels, islands, is_faint)


def peak_heights(significance: Float, y: npt.NDArray[np.integer], x: npt.NDArray[np.integer]) -> Float:
    """Return the heights of the parabolas through highest pixels and their neighbours.

    The highest pixel of a beam of five pixels is two per cent below its peak, as
    a mean over where the peak lies between the pixels.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
        Not finite where blank; there, and at borders, the pixel's own value is returned.
    y, x : ndarray of int, shape (n,)
        The pixels.
    """
    padded = np.pad(significance, 1, constant_values=np.nan)
    here = significance[y, x]
    height = here.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        for before, after in (
            (padded[y, x + 1], padded[y + 2, x + 1]),
            (padded[y + 1, x], padded[y + 1, x + 2]),
        ):
            curvature = 2 * here - before - after
            gain = (after - before) ** 2 / (8 * curvature)
            good = np.isfinite(gain) & (curvature > 0) & (here >= before) & (here >= after)
            height += np.where(good, gain, 0)
    return np.asarray(height, dtype=np.float32)


def _filled(significance: Float) -> Float:
    """Nothing stands out where the map is blank."""
    return np.where(np.isfinite(significance), significance, np.float32(-np.inf))


def _with_true_peaks(significance: Float, flood: float) -> Float:
    """Give local maxima above the flood threshold the height of the peak between the pixels."""
    inner = significance[1:-1, 1:-1]
    is_peak = inner > flood
    for dy, dx in ((0, 1), (2, 1), (1, 0), (1, 2)):
        is_peak &= inner >= significance[dy : dy + inner.shape[0], dx : dx + inner.shape[1]]
    y, x = (axis + 1 for axis in np.nonzero(is_peak))
    heights = significance.copy()
    heights[y, x] = peak_heights(significance, y, x)
    return heights


def _islands(significance: Float, seed: float, flood: float, beam_fwhm_pixels: float) -> Int:
    above = significance > flood
    labels, n_labels = ndimage.label(above, structure=EIGHT)
    counts = np.bincount(labels[above], minlength=n_labels + 1)
    seeded = np.zeros(n_labels + 1, dtype=bool)
    seeded[labels[significance > seed]] = True
    keep = seeded & (counts >= max(1, round(LEAST_AREA * beam_fwhm_pixels**2)))
    keep[0] = False
    numbers = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return np.asarray(numbers[labels])


def _part(
    significance: Float, box: tuple[slice, slice], island: Bool, seed: float, beam_fwhm_pixels: float
) -> Int:
    """Number the pieces of one island from 1: what belongs to each peak of its sharpened image."""
    sharp = _sharpened(significance, box, beam_fwhm_pixels)
    size = 2 * max(1, round(0.35 * beam_fwhm_pixels)) + 1
    highest = ndimage.maximum_filter(np.where(island, sharp, -np.inf), size=size, mode="nearest")
    peaks = island & (sharp == highest) & (sharp > 0.8 * seed)
    if np.count_nonzero(peaks) < 2:
        return island.astype(np.int32)
    markers, n_peaks = ndimage.label(peaks, structure=EIGHT)
    if n_peaks < 2:
        return island.astype(np.int32)
    parts = watershed(-sharp, markers, mask=island).astype(np.int32)
    merged = merge_ripples(
        sharp, parts, least=LEAST_PROMINENCE_SIGMA * SHARP_NOISE, least_share=LEAST_PROMINENCE
    )
    return _with_seed(significance[box], merged, seed)


def _sharpened(significance: Float, box: tuple[slice, slice], beam_fwhm_pixels: float) -> Float:
    """Take off a part of the Laplacian, which pulls apart what the beam has blended."""
    rows, columns = (slice(max(0, side.start - 3), side.stop + 3) for side in box)
    wide = significance[rows, columns]
    wide = np.where(wide > -np.inf, wide, np.float32(0))
    rounded = ndimage.laplace(ndimage.gaussian_filter(wide, 0.1 * beam_fwhm_pixels))
    sharp = (wide - SHARPENING * beam_fwhm_pixels**2 * rounded) / SHARP_PEAK
    y, x = box[0].start - rows.start, box[1].start - columns.start
    return np.asarray(sharp[y : y + box[0].stop - box[0].start, x : x + box[1].stop - box[1].start])


def _with_seed(significance: Float, parts: Int, seed: float) -> Int:
    """Give parts without a pixel above the seed threshold to the neighbour behind the highest pass."""
    while True:
        n_parts = int(parts.max())
        height = ndimage.maximum(significance, parts, np.arange(1, n_parts + 1))
        weak = np.flatnonzero(np.asarray(height) < seed) + 1
        passes = [(saddle, a, b) for saddle, a, b in saddles(significance, parts) if a in weak or b in weak]
        if not passes:
            return parts
        _, one, other = max(passes)
        parts = np.where(parts == max(one, other), min(one, other), parts)
        parts = np.asarray(np.where(parts > max(one, other), parts - 1, parts), dtype=np.int32)


def _describe(significance: Float, labels: Int, islands: Int, is_faint: Bool) -> Pieces:
    yx = np.stack(np.unravel_index(_highest(significance, labels), labels.shape), axis=1).astype(np.int32)
    island = islands[yx[:, 0], yx[:, 1]]
    return Pieces(
        labels=labels,
        island=island,
        y=yx[:, 0],
        x=yx[:, 1],
        n_pieces_of_island=np.bincount(island, minlength=1)[island].astype(np.int32),
        slices=ndimage.find_objects(labels),
        is_faint=is_faint[island],
    )


def _highest(significance: Float, labels: Int) -> npt.NDArray[np.intp]:
    """Return the flat index of the highest pixel of each label from 1; the first of equal ones."""
    index = np.flatnonzero(labels > 0)
    owner = labels.ravel()[index]
    order = np.lexsort((-index, significance.ravel()[index], owner))
    last = np.flatnonzero(np.diff(owner[order], append=0))
    return index[order[last]]
