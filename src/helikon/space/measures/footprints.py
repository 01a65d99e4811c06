"""Which pixels belong to which source and to which island of it, as sorted lists."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.detect import Pieces
from helikon.space.groups import grouped

__all__ = ["Footprints", "SourceMasks", "borders", "largest_extents", "shared_islands"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

N_ANGLES = 36


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SourceMasks:
    """Which pixels belong to which source.

    Attributes
    ----------
    labels : ndarray of int32, shape (ny, nx)
        Source number from 1, 0 elsewhere.
    pieces : list of ndarray of int
        Pieces (from 0) of each source.
    slices : list of tuple of slice
        Bounding boxes.
    """

    labels: npt.NDArray[np.int32]
    pieces: list[Int]
    slices: list[tuple[slice, slice]]

    @classmethod
    def of(cls, pieces: Pieces, source_of_piece: Int) -> "SourceMasks":
        """Join pieces to sources; ``source_of_piece`` counts from 0 without gaps."""
        table = np.concatenate([[0], source_of_piece + 1]).astype(np.int32)
        labels = table[pieces.labels]
        return cls(labels=labels, pieces=grouped(source_of_piece), slices=ndimage.find_objects(labels))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Footprints:
    """Pixels of all sources, ordered by source and within it by island.

    Attributes
    ----------
    x, y : ndarray of int
        Of each pixel.
    source_starts : ndarray of int, shape (n_sources + 1,)
        Where each source's pixels begin in ``x`` and ``y``, and the end.
    part_starts : ndarray of int, shape (n_parts + 1,)
        The same for parts: what a source has in one island.
    source_of_part : ndarray of int, shape (n_parts,)
        From 0.
    pieces_of_part : list of ndarray of int
        From 0.
    """

    x: Int
    y: Int
    source_starts: Int
    part_starts: Int
    source_of_part: Int
    pieces_of_part: list[Int]

    @classmethod
    def of(cls, pieces: Pieces, masks: SourceMasks) -> "Footprints":
        """Sort the pixels of a map by source and island."""
        source_of_piece = np.empty(len(pieces), dtype=np.int64)
        for source, members in enumerate(masks.pieces):
            source_of_piece[members] = source
        keys = source_of_piece * (int(pieces.island.max(initial=0)) + 1) + pieces.island
        _, first, part_of_piece = np.unique(keys, return_index=True, return_inverse=True)
        places = np.flatnonzero(pieces.labels > 0)
        part = part_of_piece[pieces.labels.ravel()[places] - 1]
        order = np.argsort(part, kind="stable")
        part_starts = np.searchsorted(part[order], np.arange(len(first) + 1))
        source_of_part = source_of_piece[first]
        of_source = np.searchsorted(source_of_part, np.arange(len(masks.pieces) + 1))
        y, x = np.divmod(places[order], pieces.labels.shape[1])
        return cls(
            x=x,
            y=y,
            source_starts=part_starts[of_source],
            part_starts=part_starts,
            source_of_part=source_of_part,
            pieces_of_part=grouped(part_of_piece),
        )


def largest_extents(x: Int, y: Int, starts: Int) -> Double:
    """Return the largest extent in pixels of groups of pixels, one pixel's own included (to 0.4 %).

    Parameters
    ----------
    starts : ndarray of int, shape (n + 1,)
        Where the groups begin, and the end.
    """
    extents = np.zeros(len(starts) - 1)
    for angle in np.arange(N_ANGLES) * math.pi / N_ANGLES:
        along = math.cos(angle) * x + math.sin(angle) * y
        high, low = (reduce.reduceat(along, starts[:-1]) for reduce in (np.maximum, np.minimum))
        extents = np.maximum(extents, high - low)
    return np.asarray(extents + 1)


def borders(data: Float) -> Bool:
    """Return the pixels at the map's border or beside a blank."""
    near = np.zeros(data.shape, dtype=bool)
    near[[0, -1]] = near[:, [0, -1]] = True
    blank = ~np.isfinite(data)
    if blank.any():
        near |= ndimage.maximum_filter(blank, size=3, mode="constant", cval=0)
    return near


def shared_islands(pieces: Pieces, masks: SourceMasks) -> Bool:
    """Say of each source whether another has pixels in one of its islands."""
    source = np.repeat(np.arange(len(masks.pieces)), [len(members) for members in masks.pieces])
    island = pieces.island[np.concatenate(masks.pieces)].astype(np.int64)
    pairs = np.unique(np.stack([source, island], axis=1), axis=0)
    n_sources = np.bincount(pairs[:, 1])
    is_shared = np.zeros(len(masks.pieces), dtype=bool)
    is_shared[pairs[n_sources[pairs[:, 1]] > 1, 0]] = True
    return is_shared
