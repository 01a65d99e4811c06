"""How good the finder is on made-up fields that were never trained or tuned on.

Run it with ``python benchmarks/held_out_fields.py [--model FOLDER]``: six
fields of 1024 pixels, two of each array, with more bright and extended
sources than the sky has; thresholds alone beside thresholds and network.
Prints a table, and as its last line one JSON object. Other finders are not
compared here. Choose between models with ``--seeds validation``, and report
``--seeds test``.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from helikon.space.evaluation.score import score
from helikon.space.finder import find_sources
from helikon.space.model import CLASSES, load_model
from helikon.space.skies import simulate_sky

FIRST_SEED = {"test": 700_001, "validation": 800_011}
ARRAYS = ("askap", "meerkat", "vla-b") * 2


def figures(skies: list[Any], model: Any) -> dict[str, float]:
    """Score one finder on all fields together."""
    start = time.process_time()
    scores = [score(find_sources(sky.map, model), sky) for sky in skies]
    seconds = (time.process_time() - start) / len(skies)
    n_true, n_entries = (sum(getattr(one, name) for one in scores) for name in ("n_true", "n_entries"))
    confusion = np.sum([one.confusion for one in scores], axis=0)
    extended = [(one.classes[2].n_true + one.classes[3].n_true, one.single_entry) for one in scores]
    multi = [(one.classes[3].n_true, one.single_entry_multi) for one in scores]
    f1 = {
        f"F1 {name}": 2 * confusion[i, i] / max(confusion[i].sum() + confusion[:, i].sum(), 1)
        for i, name in enumerate(CLASSES)
    }
    return {
        "completeness > 5 sigma": sum(one.completeness * one.n_true for one in scores) / n_true,
        "reliability": 1 - sum(one.n_false for one in scores) / n_entries,
        "extended as one entry": weighted(extended),
        "multi-island as one entry": weighted(multi),
        **f1,
        "flux ratio": float(np.mean([one.flux_ratio for one in scores])),
        "flux scatter": float(np.mean([one.flux_ratio_mad for one in scores])),
        "CPU s a field": seconds,
    }


def weighted(pairs: list[tuple[int, float]]) -> float:
    """Average shares by their numbers, fields without any left out."""
    used = [(n, share) for n, share in pairs if n]
    return sum(n * share for n, share in used) / max(1, sum(n for n, _ in used))


def main() -> None:
    """Make the fields, score both finders, print the table and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="model folder; by default what comes with Helikon")
    parser.add_argument("--seeds", choices=FIRST_SEED, default="test")
    given = parser.parse_args()
    skies = [
        simulate_sky(FIRST_SEED[given.seeds] + i, array=array, size=1024, n_bright=3.0, n_extended=40.0)
        for i, array in enumerate(ARRAYS)
    ]
    found = {"thresholds": figures(skies, None), "network": figures(skies, load_model(given.model))}
    print("| measure | thresholds alone | with the network |\n|---|---|---|")
    for name, value in found["thresholds"].items():
        print(f"| {name} | {value:.3f} | {found['network'][name]:.3f} |")
    print(
        json.dumps({finder: {k: round(float(v), 4) for k, v in row.items()} for finder, row in found.items()})
    )


if __name__ == "__main__":
    main()
