"""What a source can be, and one detection of the network; needs no torch."""

import dataclasses

import numpy as np
import numpy.typing as npt

__all__ = [
    "CLASSES",
    "FAR_ARTEFACTS",
    "FLAGGED_FROM",
    "PROBABILITY_COLUMNS",
    "Detection",
    "called",
    "less_spurious",
    "without_compact",
]

CLASSES = ("spurious", "compact", "extended", "extended-multi-island", "flagged")
"""Classes of the reference system (Riggi et al. 2023, A&C 42, 100682); index + 1 in the network."""
PROBABILITY_COLUMNS = tuple("prob_" + name.replace("-", "_") for name in CLASSES)
"""Columns of catalogues that hold the probability of each class, in the same order."""
FLAGGED_FROM = 0.25
"""Probability from which a source is called flagged, unless spurious is more probable; of any other
class it must be the most probable."""
FAR_ARTEFACTS = 0.3
"""What the odds of spurious are multiplied by where no bright source is near (``measures/neighbours.py``)."""


def called(
    probabilities: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the index (n,) of the class that each source is called, and its probability (n,).

    That is the most probable one, but for ``flagged``: poor imaging that is
    missed spoils a measurement, and one that is not there costs a second look.
    What is more probably spurious stays so, for it is nothing to measure.

    Parameters
    ----------
    probabilities : ndarray, shape (n, 5)
        In the order of ``CLASSES``. Where they are NaN, so is that of the class.
    """
    flagged, spurious = CLASSES.index("flagged"), CLASSES.index("spurious")
    poor = probabilities[:, flagged]
    is_flagged = (poor >= FLAGGED_FROM) & (poor >= probabilities[:, spurious])
    index = np.where(is_flagged, flagged, probabilities.argmax(axis=1))
    return index, probabilities[np.arange(len(index)), index]


def without_compact(
    probabilities: npt.NDArray[np.float64], rows: npt.NDArray[np.bool_], *, instead: str
) -> npt.NDArray[np.float64]:
    """Return class probabilities (n, 5) where what is measured to be no compact source is another class.

    Parameters
    ----------
    rows : ndarray of bool, shape (n,)
        What cannot be compact.
    instead : str
        The class that gets the probability.
    """
    compact, other = CLASSES.index("compact"), CLASSES.index(instead)
    given = probabilities.copy()
    given[rows, other] += given[rows, compact]
    given[rows, compact] = 0.0
    return given


def less_spurious(
    probabilities: npt.NDArray[np.float64], is_far: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return class probabilities (n, 5) where spurious has less of the odds, far from bright sources.

    Parameters
    ----------
    is_far : ndarray of bool, shape (n,)
        Whose probabilities change: nothing bright is near that could make artefacts.
    """
    weights = np.ones_like(probabilities)
    weights[is_far, CLASSES.index("spurious")] = FAR_ARTEFACTS
    weighed = probabilities * weights
    return np.asarray(weighed / weighed.sum(axis=1, keepdims=True))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One detection in a tile.

    Attributes
    ----------
    box : tuple of float
        x0, y0, x1, y1, pixels of the tile; pixel centres are at whole numbers plus a half.
    class_name : str
    probability : float
        Of its class, 0 to 1.
    probabilities : tuple of float
        Of the five classes, in the order of ``CLASSES``; they sum to less than
        one, the rest is background.
    mask : ndarray of bool
        Shape (h, w).
    offset : tuple of int
        Column and row of the mask's first pixel in the tile.
    """

    box: tuple[float, float, float, float]
    class_name: str
    probability: float
    probabilities: tuple[float, ...]
    mask: npt.NDArray[np.bool_]
    offset: tuple[int, int]
