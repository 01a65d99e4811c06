"""Join pieces to sources and give each source its class probabilities."""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from helikon.space.background import Background
from helikon.space.compact import CompactFits
from helikon.space.detect import Pieces
from helikon.space.finder_settings import FinderSettings
from helikon.space.fits import RadioMap
from helikon.space.inference import Seen, look
from helikon.space.model import CLASSES, SourceModel

__all__ = ["Association", "associate", "join_pieces"]

POINT_LIKE = 1.25
"""Area in beams up to which a source is compact whatever the network says: bandwidth smearing does that."""

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

SPURIOUS, COMPACT, EXTENDED, MULTI, FLAGGED = range(len(CLASSES))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """Sources made of pieces.

    Attributes
    ----------
    source_of_piece : ndarray of int, shape (n_pieces,)
        From 0, without gaps.
    probabilities : ndarray, shape (n_sources, 5)
        Of the classes, in the order of ``model.CLASSES``; each row sums to 1.
    """

    source_of_piece: npt.NDArray[np.int64]
    probabilities: Double


def join_pieces(
    pieces: Pieces,
    fits: CompactFits,
    model: SourceModel | None,
    settings: FinderSettings,
    *,
    radio_map: RadioMap,
    background: Background,
    significance: Float,
    tell: Callable[[str, int, int], None],
) -> Association:
    """Say which pieces are one source, and what each source is.

    Parameters
    ----------
    pieces : Pieces
        At least one; of the finder's own step or of somebody else's catalogue.
    fits : CompactFits
        Of the same pieces.
    model : SourceModel or None
        Without one, each piece is a source and its shape tells its class.
    significance : ndarray of float32, shape (ny, nx)
        (map - background) / rms.
    tell : callable
        Called with (step, number done, number in all).
    """
    seen = None
    if model is not None:
        seen = look(
            significance,
            pieces,
            model,
            radio_map,
            tile_pixels=settings.tile_pixels,
            overlap_pixels=settings.overlap_pixels,
            tell=tell,
        )
    unresolved = fits.good & (fits.area_ratio < POINT_LIKE)
    return associate(pieces, fits.good, unresolved, seen, settings.score_threshold)


def associate(
    pieces: Pieces, is_compact: Bool, is_unresolved: Bool, seen: Seen | None, score_threshold: float
) -> Association:
    """Join pieces by the network's masks.

    Parameters
    ----------
    is_compact : ndarray of bool, shape (n_pieces,)
        A Gaussian of about the beam's size describes the piece.
    is_unresolved : ndarray of bool, shape (n_pieces,)
        A Gaussian of almost the beam's own size does.
    seen : Seen or None
        What the network says; without it each piece is a source and its shape
        tells its class.
    """
    if seen is None:
        return Association(source_of_piece=np.arange(len(pieces)), probabilities=_by_shape(is_compact))
    group = np.full(len(pieces), -1)
    rows: list[Double] = []
    for members, probabilities in seen.groups:
        free = members[group[members] < 0]
        if len(free) and probabilities[[EXTENDED, MULTI]].sum() >= score_threshold:
            group[free] = len(rows)
            rows.append(probabilities)
    for piece in np.flatnonzero(group < 0):
        group[piece] = len(rows)
        rows.append(seen.of_piece[piece])
    probabilities = np.array(rows)
    probabilities = _consistent(probabilities, group, pieces)
    alone = np.bincount(group, minlength=len(rows)) == 1
    unresolved = np.zeros(len(rows), dtype=bool)
    unresolved[group] = is_unresolved
    return Association(source_of_piece=group, probabilities=_unresolved(probabilities, alone & unresolved))


def _by_shape(is_compact: Bool) -> Double:
    probabilities = np.zeros((len(is_compact), len(CLASSES)))
    probabilities[np.arange(len(is_compact)), np.where(is_compact, COMPACT, EXTENDED)] = 1.0
    return probabilities


def _consistent(probabilities: Double, group: npt.NDArray[np.int64], pieces: Pieces) -> Double:
    """Extended means one island and multi-island several: the islands are counted, not guessed."""
    n_islands = np.array([len(np.unique(pieces.island[group == i])) for i in range(len(probabilities))])
    either = probabilities[:, EXTENDED] + probabilities[:, MULTI]
    result = probabilities.copy()
    result[:, EXTENDED] = np.where(n_islands > 1, 0.0, either)
    result[:, MULTI] = np.where(n_islands > 1, either, 0.0)
    return np.asarray(result / np.maximum(result.sum(axis=1, keepdims=True), 1e-12))


def _unresolved(probabilities: Double, chosen: Bool) -> Double:
    """What has the beam's own shape is not extended: that is measured, not guessed."""
    result = probabilities.copy()
    result[chosen, COMPACT] += result[chosen][:, [EXTENDED, MULTI]].sum(axis=1)
    result[chosen, EXTENDED] = 0.0
    result[chosen, MULTI] = 0.0
    return result
