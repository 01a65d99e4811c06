"""Which pieces are one source, and what each source is: measures and the network, weighed.

Two small perceptrons. The first says of a pair of pieces how probable it is
that they are one source; pieces are joined to sources so that pairs agree best. The second says
of each source the probabilities of the five classes. Both are trained on
made-up skies by the recipe ``space/judge``. Where the first is in doubt, an eye
(see ``eye.py``) looks at the pair itself.
"""

import dataclasses
import heapq
import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from helikon.space.association.company import COMPANY_FEATURES
from helikon.space.association.eye import Eye
from helikon.space.association.pairs import PAIR_FEATURES
from helikon.space.association.perceptron import Perceptron
from helikon.space.association.surroundings import PIECE_FEATURES
from helikon.space.classes import CLASSES

__all__ = [
    "GROUP_FEATURES",
    "PAIRED_FEATURES",
    "SEEN_FEATURES",
    "Cut",
    "Doubt",
    "Judge",
    "NetworkAlone",
    "Tell",
    "cluster",
    "weakest_link",
]

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Cut = Callable[[Int], npt.NDArray[np.float32]]
"""Gives the patches (k, 4, 32, 48) of some rows of the pairs, see ``patches.py``."""
Tell = Callable[[Double, Int], Double]
"""Gives what is said of the pairs beside some rows, of the log odds of all, see ``company.py``."""

NETWORK = ("background", *CLASSES)
PAIRED_FEATURES = (
    *PAIR_FEATURES, *(f"both_{name}" for name in NETWORK), "together",
    *(f"{name}_{which}" for name in ("covered", *NETWORK) for which in ("least", "most")),
)  # fmt: skip
SEEN_FEATURES = (*PAIRED_FEATURES, *COMPANY_FEATURES)
"""What the eye is told of a pair beside what it sees."""
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
HOPELESS = -6.0
"""Log odds of pairs that a glance dismisses; about what the judge says of them."""
LOOKED_AT_ONCE = 32
"""Pairs; what the eye makes of more takes memory, and no less time."""
LEAST_PROBABILITY = 1e-6
"""No pair is surer than this, either way."""
EXTENDED = CLASSES.index("extended")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What the features leave in doubt.

    Attributes
    ----------
    logits : ndarray, shape (n,)
        Log odds of every pair.
    rows : ndarray of int, shape (k,)
        The doubtful ones.
    told : ndarray, shape (k, n_seen_features)
        Of those; columns as in ``SEEN_FEATURES``.
    """

    logits: Double
    rows: Int
    told: Double


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The two perceptrons, and the eye.

    Attributes
    ----------
    pair : Perceptron
        ``PAIRED_FEATURES`` to the log odds that a pair is one source.
    source : Perceptron
        ``GROUP_FEATURES`` to the logarithms of the odds of the five classes.
    glance : Perceptron, optional
        ``PAIR_FEATURES`` to a number above 0 for the pairs that are worth asking the network about.
    eye : Eye, optional
        Corrects the log odds of doubtful pairs.
    """

    pair: Perceptron
    source: Perceptron
    glance: Perceptron | None = None
    eye: Eye | None = None

    @classmethod
    def read(cls, tensors: Mapping[str, npt.NDArray[np.floating]], eye: Eye | None = None) -> "Judge":
        """Take the tensors that the recipe ``space/judge`` wrote."""
        return cls(
            pair=Perceptron.read(tensors, "pair"),
            source=Perceptron.read(tensors, "source"),
            glance=Perceptron.read(tensors, "glance") if "glance.mean" in tensors else None,
            eye=eye,
        )

    def worth_asking(self, features: Double) -> Bool:
        """Say which pairs (n,) may be one source, going by what needs no network.

        Parameters
        ----------
        features : ndarray, shape (n, n_pair_features or more)
            Columns as in ``PAIR_FEATURES``, and others after them.
        """
        if self.glance is None:
            return np.ones(len(features), dtype=bool)
        return np.asarray(self.glance(features[:, : len(PAIR_FEATURES)])[:, 0] > 0)

    def logits(self, features: Double) -> Double:
        """Return the log odds (n,) that each pair is one source, by its features (n, n_paired_features)."""
        worth = self.worth_asking(features)
        logits = np.full(len(features), HOPELESS)
        logits[worth] = self.pair(features[worth])[:, 0]
        return logits

    def doubt(self, features: Double, tell: Tell) -> Doubt:
        """Say how probable each pair is by its features, and which of them are in doubt.

        Parameters
        ----------
        features : ndarray, shape (n, n_paired_features)
        tell : callable
            Gives what is said of the pairs beside.
        """
        logits = self.logits(features)
        rows = np.flatnonzero(np.abs(logits) < DOUBTFUL)
        return Doubt(
            logits=logits, rows=rows, told=np.concatenate([features[rows], tell(logits, rows)], axis=1)
        )

    def kinship(self, features: Double, cut: Cut, tell: Tell) -> Double:
        """Return the probability (n,) that each pair is one source.

        Parameters
        ----------
        features : ndarray, shape (n, n_paired_features)
        cut : callable
            Gives the patches of the pairs that are looked at.
        tell : callable
            Gives what is said of the pairs beside them.
        """
        if self.eye is None:
            return _probability(self.logits(features))
        doubt = self.doubt(features, tell)
        corrected = doubt.logits.copy()
        for first in range(0, len(doubt.rows), LOOKED_AT_ONCE):
            part = slice(first, first + LOOKED_AT_ONCE)
            rows = doubt.rows[part]
            corrected[rows] = self.eye(cut(rows), doubt.told[part], doubt.logits[rows])
        return _probability(corrected)

    def classify(self, features: Double) -> Double:
        """Return the class probabilities (n, 5) of sources."""
        logits = self.source(features)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True)) * PRIOR
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))


