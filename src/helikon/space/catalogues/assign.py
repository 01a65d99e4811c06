"""Which piece of emission each entry of a catalogue is.

The pieces are those of the finder's own step, which the network knows, and
more where an entry has none: what the map shows above the flood threshold
there, or else the entry's own ellipse.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.catalogues.located import Located
from helikon.space.detect import Pieces, find_pieces
from helikon.space.finder_settings import FinderSettings

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
    piece_of_entry : ndarray of int, shape (n,)
        From 0; -1 on blank pixels. Entries may share one.
    is_faint : ndarray of bool, shape (n,)
        Nothing of the entry is above the flood threshold.
    """

    pieces: Pieces
    piece_of_entry: Int
    is_faint: Bool


def assign(
    significance: Float,
    located: Located,
    entries: Int,
    corner: tuple[int, int],
    settings: FinderSettings,
    *,
    beam_fwhm_pixels: float,
) -> Assigned:
    """Find the pieces of a window and give each of these entries one.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
        Of the window; NaN where blank.
    entries : ndarray of int, shape (n,)
        Rows of ``located`` whose position is in the window.
    corner : tuple of int
        Column and row of the window's first pixel in the map.
    """
    base = find_pieces(
        significance,
        seed_sigma=settings.seed_sigma,
        flood_sigma=settings.flood_sigma,
        beam_fwhm_pixels=beam_fwhm_pixels,
    )
    filled = np.nan_to_num(significance, nan=-np.inf)
    below = _unseeded(filled, base.labels, settings.flood_sigma)
    shape = (significance.shape[0], significance.shape[1])
    work = _Work(filled, base.labels.copy(), below, len(base), np.isfinite(significance))
    chosen = np.full(len(entries), -1, dtype=np.int64)
    faint = np.zeros(len(entries), dtype=bool)
    for index, entry in enumerate(entries):
        position = round(located.y[entry] - corner[1]), round(located.x[entry] - corner[0])
        chosen[index], faint[index] = work.choose(position, located.footprint(entry, corner, shape))
    return Assigned(pieces=_extended(base, work, filled), piece_of_entry=chosen - 1, is_faint=faint)


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

    def choose(self, position: tuple[int, int], footprint: tuple[Int, Int]) -> tuple[int, bool]:
        """Return the label of an entry (0 on blank pixels), and whether it is faint."""
        if self._is_blank(position, footprint):
            return 0, False
        if label := self.labels[position] or self._heaviest(self.labels, footprint):
            return int(label), False
        if number := self.below[position] or self._heaviest(self.below, footprint):
            return self._new(self.below == number), False
        rows, columns = footprint
        valid = self.valid[rows, columns]
        return self._new((rows[valid], columns[valid])), True

    def _is_blank(self, position: tuple[int, int], footprint: tuple[Int, Int]) -> bool:
        """Nothing was observed at the position and on most of the footprint."""
        return not self.valid[position] and bool(np.mean(self.valid[footprint]) <= 0.5)

    def _heaviest(self, labels: Labels, footprint: tuple[Int, Int]) -> int:
        """The label with most significance under a footprint; 0 for none."""
        found = labels[footprint]
        if not found.any():
            return 0
        weights = np.clip(self.significance[footprint], 0, None)
        sums = np.bincount(found, weights)
        sums[0] = 0
        return int(np.argmax(sums))

    def _new(self, pixels: tuple[Int, Int] | Bool) -> int:
        self.n_pieces += 1
        self.labels[pixels] = self.n_pieces
        return self.n_pieces


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
    )
