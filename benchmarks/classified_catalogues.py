"""How good other finders' catalogues become when Helikon classifies and associates them.

Run it with ``python benchmarks/classified_catalogues.py SKY=CATALOGUE …``: SKY
is a folder that ``helikon space simulate`` made, CATALOGUE what another finder
found in its ``map.fits``. Prints a table of the catalogue alone (every entry a
compact source) beside the same with our classes and galaxies, and as its last
line one JSON object. Choose between models on validation fields only.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from helikon.space.catalogues import Catalogue, read_catalogue
from helikon.space.catalogues.added import Classified
from helikon.space.catalogues.classify import classify_places
from helikon.space.classes import CLASSES
from helikon.space.evaluation.entries import read_entries
from helikon.space.evaluation.matching import match
from helikon.space.evaluation.score import score
from helikon.space.model import load_model
from helikon.space.skies.files import read_sky

FLUX = ("Total_flux", "int_flux", "S(Jy)", "flux_int")
PEAK = ("Peak_flux", "peak_flux", "Speak(Jy/beam)")
NOISE = ("Isl_rms", "local_rms")


def one_row_a_galaxy(catalogue: Catalogue, classified: Classified | None) -> Table:
    """Make what ``evaluation.score`` takes: the brightest entry's place, the sum of the fluxes, our class.

    Without classes every entry is a row and compact.
    """
    flux, peak, noise = (_column(catalogue.table, names) for names in (FLUX, PEAK, NOISE))
    n = len(catalogue.places)
    names = ["compact"] * n if classified is None else classified.class_names
    number = np.arange(1, n + 1) if classified is None else classified.galaxy
    rows = []
    for one in np.unique(number[number > 0]):
        members = np.flatnonzero(number == one)
        first = members[np.argmax(np.nan_to_num(peak[members], nan=-np.inf))]
        snr = float(peak[first] / noise[first])
        place = catalogue.places.x[first], catalogue.places.y[first]
        rows.append((*place, names[first], float(np.nansum(flux[members])), snr))
    kinds = ("f8", "f8", "U24", "f8", "f8")
    return Table(rows=rows or None, names=("ra", "dec", "class", "int_flux", "snr"), dtype=kinds)


def entry_figures(catalogue: Catalogue, classified: Classified, sky: Any) -> dict[str, Any]:
    """Count entries by true class and ours, and pairs of entries of one source."""
    places = Table({"ra": catalogue.places.x, "dec": catalogue.places.y})
    known = np.flatnonzero(classified.galaxy > 0)
    entries = read_entries(places[known], sky)
    matches = match(entries, sky)
    truth = np.where(matches.truth_of_entry >= 0, matches.truth_of_entry, matches.on_truth)
    said = np.array(classified.class_names)[known]
    true_class = np.array([*map(str, sky.truth["class"]), "none"])[truth]
    confusion = [[int(((true_class == t) & (said == c)).sum()) for c in CLASSES] for t in (*CLASSES, "none")]
    same_truth = (truth[:, None] == truth) & (truth[:, None] >= 0)
    same_ours = classified.galaxy[known][:, None] == classified.galaxy[known]
    upper = np.triu(np.ones(same_truth.shape, dtype=bool), 1)
    pairs = [
        int((a & b & upper).sum())
        for a, b in ((same_truth, same_ours), (same_truth, True), (same_ours, True))
    ]
    return {"confusion": confusion, "pairs right, true, ours": pairs}


def figures(pairs: list[tuple[Path, Path]], model: Any) -> dict[str, dict[str, Any]]:
    """Score catalogues alone and classified, all fields together."""
    alone, ours, entries = [], [], []
    for folder, path in pairs:
        sky, catalogue = read_sky(folder), read_catalogue(path)
        classified = classify_places(folder / "map.fits", catalogue.places, model)
        alone.append(score(one_row_a_galaxy(catalogue, None), sky))
        ours.append(score(one_row_a_galaxy(catalogue, classified), sky))
        entries.append(entry_figures(catalogue, classified, sky))
    confusion = np.sum([one["confusion"] for one in entries], axis=0)
    right, true, said = np.sum([one["pairs right, true, ours"] for one in entries], axis=0)
    of_entries = {
        "entries": int(confusion.sum()),
        "entries with the right class": float(np.trace(confusion[:5]) / max(1, confusion[:5].sum())),
        "pairs of one source joined": float(right / max(1, true)),
        "joined pairs of one source": float(right / max(1, said)),
        "confusion, true by ours": confusion.tolist(),
    }
    return {"alone": _together(alone), "classified": _together(ours) | of_entries}


def _together(scores: list[Any]) -> dict[str, Any]:
    confusion = np.sum([one.confusion for one in scores], axis=0)
    n_true, n_entries = (sum(getattr(one, name) for one in scores) for name in ("n_true", "n_entries"))
    n_multi = [one.classes[3].n_true for one in scores]
    n_extended = [one.classes[2].n_true + one.classes[3].n_true for one in scores]
    f1 = {
        f"F1 {name}": float(2 * confusion[i, i] / max(1, confusion[i].sum() + confusion[:, i].sum()))
        for i, name in enumerate(CLASSES)
    }
    return {
        "completeness > 5 sigma": sum(one.completeness * one.n_true for one in scores) / n_true,
        "reliability": 1 - sum(one.n_false for one in scores) / n_entries,
        "extended as one entry": _weighted(n_extended, [one.single_entry for one in scores]),
        "multi-island as one entry": _weighted(n_multi, [one.single_entry_multi for one in scores]),
        "n extended": sum(n_extended),
        "n multi-island": sum(n_multi),
        **f1,
    }


def _weighted(numbers: list[int], shares: list[float]) -> float:
    used = [(n, share) for n, share in zip(numbers, shares, strict=True) if n]
    return sum(n * share for n, share in used) / max(1, sum(n for n, _ in used))


def _column(table: Any, names: tuple[str, ...]) -> Any:
    name = next((name for name in names if name in table.colnames), None)
    if name is None:
        return np.full(len(table), np.nan)
    values = np.ma.asarray(getattr(table[name], "value", table[name]), dtype=float)
    return np.ma.filled(values, np.nan)


def main() -> None:
    """Read the command line, print the table and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="+", metavar="SKY=CATALOGUE")
    parser.add_argument("--model", type=Path, help="a model folder; by default the shipped one")
    arguments = parser.parse_args()
    pairs = [(Path(sky), Path(path)) for sky, _, path in (pair.partition("=") for pair in arguments.pairs)]
    result = figures(pairs, load_model(arguments.model))
    print(f"{'':32s}{'alone':>12s}{'classified':>12s}")
    for name, value in result["classified"].items():
        if not isinstance(value, list):
            before = result["alone"].get(name)
            shown = f"{before:12.3f}" if before is not None else " " * 12
            print(f"{name:32s}{shown}{value:12.3f}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
