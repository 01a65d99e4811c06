"""What the judges go by, in numbers: measures of pairs and groups beside what the network says."""

import numpy as np
import numpy.typing as npt

from helikon.space.association.evidence import TileEvidence
from helikon.space.association.judge import GROUP_FEATURES
from helikon.space.association.pairs import Pairs
from helikon.space.association.surroundings import PIECE_FEATURES, Shapes
from helikon.space.detect import Pieces

__all__ = ["LARGEST_COMPACT", "group_features", "paired_features", "sizes_in_points"]

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

LEAST_LOG = 1e-4
LARGEST_COMPACT = 4.0
"""Islands of compact sources are at most so many times as large as a point source's of their height.

On validation fields of two simulators, 999 of 1,000 that were called compact and are."""
LEAST_HEIGHT = 1.2
"""A peak counts as at least so many times the flood threshold, to say how large a point source would be."""


def paired_features(pairs: Pairs, evidence: TileEvidence) -> Double:
    """Return what is known of the pairs within a tile, columns as in ``judge.PAIRED_FEATURES``."""
    place = np.full(1 + int(evidence.inside.max(initial=0)), -1)
    place[evidence.inside] = np.arange(len(evidence.inside))
    one, other = place[pairs.one[evidence.pairs]], place[pairs.other[evidence.pairs]]
    columns = [pairs.features[evidence.pairs], _log(evidence.of_pair), evidence.together[:, None]]
    for values in (evidence.covered, *_log(evidence.of_piece).T):
        both = values[one], values[other]
        columns += [np.minimum(*both)[:, None], np.maximum(*both)[:, None]]
    return np.concatenate(columns, axis=1)


def group_features(groups: list[Int], shapes: Shapes, pieces: Pieces, evidence: TileEvidence) -> Double:
    """Return what is known of sources within a tile, columns as in ``judge.GROUP_FEATURES``.

    Parameters
    ----------
    groups : list of ndarray of int
        Pieces of each source; all of them inside the tile.
    """
    place = np.full(len(shapes.x), -1)
    place[evidence.inside] = np.arange(len(evidence.inside))
    area, ratio = (shapes.features[:, PIECE_FEATURES.index(name)] for name in ("area", "flux_ratio"))
    first = np.array([group[0] for group in groups], dtype=np.int64)
    nothing = np.zeros(len(groups))
    faint = np.log1p(pieces.is_faint[first].astype(np.float64))
    of_one = [evidence.covered[place[first]], nothing, faint, nothing, area[first], ratio[first], nothing]
    best, summed = first.copy(), np.stack(of_one, axis=1)
    for row, group in enumerate(groups):
        if len(group) > 1:
            best[row] = group[np.argmax(shapes.snr[group])]
            summed[row] = (
                evidence.covered[place[group]].max(),
                np.log(len(np.unique(pieces.island[group]))),
                np.log1p(np.count_nonzero(pieces.is_faint[group])),
                np.log(len(group)),
                np.log(np.exp(area[group]).sum()),
                ratio[group].max(),
                _second(shapes.snr[group], pieces.island[group]),
            )
    boxes, peaks = _log(evidence.ask(groups)), _log(evidence.of_piece[place[best]])
    return np.concatenate([shapes.features[best], boxes, peaks, summed], axis=1)


def sizes_in_points(features: Double, flood_sigma: float) -> Double:
    """Return the area of each group over that of a point source of its height above the flood threshold.

    Parameters
    ----------
    features : ndarray, shape (n, n_group_features)
        From :func:`group_features`.
    """
    snr, area = (features[:, GROUP_FEATURES.index(name)] for name in ("snr", "total_area"))
    return np.asarray(np.exp(area) / np.maximum(snr - np.log(flood_sigma), np.log(LEAST_HEIGHT)))


def _second(snr: Double, island: npt.NDArray[np.int32]) -> float:
    """Logarithm of the signal to noise of the second highest island; 0 for none."""
    others = snr[island != island[np.argmax(snr)]]
    return float(np.log(max(others.max(initial=1.0), 1.0)))


def _log(probabilities: Double) -> Double:
    return np.asarray(np.log(np.maximum(probabilities, LEAST_LOG)))