class NetworkAlone:
    """Stands for a judge where a model has none: the network's masks and boxes are taken at their word."""

    def worth_asking(self, features: Double) -> Bool:
        """Return True (n,): whatever the network says counts."""
        return np.ones(len(features), dtype=bool)

    def kinship(self, features: Double, cut: Cut, tell: Tell) -> Double:
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


def _probability(logits: Double) -> Double:
    return np.asarray(1 / (1 + np.exp(-logits)))


def cluster(inside: Int, one: Int, other: Int, kinship: Double, threshold: float) -> list[Int]:
    """Join the two groups that most speaks for, again and again, until nothing speaks for more.

    What speaks for joining two groups is the sum, over the pairs between them,
    of the log odds that they are kin, over those of the threshold: correlation
    clustering (Bansal, Blum & Chawla 2004, Machine Learning 56, 89) by greedy
    additive edge contraction (Keuper et al. 2015, ICCV, 1751).

    Parameters
    ----------
    inside : ndarray of int
        The pieces to group.
    one, other : ndarray of int
        Pieces of each pair.
    kinship : ndarray
        Probability that a pair is one source; those not given do not count.
    threshold : float
        Probability of a pair that speaks neither for nor against, above 0 and below 1.

    Returns
    -------
    list of ndarray of int
        Sorted by their first piece.
    """
    speaks = _log_odds(kinship) - _log_odds(np.array(threshold))
    members = {int(piece): [int(piece)] for piece in inside}
    between: dict[int, dict[int, float]] = {piece: {} for piece in members}
    for a, b, value in zip(one.tolist(), other.tolist(), speaks.tolist(), strict=True):
        between[a][b] = between[b][a] = value
    best = [(-value, a, b) for a in between for b, value in between[a].items() if a < b and value > 0]
    heapq.heapify(best)
    while best:
        value, a, b = heapq.heappop(best)
        if a not in members or between[a].get(b) != -value:
            continue  # one of the two, or what is between them, has changed since
        members[a] += members.pop(b)
        for c, more in between.pop(b).items():
            if c == a:
                del between[a][b]
                continue
            del between[c][b]
            total = between[a].get(c, 0.0) + more
            between[a][c] = between[c][a] = total
            if total > 0:
                heapq.heappush(best, (-total, min(a, c), max(a, c)))
    return [np.array(sorted(group), dtype=np.int64) for group in sorted(members.values(), key=min)]


def _log_odds(probability: Double) -> Double:
    given = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(np.log(given / (1 - given)))


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
