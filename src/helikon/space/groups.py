"""Places of equal numbers."""

import numpy as np
import numpy.typing as npt

__all__ = ["grouped"]


def grouped(numbers: npt.NDArray[np.integer]) -> list[npt.NDArray[np.int64]]:
    """Return the places of each number from 0 up, in order; those below 0 are in no group.

    Numbers that do not occur have no group: where none is left out, groups are in their places.
    """
    order = np.argsort(numbers, kind="stable")
    order = order[np.searchsorted(numbers[order], 0) :]
    return np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if len(order) else []
