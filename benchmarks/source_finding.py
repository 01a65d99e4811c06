"""How good our finder is beside PyBDSF, Aegean with BANE, sep and photutils: one run, one table.

``python benchmarks/source_finding.py --first DIR --layouts DIR [--sdc1 DIR]``
with the package's extra ``benchmark`` installed. Fields of two makers, ours
and one that shares no code with it, ten of each array; every finder is a
process of its own on one core. What finders gave is kept in ``--cache``, so a
second run is quick. Prints tables and, as its last line, one JSON object;
``--docs FOLDER`` also draws the pictures of ``docs/explanation/judged.md``.
Tune on ``--seeds validation`` alone.
"""

import argparse
import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import source_finding_entries as reading
import source_finding_runs as runs
from source_finding_pictures import draw
from source_finding_sdc1 import make_sdc1

from helikon.space.evaluation.calibration import calibration
from helikon.space.evaluation.judge import judge
from helikon.space.evaluation.measures import bootstrap
from helikon.space.evaluation.riggi import mask_confusion
from helikon.space.evaluation.score import class_scores
from helikon.space.skies.files import read_sky


def main() -> None:
    """Make the fields, run the finders, judge, print."""
    given = arguments()
    fields = {maker: fields_of(given, maker) for maker in given.makers}
    if given.sdc1:
        fields["SDC1"] = [make_sdc1(given.cache, given.sdc1)]
    results = {name: judged(given, folders) for name, folders in fields.items() if folders}
    texts = [table(name, finders) for name, finders in results.items()]
    texts += large(given, fields) if given.large else []
    print("\n\n".join(texts))
    if given.docs:
        draw(results, given.docs / "pictures")
        insert(given.docs / "explanation" / "judged.md", "\n\n".join([about(given), *texts, PICTURES]))
    print(json.dumps(plain(summary(results))))


def arguments() -> Any:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=Path, help="folder with FITS maps of real galaxies, as templates")
    parser.add_argument("--layouts", type=Path, help="folder with antenna layouts: askap.txt and others")
    parser.add_argument("--sdc1", type=Path, help="folder of the SDC1 crop: images, cat")
    parser.add_argument("--cache", type=Path, default=Path("source_finding_cache"))
    parser.add_argument("--fields", type=int, default=10, help="of each array and maker")
    parser.add_argument("--few", type=int, default=10, help="fields of each array for the slowest")
    parser.add_argument("--size", type=int, default=2048, help="pixels")
    parser.add_argument("--arrays", nargs="*", default=runs.ARRAYS, choices=runs.ARRAYS)
    parser.add_argument("--makers", nargs="*", default=["second hand", "skies"])
    parser.add_argument("--seeds", choices=runs.FIRST_SEED, default="test")
    parser.add_argument("--finders", nargs="*", help="labels; by default all")
    parser.add_argument("--docs", type=Path, help="the folder docs: write its page and pictures")
    parser.add_argument("--cutouts", type=int, default=0, help="cut-outs of each field for rule A")
    parser.add_argument("--large", action="store_true", help="also measure memory at 4 times the size")
    parser.add_argument("--cached", action="store_true", help="run no finder: judge what the cache holds")
    parser.add_argument("--draws", type=int, default=200, help="of the bootstrap")
    return parser.parse_args()


def fields_of(given: Any, maker: str) -> list[Path]:
    """Folders of the fields of one maker."""
    places = [(array, index) for index in range(given.fields) for array in given.arrays]
    if given.cached:
        first = runs.FIRST_SEED[given.seeds]
        known = [runs.field_folder(given.cache, maker, a, first + i, given.size) for a, i in places]
        return [folder for folder in known if (folder / "truth.vot").exists()]
    return [
        runs.make(given.cache, maker, array, index, given.size, given.seeds, given.first, given.layouts)
        for array, index in places
    ]


def judged(given: Any, folders: list[Path]) -> dict[str, dict[str, Any]]:
    """Run and judge every finder on the fields of one maker."""
    wanted = [one for one in runs.FINDERS if not given.finders or one.label in given.finders]
    found: dict[str, dict[str, Any]] = {
        one.label: {"judged": [], "costs": [], "A": [], "cut-outs": []} for one in wanted
    }
    for number, folder in enumerate(folders):
        sky = read_sky(folder)
        for finder in wanted:
            if finder.slow and number >= given.few * len(given.arrays):
                continue
            if given.cached and not (runs.run_folder(given.cache, finder, folder) / "cost.json").exists():
                continue
            out, cost = runs.run(given.cache, finder, folder)
            entries = reading.read(finder.program, out, sky)
            row = found[finder.label]
            row["judged"].append(judge(entries, sky))
            row["costs"].append(cost)
            if finder.ours:
                row["A"].append(mask_confusion(entries, sky))
            if finder.label == "helikon" and given.cutouts and folder.name != "sdc1":
                row["cut-outs"].append(runs.cutouts(given.cache, folder, given.cutouts))
            tell(f"{number + 1}/{len(folders)} {folder.name} {finder.label}")
    found = {label: row for label, row in found.items() if row["judged"]}
    for label, row in found.items():
        row["measures"] = bootstrap(row["judged"], n_draws=given.draws)
        row["has classes"] = next(one.ours for one in wanted if one.label == label)
    return found


