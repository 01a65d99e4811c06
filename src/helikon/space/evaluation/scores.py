"""What is said of a catalogue where the truth is known."""

import dataclasses

__all__ = ["Bin", "ClassScore", "Score"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """A share within a bin of signal to noise, with its 68 % interval (Wilson)."""

    low: float
    high: float
    n: int
    n_good: int
    share: float
    share_low: float
    share_high: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """How one class does; true sources from 5 sigma, artefacts from 4.

    Attributes
    ----------
    n_true, n_found, n_right : int
        True ones, entries of the class, and entries of it that match one of it.
    precision, recall, f1 : float
        NaN where there is nothing to divide by.
    """

    name: str
    n_true: int
    n_found: int
    n_right: int
    precision: float
    recall: float
    f1: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good a catalogue is.

    Attributes
    ----------
    n_true : int
        True sources above 5 sigma.
    n_entries : int
        Entries that claim to be sources (not spurious).
    n_false : int
        Those of them that lie on no true source.
    n_fragments : int
        Those that lie on one that another entry matches better.
    completeness : float
        Share of ``n_true`` that an entry matches.
    reliability : float
        1 - ``n_false`` / ``n_entries``.
    f1 : float
        Harmonic mean of completeness and reliability.
    single_entry : float
        Share of true extended sources (any number of islands) that have
        exactly one entry; ``single_entry_multi`` of those with several islands.
    completeness_bins, reliability_bins : tuple of Bin
        Against true, and against measured, signal to noise.
    classes : tuple of ClassScore
    confusion : tuple of tuple of int
        Rows: the five true classes, then entries without a true source.
        Columns: the five classes of entries, then missed.
    flux_ratio, flux_ratio_mad : float
        Median of measured over true integrated flux density of compact
        sources above 10 sigma, and 1.4826 times the median deviation from it.
    """

    n_true: int
    n_entries: int
    n_false: int
    n_fragments: int
    completeness: float
    reliability: float
    f1: float
    single_entry: float
    single_entry_multi: float
    completeness_bins: tuple[Bin, ...]
    reliability_bins: tuple[Bin, ...]
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    flux_ratio: float
    flux_ratio_mad: float

    def __str__(self) -> str:
        """Report as text."""
        from helikon.space.evaluation.report import report_text

        return report_text(self)
