"""A score as text and as a picture."""

import math
import os
from collections.abc import Iterable
from pathlib import Path

from helikon.space.evaluation.scores import Bin, Score

__all__ = ["plot_score", "report_text"]


def report_text(score: Score) -> str:
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


def plot_score(scores: dict[str, Score], path: Path) -> Path:
    """Draw completeness and reliability against signal to noise.

    Parameters
    ----------
    scores : dict
        Finder's name to its score; one colour each.
    path : Path
        PNG; appears whole.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    for name, score in scores.items():
        for axes, bins in ((left, score.completeness_bins), (right, score.reliability_bins)):
            shown = [one for one in bins if one.n]
            x = [_middle(one) for one in shown]
            share = [one.share for one in shown]
            errors = [
                [one.share - one.share_low for one in shown],
                [one.share_high - one.share for one in shown],
            ]
            axes.errorbar(x, share, yerr=_not_negative(errors), marker="o", capsize=2, label=name)
    for axes, title in ((left, "true S/N"), (right, "measured S/N")):
        axes.set(xscale="log", xlabel=title, ylim=(-0.02, 1.04))
        axes.grid(alpha=0.3)
    left.set_ylabel("completeness")
    right.set_ylabel("reliability")
    right.legend()
    part = path.with_name(path.name + ".part")
    figure.savefig(part, format="png", dpi=120)
    os.replace(part, path)
    return path


def _middle(one: Bin) -> float:
    return one.low * 1.5 if math.isinf(one.high) else math.sqrt(one.low * one.high)


def _not_negative(rows: Iterable[list[float]]) -> list[list[float]]:
    return [[max(0.0, value) for value in row] for row in rows]
