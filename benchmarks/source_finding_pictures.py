"""Pictures of the benchmark: curves against signal to noise, and calibration."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helikon.space.evaluation.calibration import calibration, plot_calibration
from helikon.space.evaluation.score import bins

COLOURS = {
    "helikon": "C3",
    "helikon,": "C1",
    "PyBDSF": "C0",
    "Aegean": "C2",
    "sep": "C4",
    "photutils": "C7",
}


def draw(results: dict[str, dict[str, dict[str, Any]]], folder: Path) -> None:
    """Draw ``judged-curves.png`` and ``judged-calibration.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {name: finders for name, finders in results.items() if name != "SDC1"}
    if not made:
        return
    curves(made, folder / "judged-curves.png")
    fields = [one for finders in made.values() for one in finders.get("helikon", {"judged": []})["judged"]]
    if fields:
        plot_calibration(calibration(fields), folder / "judged-calibration.png")


def curves(results: dict[str, dict[str, dict[str, Any]]], path: Path) -> None:
    """Completeness against true S/N and reliability against measured S/N, a row for each maker."""
    figure = Figure(figsize=(10, 3.8 * len(results)), layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(len(results), 2, squeeze=False)
    for (left, right), (name, finders) in zip(rows, results.items(), strict=True):
        for label, row in finders.items():
            if "classify" in label:
                continue
            style = {"color": COLOURS[label.split()[0]], "label": label}
            style["linestyle"] = "--" if "tuned" in label or "alone" in label else "-"
            line(left, *compact(row["judged"]), style)
            line(right, *claims(row["judged"]), style)
        left.set(xscale="log", xlabel="true S/N", ylabel="completeness, compact", title=f"fields: {name}")
        right.set(xscale="log", xlabel="measured S/N", ylabel="reliability", ylim=(0.8, 1.01))
        left.grid(alpha=0.3)
        right.grid(alpha=0.3)
    rows[0][1].legend(fontsize=7)
    figure.savefig(path, format="png", dpi=110)


def compact(fields: Any) -> tuple[Any, Any]:
    """S/N of the true compact sources, and whether they were found."""
    snr = np.concatenate([one.truth_snr[one.truth_class == "compact"] for one in fields])
    return snr, np.concatenate([one.found[one.truth_class == "compact"] for one in fields])


def claims(fields: Any) -> tuple[Any, Any]:
    """S/N of the claims, and whether they are true."""
    snr = np.concatenate([one.entry_snr[one.claim] for one in fields])
    return snr, np.concatenate([~one.false[one.claim] for one in fields])


def line(axes: Any, snr: Any, good: Any, style: dict[str, Any]) -> None:
    """Draw one curve with its binomial errors."""
    shown = [one for one in bins(snr, good) if one.n >= 5]
    x = [one.low * 1.2 for one in shown]
    y = [one.share for one in shown]
    error = [
        [max(0, one.share - one.share_low) for one in shown],
        [max(0, one.share_high - one.share) for one in shown],
    ]
    axes.errorbar(x, y, yerr=error, marker="o", markersize=3, capsize=2, linewidth=1, **style)
