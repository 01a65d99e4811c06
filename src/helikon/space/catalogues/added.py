"""The columns that classifying adds to a catalogue."""

import dataclasses
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from astropy.table import MaskedColumn, Table

from helikon.space.classes import CLASSES, PROBABILITY_COLUMNS, called

__all__ = ["Classified", "added_columns", "cell_text", "free_prefix", "without_prefix"]

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
PREFIXES = ("", "hlk_", *(f"hlk{number}_" for number in range(2, 100)))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """What is said of each entry of a catalogue.

    Attributes
    ----------
    probabilities : ndarray, shape (n, 5)
        Of the classes, in the order of ``CLASSES``; NaN in rows without class.
    galaxy : ndarray of int, shape (n,)
        Number from 1 that the entries of one source share; 0 without class.
    flags : tuple of str
        Words: ``outside`` (the map), ``blank`` (pixels), ``no-position``, ``faint``.
    """

    probabilities: Double
    galaxy: Int
    flags: tuple[str, ...]

    def __len__(self) -> int:
        """Count the entries."""
        return len(self.galaxy)

    @property
    def class_names(self) -> list[str]:
        """The class of each entry; empty without one."""
        index, _ = called(self.probabilities)
        return [CLASSES[i] if known else "" for i, known in zip(index, self.galaxy > 0, strict=True)]

    @property
    def n_entries(self) -> Int:
        """How many entries the galaxy of each entry has; 0 without one."""
        counts = np.bincount(self.galaxy, minlength=1)
        counts[0] = 0
        return np.asarray(counts[self.galaxy])


def free_prefix(taken: Iterable[str]) -> str:
    """Return what the new columns' names must start with where the catalogue has such columns already."""
    names = {name.lower() for name in taken}
    own = _names()
    return next(prefix for prefix in PREFIXES if not names & {prefix + name for name in own})


def without_prefix(name: str) -> str:
    """Return the name of an added column without what :func:`free_prefix` put before it."""
    return next(name[len(prefix) :] for prefix in reversed(PREFIXES) if name.startswith(prefix))


def added_columns(classified: Classified, prefix: str = "") -> Table:
    """Make the table of the columns to add, masked where an entry has no class."""
    unknown = classified.galaxy == 0
    probabilities = classified.probabilities.astype(np.float32)
    _, best = called(classified.probabilities)
    values: list[tuple[str, str, str, npt.NDArray[np.generic]]] = [
        ("class", "src.class", f"One of {', '.join(CLASSES)}", _words(classified.class_names)),
        ("class_prob", "stat.probability;src.class", "Probability of class", best.astype(np.float32)),
    ]
    for name, column, data in zip(CLASSES, PROBABILITY_COLUMNS, probabilities.T, strict=True):
        values.append((column, "stat.probability;src.class", f"Probability of the class {name}", data))
    values += [
        ("galaxy", "meta.id.parent", "Number that the entries of one source share", classified.galaxy),
        ("n_entries", "meta.number", "Entries of that source", classified.n_entries),
    ]
    table = Table()
    for name, ucd, description, data in values:
        table[prefix + name] = MaskedColumn(data, mask=unknown, description=description, meta={"ucd": ucd})
    table[prefix + "class_flags"] = MaskedColumn(
        _words(classified.flags),
        description="Words: outside, blank, no-position, faint",
        meta={"ucd": "meta.code.qual"},
    )
    for name in ("galaxy", "n_entries"):
        table[prefix + name] = table[prefix + name].astype(np.int32)
    return table


def cell_text(column: MaskedColumn, row: int, *, empty: str = "") -> str:
    """Write one value as text."""
    if np.ma.is_masked(column[row]):
        return empty
    if column.dtype.kind == "f":
        return f"{float(column[row]):.4f}"
    return str(column[row]) or empty


def _names() -> tuple[str, ...]:
    return ("class", "class_prob", *PROBABILITY_COLUMNS, "galaxy", "n_entries", "class_flags")


def _words(words: Iterable[str]) -> npt.NDArray[np.str_]:
    return np.array(list(words) or [], dtype=f"U{max([1, *map(len, words)])}")
