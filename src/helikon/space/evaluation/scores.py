"""What is said of a catalogue where the truth is known."""

import dataclasses
import math

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
        return _text(self)


def _text(score: Score) -> str:
    """Write a score for people, a dozen lines or so."""
    lines = [
        f"completeness {_percent(score.completeness)} of {score.n_true} sources above 5 sigma",
        f"reliability  {_percent(score.reliability)} of {score.n_entries} entries "
        f"({score.n_false} false, {score.n_fragments} fragments)",
        f"F1 {score.f1:.3f}; extended sources with exactly one entry {_percent(score.single_entry)}"
        f", multi-island {_percent(score.single_entry_multi)}",
        f"flux density, measured over true {score.flux_ratio:.3f} +- {score.flux_ratio_mad:.3f}",
        "",
        f"{'class':<24}{'true':>6}{'found':>7}{'right':>7}{'precision':>11}{'recall':>9}{'F1':>9}",
    ]
    lines += [
        f"{one.name:<24}{one.n_true:>6}{one.n_found:>7}{one.n_right:>7}"
        f"{_percent(one.precision):>11}{_percent(one.recall):>9}{_percent(one.f1):>9}"
        for one in score.classes
    ]
    lines += ["", f"{'S/N':<12}{'completeness':>24}{'reliability':>24}"]
    for complete, reliable in zip(score.completeness_bins, score.reliability_bins, strict=True):
        lines.append(f"{_range(complete):<12}{_bin(complete):>24}{_bin(reliable):>24}")
    return "\n".join(lines)


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


def _range(one: Bin) -> str:
    return f"> {one.low:g}" if math.isinf(one.high) else f"{one.low:g}-{one.high:g}"


def _bin(one: Bin) -> str:
    return "-" if one.n == 0 else f"{one.n_good}/{one.n} {_percent(one.share)}"
