"""Measure the sources of a map, and the points on wide ones apart from what is beneath them."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.background import Background
from helikon.space.detect import Pieces
from helikon.space.fits import RadioMap
from helikon.space.measures.compact import CompactFits
from helikon.space.measures.embedded import Embedded, find_embedded
from helikon.space.measures.measure import SourceMasks, fit_map, measure_sources
from helikon.space.sky import beam_form

__all__ = ["Layers", "measure_layers"]

Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Measured sources, points on wide ones among them.

    Attributes
    ----------
    values : dict of str to array
        As ``measure.measure_sources`` gives them, a value a source.
    pieces : Pieces
    source_of_piece : ndarray of int, shape (n_pieces,)
        Row in ``values`` of each piece.
    parent : ndarray of int, shape (n_sources,)
        Which of the sources before each was, or stands on.
    is_parted : ndarray of bool, shape (n_sources,)
        Which are points that were parts of what they stand on.
    """

    values: dict[str, Any]
    pieces: Pieces
    source_of_piece: Int
    parent: Int
    is_parted: Bool


def measure_layers(
    radio_map: RadioMap,
    background: Background,
    significance: Float,
    pieces: Pieces,
    source_of_piece: Int,
    fits: CompactFits,
    is_wide: Bool,
    is_compact: Bool,
    *,
    seed_sigma: float,
    flood_sigma: float,
) -> Layers:
    """Measure every source; points on wide ones become sources (``embedded.py``).

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
        The map's.
    source_of_piece : ndarray of int, shape (n_pieces,)
        From 0 without gaps.
    fits : CompactFits
        Of the pieces.
    is_wide, is_compact : ndarray of bool, shape (n_sources,)
        Which sources points may stand on, and which may be such points.
    seed_sigma, flood_sigma : float
        Thresholds, for the points above their ground and for the ground without them.
    """
    points = find_embedded(
        radio_map.data - background.level,
        background.rms,
        significance,
        pieces,
        source_of_piece,
        is_wide,
        is_compact,
        form=beam_form(radio_map),
        beam_fwhm_pixels=radio_map.beam_fwhm_pixels,
        seed_sigma=seed_sigma,
        flood_sigma=flood_sigma,
    )
    if points is None:
        masks = SourceMasks.of(pieces, source_of_piece)
        return Layers(
            values=measure_sources(radio_map, background, pieces, fits, masks),
            pieces=pieces,
            source_of_piece=source_of_piece,
            parent=np.arange(len(is_wide)),
            is_parted=np.zeros(len(is_wide), dtype=bool),
        )
    left, source_of_piece = np.unique(points.source_of_piece, return_inverse=True)
    is_ground = np.isin(left, points.ground_of)
    beneath = _beneath(radio_map, background, pieces, source_of_piece, fits, points, is_ground)
    stays = ~is_ground | (beneath["snr"] > seed_sigma)
    is_bare = (pieces.labels > 0) & (points.labels == 0)
    stays &= np.isin(np.arange(len(left)), source_of_piece[pieces.labels[is_bare] - 1])
    above = _above(radio_map, background, fits, points)
    chosen = np.flatnonzero(stays)
    whole, source = _whole(pieces, source_of_piece, stays, points, significance)
    return Layers(
        values={name: _joined(beneath[name], chosen, above[name]) for name in beneath},
        pieces=whole,
        source_of_piece=source,
        parent=np.concatenate([left[chosen], points.was]),
        is_parted=np.concatenate([np.zeros(len(chosen), dtype=bool), is_wide[points.was]]),
    )


def _beneath(
    radio_map: RadioMap,
    background: Background,
    pieces: Pieces,
    source_of_piece: Int,
    fits: CompactFits,
    points: Embedded,
    is_ground: Bool,
) -> dict[str, Any]:
    """Measure the sources without the points on them."""
    ground = dataclasses.replace(radio_map, data=points.ground + background.level)
    bare = pieces.parted(pieces.labels, background.significance(ground.data))
    is_new = np.isin(pieces.island, pieces.island[is_ground[source_of_piece]])
    before = np.where(is_new, -1, np.arange(len(pieces)))
    again = fit_map(ground, background, bare, known=fits, before=before)
    return measure_sources(ground, background, bare, again, SourceMasks.of(bare, source_of_piece))


def _above(
    radio_map: RadioMap, background: Background, fits: CompactFits, points: Embedded
) -> dict[str, Any]:
    """Measure the points above their ground, each an island of its own."""
    n = len(points.was)
    number = np.arange(n)
    pieces = Pieces(
        labels=points.labels,
        island=(number + 1).astype(np.int32),
        x=points.x.astype(np.int32),
        y=points.y.astype(np.int32),
        n_pieces_of_island=np.ones(n, dtype=np.int32),
        slices=ndimage.find_objects(points.labels),
        is_faint=np.zeros(n, dtype=bool),
    )
    radio_map = dataclasses.replace(radio_map, data=points.points + background.level)
    fitted = fit_map(radio_map, background, pieces, known=fits, before=np.full(n, -1))
    values = measure_sources(radio_map, background, pieces, fitted, SourceMasks.of(pieces, number))
    at = points.y, points.x
    beneath = points.ground[at]
    flags = [" ".join([*text.split(), "embedded"]) for text in values["flags"]]
    return values | {"background": values["background"] + beneath, "flags": flags}


def _joined(one: Any, chosen: npt.NDArray[np.intp], other: Any) -> Any:
    """Put rows of a column before another."""
    if isinstance(one, np.ndarray):
        return np.concatenate([one[chosen], other])
    return [one[row] for row in chosen] + list(other)


def _whole(
    pieces: Pieces, source_of_piece: Int, stays: Bool, points: Embedded, significance: Float
) -> tuple[Pieces, Int]:
    """Return the pieces of both layers, and their sources."""
    row = np.cumsum(stays) - 1
    source = np.concatenate([row[source_of_piece], stays.sum() + np.arange(len(points.was))])
    kept = np.concatenate([stays[source_of_piece], np.ones(len(points.was), dtype=bool)])
    labels = np.where(points.labels > 0, len(pieces) + points.labels, pieces.labels)
    labels = np.where(np.concatenate([[True], kept])[labels], labels, 0)
    used = np.bincount(labels.ravel(), minlength=len(source) + 1) > 0
    used[0] = False
    numbers = np.where(used, np.cumsum(used), 0).astype(np.int32)
    return pieces.parted(numbers[labels], significance), source[used[1:]]
