"""Which entries are one galaxy, put together from what each window of a map says."""

import numpy as np
import numpy.typing as npt

from helikon.space.catalogues.added import Classified
from helikon.space.classes import CLASSES
from helikon.space.groups import grouped

__all__ = ["Galaxies"]

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


class Galaxies:
    """Entries as windows join them.

    A window speaks for the entries that it owns; what it joins them with, its
    own or a neighbour's, stays joined. A galaxy has the class that the window
    of its first entry gives it.
    """

    def __init__(self, n_entries: int) -> None:
        self._first = np.arange(n_entries)
        self._probabilities = np.full((n_entries, len(CLASSES)), np.nan)
        self._is_faint = np.zeros(n_entries, dtype=bool)

    def add(
        self, entries: Int, owned: Bool, source: Int, probabilities: Double, is_faint: Bool, *, together: Int
    ) -> None:
        """Take what one window says.

        Parameters
        ----------
        entries : ndarray of int, shape (n,)
            Rows of the catalogue.
        owned : ndarray of bool, shape (n,)
        source : ndarray of int, shape (n,)
            Of the window, from 0; -1 on blank pixels.
        probabilities : ndarray, shape (n_sources, 5)
        is_faint : ndarray of bool, shape (n,)
        together : ndarray of int, shape (n,)
            Entries with the same number are one galaxy; -1 for none.
        """
        speaks = owned & (source >= 0)
        self._probabilities[entries[speaks]] = probabilities[source[speaks]]
        self._is_faint[entries[speaks]] = is_faint[speaks]
        for members in grouped(together):
            if speaks[members].any():
                for member in entries[members[1:]]:
                    self._join(int(entries[members[0]]), int(member))

    def result(self, has_position: Bool, on_map: Bool) -> Classified:
        """Number the galaxies from 1 in the order of their first entries."""
        roots = np.array([self._root(i) for i in range(len(self._first))], dtype=np.int64)
        known = np.isfinite(self._probabilities[:, 0])
        galaxy = np.zeros(len(roots), dtype=np.int64)
        probabilities = np.full_like(self._probabilities, np.nan)
        number_of: dict[int, int] = {}
        leader: dict[int, int] = {}
        for entry in np.flatnonzero(known).tolist():
            root = int(roots[entry])
            galaxy[entry] = number_of.setdefault(root, len(number_of) + 1)
            probabilities[entry] = self._probabilities[leader.setdefault(root, entry)]
        flags = [self._flag(*row) for row in zip(has_position, on_map, known, self._is_faint, strict=True)]
        return Classified(probabilities=probabilities, galaxy=galaxy, flags=tuple(flags))

    @staticmethod
    def _flag(has_position: bool, on_map: bool, known: bool, is_faint: bool) -> str:
        if known:
            return "faint" if is_faint else ""
        if on_map:
            return "blank"
        return "outside" if has_position else "no-position"

    def _root(self, entry: int) -> int:
        while self._first[entry] != entry:
            entry = int(self._first[entry])
        return entry

    def _join(self, one: int, other: int) -> None:
        low, high = sorted((self._root(one), self._root(other)))
        self._first[high] = low
