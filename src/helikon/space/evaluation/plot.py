"""A score as a picture."""

import math
from collections.abc import Iterable
from pathlib import Path

from helikon.space.evaluation.scores import Bin, Score
from helikon.space.whole import whole_files

__all__ = ["plot_score"]


def plot_score(scores: dict[str, Score], path: Path) -> Path:
    """Draw completeness and reliability against signal to noise.

    Parameters
    ----------
    scores : dict
        Finder's name to its score; one colour each.
    path : Path
        PNG; appears whole, its folder is made if need be.

    Raises
    ------
    InputError
        If it cannot be written.
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
    with whole_files(path.parent, (path.name,)) as beside:
        figure.savefig(beside[path.name], format="png", dpi=120)
    return path


def _middle(one: Bin) -> float:
    return one.low * 1.5 if math.isinf(one.high) else math.sqrt(one.low * one.high)


def _not_negative(rows: Iterable[list[float]]) -> list[list[float]]:
    return [[max(0.0, value) for value in row] for row in rows]
