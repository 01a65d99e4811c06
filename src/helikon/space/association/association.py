"""Join pieces to sources and give each source its class probabilities."""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from helikon.space.association.by_shape import join_by_shape
from helikon.space.association.clusters import cluster, links_elsewhere, weakest_link
from helikon.space.association.company import Company
from helikon.space.association.evidence import TileEvidence, gather
from helikon.space.association.judge import Judge, NetworkAlone
from helikon.space.association.pairs import Pairs
from helikon.space.association.patches import Patches
from helikon.space.association.surroundings import Shapes
from helikon.space.association.weighing import (
    LARGEST_COMPACT,
    group_features,
    paired_features,
    sizes_in_points,
)
from helikon.space.background import Background
from helikon.space.classes import CLASSES, less_spurious, without_compact
from helikon.space.detect import Pieces
from helikon.space.finder_settings import FinderSettings
from helikon.space.fits import RadioMap
from helikon.space.measures.compact import CompactFits
from helikon.space.measures.neighbours import are_near_bright
from helikon.space.model import SourceModel
from helikon.space.sky import beam_form, icrs

__all__ = ["Association", "join_pieces"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

LEAST_SURE = 0.51
"""What was joined is one source more probably than not."""
MOST_INCOMPLETE = 1 / 6
"""What was not joined is a part of a source of several islands no more probably than this.

On validation fields of two simulators one in eleven of those was whose links said 0.15 or more."""
SAME_ISLAND = 4 / 9
"""Pieces of one island, which nothing parts, are joined from this share of the threshold's odds on."""
WIDE = 0.3
"""A piece is wide whose (log) flux ratio is at least so much more than what all sources of the map have."""
NOT_WIDE = 3.0
"""Two pieces of which one is not wide are joined from this multiple of the threshold's odds on."""
SPURIOUS, COMPACT, EXTENDED, MULTI, FLAGGED = range(len(CLASSES))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """Sources made of pieces.

    Attributes
    ----------
    source_of_piece : ndarray of int, shape (n_pieces,)
        From 0, without gaps.
    probabilities : ndarray, shape (n_sources, 5)
        Of the classes, in the order of ``classes.CLASSES``; each row sums to 1.
    """

    source_of_piece: npt.NDArray[np.int64]
    probabilities: Double


def join_pieces(
    pieces: Pieces,
    fits: Callable[[], CompactFits],
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
    fits : callable
        Gives those of the same pieces, where shape must tell.
    model : SourceModel or None
        Without one, the shape of each island tells its sources and their classes.
    significance : ndarray of float32, shape (ny, nx)
        (map - background) / rms.
    tell : callable
        Called with (step, number done, number in all).
    """
    if model is None:
        source = join_by_shape(significance, pieces, beam_form(radio_map))
        return Association(source_of_piece=source, probabilities=_by_shape(source, fits().good))
    shapes, pairs, tiles = gather(
        significance,
        background.rms,
        pieces,
        model,
        settings,
        beam_fwhm_pixels=radio_map.beam_fwhm_pixels,
        tell=tell,
    )
    patches = Patches(significance, pieces, shapes, radio_map.beam_fwhm_pixels)
    found: list[tuple[Int, Double]] = []
    for evidence in tiles:
        found += _judged(evidence, shapes, pairs, pieces, patches, model.judge, settings)
    joined = _without_overlap(found, len(pieces))
    peaks = _peaks(radio_map, background, pieces, joined.source_of_piece)
    is_far = ~are_near_bright(peaks, radio_map.beam.major_arcsec)
    return dataclasses.replace(joined, probabilities=less_spurious(joined.probabilities, is_far))


def _judged(
    evidence: TileEvidence,
    shapes: Shapes,
    pairs: Pairs,
    pieces: Pieces,
    patches: Patches,
    judge: Judge | NetworkAlone,
    settings: FinderSettings,
) -> list[tuple[Int, Double]]:
    """Return pieces and class probabilities of the sources whose brightest piece is the tile's own."""
    island = pieces.island
    one, other = pairs.one[evidence.pairs], pairs.other[evidence.pairs]
    kinship = judge.kinship(
        paired_features(pairs, evidence),
        shapes.like,
        lambda rows: patches.cut(one[rows], other[rows]),
        Company(one, other, shapes, island, patches.beam_fwhm_pixels).tell,
    )
    thresholds = _thresholds(
        settings.score_threshold,
        same_island=island[one] == island[other],
        both_wide=pairs.feature("flux_ratio_least")[evidence.pairs] > WIDE,
    )
    groups = cluster(evidence.inside, one, other, kinship, thresholds)
    owned = set(evidence.inside[evidence.owns].tolist())
    mine = [group for group in groups if int(group[np.argmax(shapes.snr[group])]) in owned]
    if not mine:
        return []
    features = group_features(mine, shapes, pieces, evidence)
    strong = [group[~pieces.is_faint[group]] for group in mine]
    n_islands, n_strong = (np.array([len(np.unique(island[of])) for of in each]) for each in (mine, strong))
    counted = [few if n > 1 else group for group, few, n in zip(mine, strong, n_strong, strict=True)]
    sure = np.array([weakest_link(group, island, one, other, kinship) for group in counted])
    incomplete = links_elsewhere(mine, island, one, other, kinship)
    too_large = sizes_in_points(features, settings.flood_sigma) > LARGEST_COMPACT
    given = without_compact(judge.classify(features), too_large, instead="extended")
    return list(zip(mine, _consistent(given, n_islands, n_strong, sure, incomplete), strict=True))


def _thresholds(threshold: float, *, same_island: Bool, both_wide: Bool) -> Double:
    """Return the threshold of each pair; 0 and 1 stay what they are for every pair.

    A galaxy that stays in pieces is worth a wrong join or two of what is rare:
    wide sources beside each other. Points beside each other are common.
    """
    share = threshold * np.where(same_island, SAME_ISLAND, 1.0) * np.where(both_wide, 1.0, NOT_WIDE)
    return np.asarray(share / (share + (1 - threshold)))


def _without_overlap(found: list[tuple[Int, Double]], n_pieces: int) -> Association:
    """Give a piece that sources of two tiles claim to the larger; one that none claims cannot be."""
    source = np.full(n_pieces, -1)
    rows: list[Double] = []
    for group, probabilities in sorted(found, key=lambda one: (-len(one[0]), int(one[0][0]))):
        free = group[source[group] < 0]
        if len(free):
            source[free] = len(rows)
            rows.append(probabilities)
    by_piece = {int(group[0]): p for group, p in found if len(group) == 1}
    for piece in np.flatnonzero(source < 0):
        source[piece] = len(rows)
        rows.append(by_piece.get(int(piece), UNSEEN))
    order = np.unique(source, return_inverse=True)[1]
    return Association(source_of_piece=order.astype(np.int64), probabilities=np.array(rows))


def _peaks(
    radio_map: RadioMap, background: Background, pieces: Pieces, source_of_piece: Int
) -> dict[str, Double]:
    """Return where on the sky each source's highest piece is, and how high."""
    height = (radio_map.data[pieces.y, pieces.x] - background.level[pieces.y, pieces.x]).astype(np.float64)
    order = np.lexsort((-np.nan_to_num(height), source_of_piece))
    best = order[np.unique(source_of_piece[order], return_index=True)[1]]
    ra, dec = icrs(radio_map.wcs, pieces.x[best].astype(np.float64), pieces.y[best].astype(np.float64))
    return {"ra": ra, "dec": dec, "peak_flux": np.nan_to_num(height[best])}


UNSEEN = np.array([0.0, 0.5, 0.5, 0.0, 0.0])
"""Of a piece that each of two tiles left to the other."""


def _by_shape(source: Int, is_compact: Bool) -> Double:
    alone = np.bincount(source)[source] == 1
    compact = np.zeros(int(source.max()) + 1, dtype=bool)
    compact[source] = alone & is_compact
    probabilities = np.zeros((len(compact), len(CLASSES)))
    probabilities[np.arange(len(compact)), np.where(compact, COMPACT, EXTENDED)] = 1.0
    return probabilities


def _consistent(given: Double, n_islands: Int, n_strong: Int, sure: Double, incomplete: Double) -> Double:
    """Extended means one island and multi-island several: the islands are counted, not guessed.

    That several islands are one source is as probable as their weakest link; if
    they are not, the brightest is what is left. Islands that are all faint beside
    one that is not may be its own fading edge: there the judge of sources has its
    say. One island is a part of a source of several where it is kin to an island
    that was not joined to it.
    """
    several = n_islands > 1
    good = given[:, [COMPACT, EXTENDED, MULTI]].sum(axis=1)
    said = given[:, MULTI] / np.maximum(given[:, EXTENDED] + given[:, MULTI], 1e-9)
    joined = np.maximum(sure, LEAST_SURE) * np.where(n_strong > 1, 1.0, said)
    multi = np.where(several, joined, np.minimum(incomplete, MOST_INCOMPLETE))
    extended = given[:, EXTENDED] + np.where(several, 0.0, given[:, MULTI])
    share = given[:, COMPACT] / np.maximum(given[:, COMPACT] + extended, 1e-9)
    result = given.copy()
    result[:, MULTI] = good * multi
    result[:, COMPACT] = good * (1 - multi) * share
    result[:, EXTENDED] = good * (1 - multi) * (1 - share)
    return result
