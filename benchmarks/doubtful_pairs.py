"""What the eye adds on pairs of pieces that the judge doubts, in made-up fields that nothing was tuned on.

    python benchmarks/doubtful_pairs.py --fields 60 --templates FOLDER --picture eye.png

Prints the average precision of "one source" by the judge alone and with the
eye, its precision and recall at even odds, the CPU time of looking, and, as its last line, one JSON object.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helikon.space.association.eye_examples import Doubts, join_doubts, kept_doubts
from helikon.space.association.judge import LOOKED_AT_ONCE, Judge
from helikon.space.model import load_model

TEST = 17
"""First number of every seed."""
COLUMNS, ROWS = 6, 2

Double = npt.NDArray[np.float64]


def main() -> None:
    """Make the fields, ask judge and eye, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=60)
    parser.add_argument("--model", type=Path, help="model folder; by default the one that is shipped")
    parser.add_argument("--templates", default="", help="folder of maps of real galaxies")
    parser.add_argument("--keep", default="", help="folder to keep the pairs in")
    parser.add_argument("--picture", type=Path, help="PNG of some pairs")
    given = parser.parse_args()
    model = load_model(given.model)
    doubts = join_doubts(
        [
            kept_doubts(given.keep, (TEST, 1, i), model, split="test", templates=given.templates)
            for i in range(given.fields)
        ]
    )
    started = time.process_time()
    said = ask(model.judge, doubts)
    cpu_s = time.process_time() - started
    alone = doubts.logits.astype(np.float64)
    rows = {"judge alone": figures(alone, doubts.kin), "with the eye": figures(said, doubts.kin)}
    print(f"{len(doubts)} pairs of {given.fields} fields, {doubts.kin.sum()} of them one source")
    print(f"{'':14} {'average precision':>18} {'precision':>10} {'recall':>8}")
    for name, row in rows.items():
        print(f"{name:14} {row['average_precision']:18.3f} {row['precision']:10.3f} {row['recall']:8.3f}")
    if given.picture:
        draw(doubts, alone, said, given.picture)
    told: dict[str, Any] = {"fields": given.fields, "pairs": len(doubts), "kin": int(doubts.kin.sum())}
    print(json.dumps(told | {"cpu_ms_a_pair": 1e3 * cpu_s / max(len(doubts), 1)} | rows))


def ask(judge: Any, doubts: Doubts) -> Double:
    """Return the log odds that the eye gives, shape (n,)."""
    if not isinstance(judge, Judge) or judge.eye is None:
        raise SystemExit("this model has no eye")
    features, logits = doubts.features.astype(np.float64), doubts.logits.astype(np.float64)
    parts = [slice(i, i + LOOKED_AT_ONCE) for i in range(0, len(doubts), LOOKED_AT_ONCE)]
    return np.concatenate(
        [judge.eye(doubts.patches[part].astype(np.float32), features[part], logits[part]) for part in parts]
    )


def figures(logits: Double, kin: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Average precision, and precision and recall at even odds."""
    right = np.cumsum(kin[np.argsort(-logits, kind="stable")])
    precision = right / np.arange(1, len(kin) + 1)
    joined = logits > 0
    return {
        "average_precision": float(precision[np.diff(right, prepend=0) > 0].mean()),
        "precision": float(kin[joined].mean()),
        "recall": float(joined[kin].mean()),
    }


def draw(doubts: Doubts, alone: Double, said: Double, path: Path) -> None:
    """Draw pairs of even odds, those of one source above and others below, with both probabilities."""
    figure = Figure(figsize=(2.1 * COLUMNS, 1.85 * ROWS), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(ROWS, COLUMNS)
    for kin, axes in zip((True, False), grid, strict=True):
        chosen = np.flatnonzero(doubts.kin == kin)
        chosen = chosen[np.argsort(np.abs(alone[chosen]), kind="stable")][: 10 * COLUMNS : 10]
        for pair, axis in zip(chosen, axes, strict=True):
            near, mask = doubts.patches[pair, :2].astype(np.float32)
            axis.imshow(near, cmap="gray_r", vmin=-0.3, vmax=1.2, origin="lower")
            axis.contour(mask, [0.5], colors="C3", linewidths=0.8)
            before, after = (1 / (1 + np.exp(-logits[pair])) for logits in (alone, said))
            axis.set_title(f"{before:.2f} → {after:.2f}", fontsize=9)
            axis.set(xticks=[], yticks=[])
        axes[0].set_ylabel("one source" if kin else "two sources", fontsize=9)
    figure.savefig(path, format="png", dpi=110)


if __name__ == "__main__":
    main()
