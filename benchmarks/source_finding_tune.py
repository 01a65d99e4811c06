"""Tune the rivals on validation fields: mean of compact completeness, reliability and both single entries.

``python benchmarks/source_finding_tune.py --first DIR --layouts DIR``: one
field of each array from the maker that shares no code with ours. What wins,
and finds nearly as many compact sources as the best, is written into
``source_finding_runs.py`` by hand.
"""

import argparse
import itertools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import source_finding_entries as reading
import source_finding_runs as runs

from helikon.space.evaluation.judge import judge
from helikon.space.evaluation.measures import measures
from helikon.space.skies.files import read_sky

COUNTED = (
    "compact completeness > 5",
    "reliability",
    "extended as one entry",
    "extended-multi-island as one entry",
)
WORTH = 0.05
"""Settings that lose more compact completeness than this against the best are not taken."""
TRIED: dict[str, dict[str, list[Any]]] = {
    "sep": {"filter": [True, False], "deblend_cont": [0.005, 0.05, 0.2, 1.0]},
    "photutils": {"contrast": [0.001, 0.05, 0.2, 1.0]},
    "pybdsf": {"adaptive_rms_box": [True], "group_tol": [1.0, 10.0]},
    "aegean": {"aegean": [[], ["--floodclip", "3"]]},
}  # fmt: skip


def main() -> None:
    """Try all settings, best last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=Path, required=True)
    parser.add_argument("--layouts", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("source_finding_cache"))
    parser.add_argument("--size", type=int, default=2048, help="pixels")
    parser.add_argument("--arrays", nargs="*", default=runs.ARRAYS)
    parser.add_argument("--programs", nargs="*", default=list(TRIED))
    given = parser.parse_args()
    fields = [
        runs.make(given.cache, "second hand", array, 0, given.size, "validation", given.first, given.layouts)
        for array in given.arrays
    ]
    skies = [read_sky(field) for field in fields]
    for program in given.programs:
        rows = []
        for values in itertools.product(*TRIED[program].values()):
            settings = {k: v for k, v in zip(TRIED[program], values, strict=True) if v is not None}
            finder = runs.Finder(label="tried", program=program, settings=settings)
            results, seconds = [], []
            for field, sky in zip(fields, skies, strict=True):
                out, cost = runs.run(given.cache, finder, field)
                results.append(judge(reading.read(program, out, sky), sky))
                seconds.append(cost.cpu_s)
            found = [measures(results)[name] for name in COUNTED]
            rows.append((float(np.mean(found)), found, float(np.mean(seconds)), settings))
            print(program, *[f"{value:.3f}" for value in (rows[-1][0], *found)], settings, flush=True)
        most = max(row[1][0] for row in rows)
        print(
            "best:",
            max((row for row in rows if row[1][0] >= most - WORTH), key=lambda row: row[0]),
            flush=True,
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
