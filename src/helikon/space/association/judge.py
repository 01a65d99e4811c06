"""Which pieces are one source, and what each source is: measures and the network, weighed.

Two small perceptrons. The first says of a pair of pieces how probable it is
that they are one source; pairs are joined from the surest on. The second says
of each source the probabilities of the five classes. Both are trained on
made-up skies by the recipe ``space/judge``. Where the first is in doubt, an eye
(see ``eye.py``) looks at the pair itself.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from helikon.space.association.eye import Eye
from helikon.space.association.pairs import PAIR_FEATURES
from helikon.space.association.perceptron import Perceptron
from helikon.space.association.surroundings import PIECE_FEATURES
from helikon.space.classes import CLASSES

__all__ = [
    "GROUP_FEATURES",
    "PAIRED_FEATURES",
    "Cut",
    "Judge",
    "NetworkAlone",
    "cluster",
    "doubtful",
    "weakest_link",
]

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Cut = Callable[[Int], npt.NDArray[np.float32]]
"""Gives the patches (k, 4, 32, 48) of some rows of the pairs, see ``patches.py``."""

NETWORK = ("background", *CLASSES)
PAIRED_FEATURES = (
    *PAIR_FEATURES, *(f"both_{name}" for name in NETWORK), "together",
    *(f"{name}_{which}" for name in ("covered", *NETWORK) for which in ("least", "most")),
)  # fmt: skip
GROUP_FEATURES = (
    *PIECE_FEATURES, *(f"box_{name}" for name in NETWORK), *(f"peak_{name}" for name in NETWORK),
    "covered", "n_islands", "n_faint", "n_pieces", "total_area", "widest_flux_ratio", "second_snr",
)  # fmt: skip
PRIOR = np.array([0.35, 1.0, 1.0, 1.0, 1.0])
"""How many of each class maps have for one that training fields have: those are fuller of artefacts.

Chosen on validation fields of two simulators, where it keeps two thirds of the
faint diffuse sources from being called spurious and loses no artefact."""
DOUBTFUL = math.log(99.0)
"""Pairs whose log odds are nearer to zero are looked at: probabilities from 1 to 99 %."""
LOOKED_AT_ONCE = 32
"""Pairs; what the eye makes of more takes memory, and no less time."""
LEAST_AGREEMENT = 0.6
"""Pairs between two groups must be kin to this share of the threshold, on average: far ends hardly are."""
EXTENDED = CLASSES.index("extended")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The two perceptrons, and the eye.

    Attributes
    ----------
    pair : Perceptron
        ``PAIRED_FEATURES`` to the log odds that a pair is one source.
    source : Perceptron
        ``GROUP_FEATURES`` to the logarithms of the odds of the five classes.
    eye : Eye, optional
        Corrects the log odds of doubtful pairs.
    """

    pair: Perceptron
    source: Perceptron
    eye: Eye | None = None

    @classmethod
    def read(cls, tensors: Mapping[str, npt.NDArray[np.floating]], eye: Eye | None = None) -> "Judge":
        """Take the tensors that the recipe ``space/judge`` wrote."""
        return cls(pair=Perceptron.read(tensors, "pair"), source=Perceptron.read(tensors, "source"), eye=eye)

    def kinship(self, features: Double, cut: Cut) -> Double:
        """Return the probability (n,) that each pair is one source.

        Parameters
        ----------
        features : ndarray, shape (n, n_paired_features)
        cut : callable
            Gives the patches of the pairs that are looked at.
        """
        logits = self.pair(features)[:, 0]
        if self.eye is not None:
            rows = doubtful(logits)
            for first in range(0, len(rows), LOOKED_AT_ONCE):
                part = rows[first : first + LOOKED_AT_ONCE]
                logits[part] = self.eye(cut(part), features[part], logits[part])
        return np.asarray(1 / (1 + np.exp(-logits)))

    def classify(self, features: Double) -> Double:
        """Return the class probabilities (n, 5) of sources."""
        logits = self.source(features)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True)) * PRIOR
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))


class NetworkAlone:
    """Stands for a judge where a model has none: the network's masks and boxes are taken at their word."""

    def kinship(self, features: Double, cut: Cut) -> Double:
        """Return the probability (n,) of the extended mask that holds both pieces."""
        return features[:, PAIRED_FEATURES.index("together")]

    def classify(self, features: Double) -> Double:
        """Return the class probabilities (n, 5) of the box around each source, or of a mask that holds it."""
        first = GROUP_FEATURES.index(f"box_{CLASSES[0]}")
        odds = np.exp(features[:, first : first + len(CLASSES)])
        odds /= odds.sum(axis=1, keepdims=True)
        covered = features[:, GROUP_FEATURES.index("covered")]
        more = np.maximum(covered - odds[:, EXTENDED], 0) / np.maximum(1 - odds[:, EXTENDED], 1e-9)
        odds *= 1 - more[:, None]
        odds[:, EXTENDED] += more
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def doubtful(logits: Double) -> Int:
    """Return the rows of the pairs that the features leave in doubt."""
    return np.flatnonzero(np.abs(logits) < DOUBTFUL)


def cluster(inside: Int, one: Int, other: Int, kinship: Double, threshold: float) -> list[Int]:
    """Join pairs from the surest on, unless most pairs between their groups speak against it.

    Parameters
    ----------
    inside : ndarray of int
        The pieces to group.
    one, other : ndarray of int
        Pieces of each pair.
    kinship : ndarray
        Probability that a pair is one source; those not given do not count.
    threshold : float
        Least probability of a pair that joins two groups; the mean of all pairs between
        them may be lower, by LEAST_AGREEMENT.

    Returns
    -------
    list of ndarray of int
        Sorted by their first piece.
    """
    members = {int(piece): [int(piece)] for piece in inside}
    owner = {int(piece): int(piece) for piece in inside}
    known = {(int(a), int(b)): float(p) for a, b, p in zip(one, other, kinship, strict=True)}
    for a, b in sorted(known, key=lambda pair: (-known[pair], pair)):
        if known[a, b] < threshold:
            break
        first, second = owner[a], owner[b]
        if first == second:
            continue
        between = [
            known[min(i, j), max(i, j)]
            for i in members[first]
            for j in members[second]
            if (min(i, j), max(i, j)) in known
        ]
        if np.mean(between) >= LEAST_AGREEMENT * threshold:
            for piece in members[second]:
                owner[piece] = first
            members[first] += members.pop(second)
    return [np.array(sorted(group), dtype=np.int64) for group in sorted(members.values(), key=min)]


def weakest_link(group: Int, island: npt.NDArray[np.int32], one: Int, other: Int, kinship: Double) -> float:
    """Return the least, over the islands of a source, of their best link to another island; 1 for one island.

    Parameters
    ----------
    group : ndarray of int
        Pieces of the source.
    island : ndarray of int32, shape (n_pieces,)
        Island of each piece.
    one, other : ndarray of int
        Pieces of each pair.
    kinship : ndarray
        Probability that a pair is one source.
    """
    islands = np.unique(island[group])
    if len(islands) < 2:
        return 1.0
    inside = np.isin(one, group) & np.isin(other, group) & (island[one] != island[other])
    best = [kinship[inside & ((island[one] == i) | (island[other] == i))].max(initial=0.0) for i in islands]
    return float(min(best))
