"""Which pieces are one source, and what each source is: measures and the network, weighed.

Two small perceptrons. The first says of a pair of pieces how probable it is
that they are one source, by which ``clusters.py`` joins them; hopeless pairs are
dismissed at a glance, before the network is asked about them. The second says of
each source the probabilities of the five classes. All are trained on made-up
skies by the recipe ``space/judge``. Where the first is in doubt, an eye (see
``eye.py``) looks at the pair itself. A third perceptron, of the recipe
``space/prior``, makes pairs more or less probable by what the whole map is like
(see ``prior.py``).
"""

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from helikon.space.association.company import COMPANY_FEATURES
from helikon.space.association.eye import Eye
from helikon.space.association.pairs import PAIR_FEATURES
from helikon.space.association.perceptron import Perceptron
from helikon.space.association.prior import prior_features
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
DOUBTFUL = math.log(99.0)
"""Pairs whose log odds are nearer to zero are looked at: probabilities from 1 to 99 %."""
HOPELESS = -6.0
"""Log odds of pairs that a glance dismisses; of most, the judge would say less still."""
LOOKED_AT_ONCE = 32
"""Pairs; what the eye makes of more takes memory, and no less time."""
EXTENDED = CLASSES.index("extended")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What the features leave in doubt.

    Attributes
    ----------
    rows : ndarray of int, shape (k,)
        The doubtful pairs.
    told : ndarray, shape (k, n_seen_features)
        Of those; columns as in ``SEEN_FEATURES``.
    """

    rows: Int
    told: Double


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The perceptrons, and the eye.

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
    prior : Perceptron, optional
        ``PRIOR_FEATURES`` to what is added to the log odds of a pair.
    """

    pair: Perceptron
    source: Perceptron
    glance: Perceptron | None = None
    eye: Eye | None = None
    prior: Perceptron | None = None

    @classmethod
    def read(cls, tensors: Mapping[str, npt.NDArray[np.floating]], eye: Eye | None = None) -> "Judge":
        """Take the tensors that the recipes ``space/judge`` and ``space/prior`` wrote."""
        return cls(
            pair=Perceptron.read(tensors, "pair"),
            source=Perceptron.read(tensors, "source"),
            glance=Perceptron.read(tensors, "glance") if "glance.mean" in tensors else None,
            prior=Perceptron.read(tensors, "prior", recipe="prior") if "prior.mean" in tensors else None,
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

    def doubt(self, features: Double, logits: Double, tell: Tell) -> Doubt:
        """Say which pairs are in doubt.

        Parameters
        ----------
        features : ndarray, shape (n, n_paired_features)
        logits : ndarray, shape (n,)
            Log odds that go by them.
        tell : callable
            Gives what is said of the pairs beside.
        """
        rows = np.flatnonzero(np.abs(logits) < DOUBTFUL)
        return Doubt(rows=rows, told=np.concatenate([features[rows], tell(logits, rows)], axis=1))

    def corrected(self, features: Double, logits: Double, cut: Cut, tell: Tell) -> Double:
        """Return the log odds (n,) with what the eye says of the pairs in doubt.

        Parameters
        ----------
        features : ndarray, shape (n, n_paired_features)
        logits : ndarray, shape (n,)
            Log odds that go by them.
        cut : callable
            Gives the patches of the pairs that are looked at.
        tell : callable
            Gives what is said of the pairs beside them.
        """
        corrected = logits.copy()
        if self.eye is not None:
            doubt = self.doubt(features, logits, tell)
            for first in range(0, len(doubt.rows), LOOKED_AT_ONCE):
                part = slice(first, first + LOOKED_AT_ONCE)
                rows = doubt.rows[part]
                corrected[rows] = self.eye(cut(rows), doubt.told[part], logits[rows])
        return corrected

    def kinship(self, features: Double, like: tuple[float, ...], cut: Cut, tell: Tell) -> Double:
        """Return the probability (n,) that each pair is one source.

        Parameters
        ----------
        features : ndarray, shape (n, n_paired_features)
        like : tuple of float
            What the map is like, from ``Shapes.like``.
        cut, tell
            See :meth:`corrected`.
        """
        logits = self.logits(features)
        corrected = self.corrected(features, logits, cut, tell)
        if self.prior is not None:
            corrected += self.prior(prior_features(like, logits, features))[:, 0]
        return np.asarray(expit(corrected))

    def classify(self, features: Double) -> Double:
        """Return the class probabilities (n, 5) of sources."""
        return np.asarray(softmax(self.source(features), axis=1))


class NetworkAlone:
    """Stands for a judge where a model has none: the network's masks and boxes are taken at their word."""

    def worth_asking(self, features: Double) -> Bool:
        """Return True (n,): whatever the network says counts."""
        return np.ones(len(features), dtype=bool)

    def kinship(self, features: Double, like: tuple[float, ...], cut: Cut, tell: Tell) -> Double:
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
