"""Pictures of a study: how it went, what mattered, which parameters go with which values.

They are drawn with matplotlib, without its state, and written as PNG. Of a
study with several objectives there is its front instead of the single best.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    import optuna
    from matplotlib.axes import Axes

__all__ = ["draw_study"]

_DPI = 110
_BLUE, _ORANGE, _GREY = "#1f6fb2", "#e06c1f", "#9aa3ab"
_MOST_LINES, _MOST_FOR_IMPORTANCE = 300, 1000


def draw_study(study: "optuna.Study", folder: Path) -> list[Path]:
    """Draw what can be drawn of a study, and return the files.

    Parameters
    ----------
    study : optuna.Study
        With complete trials; without any nothing is drawn.
    folder : Path
        Made if it is not there: ``history.png``, ``importance.png``,
        ``parallel.png`` and, of several objectives, ``front.png``.
    """
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    trials = [one for one in complete if _is_finite(one)]
    if not trials:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    plots: dict[str, Callable[[Any, Any], Figure | None]] = {
        "history": _history,
        "importance": _importance,
        "parallel": _parallel,
        "front": _front,
    }
    drawn = {name: plot(study, trials) for name, plot in plots.items()}
    return [_save(figure, folder / f"{name}.png") for name, figure in drawn.items() if figure is not None]


def _history(study: "optuna.Study", trials: "Sequence[optuna.trial.FrozenTrial]") -> Figure:
    n_values = len(study.directions)
    figure = Figure(figsize=(7, 1.2 + 2.8 * n_values), layout="constrained")
    rows = np.atleast_1d(figure.subplots(n_values, 1, sharex=True))
    numbers = np.array([trial.number for trial in trials])
    for i, (axes, direction) in enumerate(zip(rows, study.directions, strict=True)):
        values = np.array([trial.values[i] for trial in trials])
        axes.scatter(numbers, values, s=16, color=_BLUE, alpha=0.7, label="complete trial")
        best = np.maximum if direction.name == "MAXIMIZE" else np.minimum
        axes.step(numbers, best.accumulate(values), where="post", color=_ORANGE, label="best so far")
        axes.set_ylabel(_value_name(i, n_values))
        axes.grid(alpha=0.25)
        _mark_others(study, axes)
    _entitle(rows[0], study, "history")
    rows[0].legend(loc="best", fontsize=8)
    rows[-1].set_xlabel("trial")
    return figure


def _mark_others(study: "optuna.Study", axes: "Axes") -> None:
    """Mark pruned and failed trials on the lower edge."""
    for state, marker, color in (("PRUNED", "|", _GREY), ("FAIL", "x", "#c0392b")):
        numbers = [one.number for one in study.get_trials(deepcopy=False) if one.state.name == state]
        if numbers:
            place = axes.get_xaxis_transform()
            label = "pruned" if state == "PRUNED" else "failed"
            places = [0.02] * len(numbers)
            axes.plot(numbers, places, marker, color=color, transform=place, label=label)


def _importance(study: "optuna.Study", trials: "Sequence[optuna.trial.FrozenTrial]") -> Figure | None:
    """Draw the share of the values' variance that each parameter explains (fANOVA, Hutter et al. 2014)."""
    if len(trials) < 2:
        return None
    found = [_importances(study, i) for i in range(len(study.directions))]
    names = sorted({name for one in found for name in one}, key=lambda name: found[0].get(name, 0.0))
    if not any(any(one.values()) for one in found):
        return None
    n_values = len(found)
    figure = Figure(figsize=(7, max(2.2, 1.2 + 0.35 * len(names) * n_values)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / n_values
    for i, one in enumerate(found):
        place = np.arange(len(names)) + (i - (n_values - 1) / 2) * height
        shares = [one.get(name, 0.0) for name in names]
        bars = axes.barh(place, shares, height=height, label=_value_name(i, n_values), color=f"C{i}")
        axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axes.set_yticks(np.arange(len(names)), [_short(name, 24) for name in names])
    axes.set_xlim(0, 1.1)
    axes.set_xlabel("share of the variance explained")
    _entitle(axes, study, "importance of parameters")
    if n_values > 1:
        axes.legend(loc="lower right", fontsize=8)
    return figure


def _importances(study: "optuna.Study", i: int) -> dict[str, float]:
    """Return the importance of each parameter for one value; nothing if it cannot be told."""
    import optuna

    if len(study.get_trials(deepcopy=False)) > _MOST_FOR_IMPORTANCE:
        evaluator: Any = optuna.importance.PedAnovaImportanceEvaluator()
    else:
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    try:
        return dict(
            optuna.importance.get_param_importances(
                study, evaluator=evaluator, target=lambda trial: trial.values[i]
            )
        )
    except (ImportError, RuntimeError, ValueError):  # too few trials, or all of one value
        return {}


def _parallel(study: "optuna.Study", trials: "Sequence[optuna.trial.FrozenTrial]") -> Figure | None:
    """Draw each trial as a line across its parameters, coloured by its first value."""
    names = sorted(set.intersection(*(set(trial.params) for trial in trials)))
    if not names:
        return None
    shown = sorted(trials, key=lambda trial: trial.values[0])
    shown = shown[:: max(1, math.ceil(len(shown) / _MOST_LINES))]
    if study.directions[0].name == "MINIMIZE":
        shown = shown[::-1]
    columns = [_column(name, shown) for name in names]
    figure = Figure(figsize=(max(7.0, 1.5 * len(names) + 2), 4.6), layout="constrained")
    axes = figure.subplots()
    values = np.array([trial.values[0] for trial in shown])
    span = float(values.max() - values.min()) or 1.0
    colors = _colors((values - values.min()) / span)
    places = np.arange(len(names))
    if len(names) == 1:
        axes.scatter(np.zeros(len(shown)), columns[0][0], c=colors, s=18)
    for row, color in zip(np.array([column[0] for column in columns]).T, colors, strict=True):
        axes.plot(places, row, color=color, alpha=0.6, linewidth=1)
    _label_columns(axes, names, columns)
    _entitle(axes, study, "parameters of trials")
    _color_bar(figure, axes, values, _value_name(0, len(study.directions)))
    return figure


def _column(name: str, trials: "Sequence[optuna.trial.FrozenTrial]") -> tuple[Any, list[tuple[float, str]]]:
    """Return a parameter's place from 0 to 1 for each trial, and its ticks."""
    distribution = trials[0].distributions[name]
    if hasattr(distribution, "choices"):
        choices = list(distribution.choices)
        step = max(1, len(choices) - 1)
        rows = np.array([choices.index(trial.params[name]) / step for trial in trials])
        return rows, [(i / step, str(choice)[:14]) for i, choice in enumerate(choices)]
    low, high = distribution.low, distribution.high
    given = np.array([trial.params[name] for trial in trials], dtype=float)
    if distribution.log:
        low, high, given = math.log(low), math.log(high), np.log(given)
    span = (high - low) or 1.0
    ticks = [(part, low + part * (high - low)) for part in (0.0, 0.5, 1.0)]
    return (given - low) / span, [
        (part, f"{math.exp(at) if distribution.log else at:.3g}") for part, at in ticks
    ]


def _label_columns(axes: "Axes", names: Sequence[str], columns: Sequence[Any]) -> None:
    for i, (_, ticks) in enumerate(columns):
        axes.axvline(i, color="black", linewidth=0.8)
        for place, text in ticks:
            box = {"color": "white", "alpha": 0.7, "pad": 0.5}
            axes.text(i + 0.03, place, text, fontsize=7, va="center", bbox=box)
    axes.set_xticks(
        range(len(names)), [_short(name, 24) for name in names], rotation=20 if len(names) > 5 else 0
    )
    axes.set_xlim(-0.2, len(names) - 1 + 0.5)
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _front(study: "optuna.Study", trials: "Sequence[optuna.trial.FrozenTrial]") -> Figure | None:
    """Draw each pair of values, with the trials that no other one beats in all."""
    pairs = list(itertools.combinations(range(len(study.directions)), 2))
    if not pairs:
        return None
    best = {trial.number for trial in study.best_trials}
    figure = Figure(figsize=(0.6 + 4.4 * len(pairs), 4.4), layout="constrained")
    for axes, (i, j) in zip(np.atleast_1d(figure.subplots(1, len(pairs))), pairs, strict=True):
        for is_best, color, label in ((False, _GREY, "beaten"), (True, _ORANGE, "on the front")):
            some = [trial for trial in trials if (trial.number in best) is is_best]
            axes.scatter(
                [t.values[i] for t in some], [t.values[j] for t in some], s=20, color=color, label=label
            )
        axes.set_xlabel(f"{_value_name(i, 2)} ({study.directions[i].name.lower()})")
        axes.set_ylabel(f"{_value_name(j, 2)} ({study.directions[j].name.lower()})")
        axes.grid(alpha=0.25)
    axes.legend(fontsize=8)
    figure.suptitle(f"{_short(study.study_name)}: front of the best trials", x=0.02, ha="left", fontsize=10)
    return figure


def _entitle(axes: "Axes", study: "optuna.Study", text: str) -> None:
    axes.set_title(f"{_short(study.study_name)}: {text}", loc="left", fontsize=10)


def _short(name: str, most: int = 40) -> str:
    """Cut a name that would leave no room for what is drawn."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _colors(shares: Any) -> Any:
    import matplotlib

    return matplotlib.colormaps["viridis"](shares)


def _color_bar(figure: Figure, axes: "Axes", values: Any, label: str) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(float(values.min()), float(values.max())), "viridis")
    figure.colorbar(scale, ax=axes, label=label)


def _value_name(i: int, n_values: int) -> str:
    return "value" if n_values == 1 else f"value {i}"


def _is_finite(trial: "optuna.trial.FrozenTrial") -> bool:
    return all(math.isfinite(value) for value in trial.values)


def _save(figure: Figure, path: Path) -> Path:
    beside = path.with_name(f".{path.name}")
    figure.savefig(beside, dpi=_DPI, format="png")
    beside.replace(path)
    return path