def large(given: Any, fields: dict[str, list[Path]]) -> list[str]:
    """CPU seconds and memory on a map 4 times as wide and high, of our finder and the quickest rival."""
    field = runs.enlarge(given.cache, next(iter(fields.values()))[0])
    rows = []
    for finder in runs.FINDERS:
        if finder.label in ("helikon", "sep"):
            _, cost = runs.run(given.cache, finder, field)
            rows.append(f"| {finder.label} | {cost.cpu_s:.0f} | {cost.peak_mb:.0f} |")
    head = f"A map of {4 * given.size} pixels square:\n\n| finder | CPU s | peak MB |\n|---|---|---|"
    return ["\n".join([head, *rows])]


def about(given: Any) -> str:
    """Say what was run."""
    return (
        f"Fields of {given.size} pixels square, {', '.join(given.arrays)} in turn. The row *fields* says how "
        "many each finder was run on: fewer for those that take longest. Shares in per cent, with intervals "
        "of 68 % where there are several fields. A dash: not defined, or the finder has no classes."
    )


PICTURES = """![Completeness and reliability against signal to noise](../pictures/judged-curves.png)

Whether class probabilities are true, on the made-up fields:

![Share of entries of a class against the probability that was given](../pictures/judged-calibration.png)"""


def insert(page: Path, text: str) -> None:
    """Put the results between the marks of the page."""
    before, rest = page.read_text().split("<!-- results -->", 1)
    _, after = rest.split("<!-- end of results -->", 1)
    part = page.with_suffix(".part")
    part.write_text(f"{before}<!-- results -->\n{text}\n<!-- end of results -->{after}")
    part.replace(page)


def tell(text: str) -> None:
    """Show progress where somebody looks."""
    if sys.stderr.isatty():
        print(f"\r{text:<100}", end="", file=sys.stderr, flush=True)


def table(name: str, finders: dict[str, dict[str, Any]]) -> str:
    """Write one maker's results as a Markdown table."""
    lines = [
        f"### {name[0].upper()}{name[1:]}",
        "",
        f"| measure | {' | '.join(finders)} |",
        "|---" * (len(finders) + 1) + "|",
    ]
    cells = {label: column(row) for label, row in finders.items()}
    names = dict.fromkeys(measure for cell in cells.values() for measure in cell)
    costs = ("CPU s a field", "peak MB")
    lines += [
        f"| {measure} | {' | '.join(cells[label].get(measure, '–') for label in finders)} |"
        for measure in [*(name for name in names if name not in costs), *costs]
    ]
    return "\n".join(lines)


def column(row: dict[str, Any]) -> dict[str, str]:
    """Write one finder's results as text."""
    cells = {}
    for name, one in row["measures"].items():
        known = math.isfinite(one.value) and (row["has classes"] or not name.startswith("F1"))
        if not known:
            cells[name] = "–"
        else:
            scale, digits = form(name)
            cells[name] = f"{scale * one.value:.{digits}f}"
            if len(row["judged"]) > 1:
                cells[name] += f" ± {scale * (one.high - one.low) / 2:.{digits}f}"
    for rule in ("A", "cut-outs"):
        for one in rule_a(row, rule):
            cells[f"F1 {one.name} ({rule})"] = "–" if math.isnan(one.f1) else f"{100 * one.f1:.1f}"
    cpu, peak = ([getattr(cost, name) for cost in row["costs"]] for name in ("cpu_s", "peak_mb"))
    return (
        {"fields": str(len(row["judged"]))}
        | cells
        | {"CPU s a field": f"{np.median(cpu):.1f}", "peak MB": f"{max(peak):.0f}"}
    )


def form(name: str) -> tuple[float, int]:
    """Say how a measure is written: numbers as they are, shares in per cent."""
    if name.endswith("a field") or "each" in name:
        return 1, 2
    return (1, 3) if "scatter" in name or name.startswith("flux") else (100, 1)


def summary(results: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Sum everything up for the last line."""
    return {
        name: {
            label: {measure: [one.value, one.low, one.high] for measure, one in row["measures"].items()}
            | {
                f"{rule} {one.name}": [one.precision, one.recall, one.f1]
                for rule in ("A", "cut-outs")
                for one in rule_a(row, rule)
            }
            | {"fields": len(row["judged"]), "cpu_s": float(np.median([cost.cpu_s for cost in row["costs"]]))}
            | {"peak_mb": max(cost.peak_mb for cost in row["costs"])}
            | calibrated(row)
            for label, row in finders.items()
        }
        for name, finders in results.items()
    }


def rule_a(row: dict[str, Any], rule: str = "A") -> Any:
    """Class scores by rule A, where there are classes; on whole fields or cut-outs."""
    return class_scores(np.sum(row[rule], axis=0)) if row[rule] else ()


def calibrated(row: dict[str, Any]) -> dict[str, Any]:
    """Calibration errors, where there are probabilities."""
    if not row["has classes"]:
        return {}
    return {"calibration error": {name: one.error for name, one in calibration(row["judged"]).items()}}


def plain(value: Any) -> Any:
    """Round, and turn what JSON lacks into null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
