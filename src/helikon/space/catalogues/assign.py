"""Which pieces of emission each entry of a catalogue covers.

The pieces are those of the finder's own step, which the network knows, and
more where an entry has none: what the map shows above the flood threshold
there, or else the entry's own ellipse.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.catalogues.located import Located
from helikon.space.detect import Pieces

__all__ = ["Assigned", "assign"]

Float = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

EIGHT = np.ones((3, 3), dtype=bool)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Pieces, and whose they are.

    Attributes
    ----------
    pieces : Pieces
        All of the window, those without an entry too.
    covered : list of ndarray of int
        For each entry how many of its pixels are of each piece; a shorter
        array stands for zeros behind, an empty one for blank pixels.
    is_faint : ndarray of bool, shape (n,)
        Nothing of the entry is above the flood threshold.
    """

    pieces: Pieces
    covered: list[Int]
    is_faint: Bool

    def sources(self, source_of_piece: Int) -> Int:
        """Return the source that has most pixels of each entry, from 0; -1 on blank pixels."""
        chosen = np.full(len(self.covered), -1, dtype=np.int64)
        for entry, counts in enumerate(self.covered):
            if len(counts):
                chosen[entry] = np.argmax(np.bincount(source_of_piece[: len(counts)], counts))
        return chosen


def assign(
    significance: Float,
    located: Located,
    entries: Int,
    corner: tuple[int, int],
    base: Pieces,
    flood_sigma: float,
) -> Assigned:
    """Give each of these entries the pieces of a window that it covers, or one of its own.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
        Of the window; NaN where blank.
    entries : ndarray of int, shape (n,)
        Rows of ``located`` whose position is in the window.
    corner : tuple of int
        Column and row of the window's first pixel in the map.
    base : Pieces
        The finder's own.
    flood_sigma : float
        What is above it and in no piece may become one.
    """
    filled = np.nan_to_num(significance, nan=-np.inf)
    below = _unseeded(filled, base.labels, flood_sigma)
    shape = (significance.shape[0], significance.shape[1])
    work = _Work(filled, base.labels.copy(), below, len(base), np.isfinite(significance))
    covered: list[Int] = []
    faint = np.zeros(len(entries), dtype=bool)
    for index, entry in enumerate(entries):
        position = round(located.y[entry] - corner[1]), round(located.x[entry] - corner[0])
        counts, faint[index] = work.choose(position, located.footprint(entry, corner, shape))
        covered.append(counts[1:])
    return Assigned(pieces=_extended(base, work, filled), covered=covered, is_faint=faint)


def _unseeded(significance: Float, labels: Labels, flood_sigma: float) -> Labels:
    """Number what is above the flood threshold and in no piece."""
    return np.asarray(ndimage.label((significance > flood_sigma) & (labels == 0), structure=EIGHT)[0])


@dataclasses.dataclass(slots=True)
class _Work:
    """Labels as they grow by the pieces that entries bring."""

    significance: Float
    labels: Labels
    below: Labels
    n_pieces: int
    valid: Bool

    def choose(self, position: tuple[int, int], footprint: tuple[Int, Int]) -> tuple[Int, bool]:
        """Count an entry's pixels of each label (none on blank pixels), and say whether it is faint."""
        rows, columns = (np.append(along, here) for along, here in zip(footprint, position, strict=True))
        valid = self.valid[rows, columns]
        if not self.valid[position] and np.mean(valid) <= 0.5:
            return np.empty(0, dtype=np.int64), False
        is_faint = False
        if not self.labels[rows, columns].any():
            below = np.bincount(self.below[rows, columns])
            is_faint = len(below) == 1
            self._new((rows[valid], columns[valid]) if is_faint else self.below == below[1:].argmax() + 1)
        return np.bincount(self.labels[rows, columns]), is_faint

    def _new(self, pixels: tuple[Int, Int] | Bool) -> None:
        self.n_pieces += 1
        self.labels[pixels] = self.n_pieces


def _extended(base: Pieces, work: _Work, significance: Float) -> Pieces:
    """Describe the pieces with those that came; each of these is an island."""
    n_new = work.n_pieces - len(base)
    if n_new == 0:
        return base
    numbers = np.arange(len(base) + 1, work.n_pieces + 1)
    peaks = np.array(ndimage.maximum_position(significance, work.labels, numbers), dtype=np.int32)
    first = int(base.island.max(initial=0)) + 1
    return Pieces(
        labels=work.labels,
        island=np.concatenate([base.island, np.arange(first, first + n_new)]).astype(np.int32),
        y=np.concatenate([base.y, peaks[:, 0]]).astype(np.int32),
        x=np.concatenate([base.x, peaks[:, 1]]).astype(np.int32),
        n_pieces_of_island=np.concatenate([base.n_pieces_of_island, np.ones(n_new)]).astype(np.int32),
        slices=ndimage.find_objects(work.labels),
        is_faint=np.concatenate([base.is_faint, np.zeros(n_new, dtype=bool)]),
    )
