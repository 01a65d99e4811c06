"""How our finder does on real maps: labelled FIRST fields, and maps turned negative.

``python benchmarks/real_fields.py --first DIR [--scorpio DIR]``. FIRST fields
(9' around a radio galaxy; class, position and extent in the file's name) have
no masks, so this is agreement with a label and not accuracy: the labelled
galaxy should be exactly one entry, of class extended or extended-multi-island.
A map turned negative holds no sources but has the same noise and artefacts of
both signs; what is found there is false. Prints counts and, as its last line,
one JSON object; ``--pictures DIR`` draws overlays of some fields to look at.
"""

import argparse
import dataclasses
import json
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from source_finding_sources import split_of

from helikon.space.finder import find_sources
from helikon.space.fits import read_map
from helikon.space.model import load_model
from helikon.space.names import read_outline
from helikon.space.sky import icrs

EXTENDED = {"extended", "extended-multi-island"}
NEGATIVE_SIGMA = 5.0


def label(path: Path) -> tuple[str, float]:
    """Class and extent (arcsec) from a file's name."""
    kind, _, _, extent = path.name.split(".fits")[0].split("_")
    text = extent.strip('"')
    return kind, float(text) if text.replace(".", "", 1).isdigit() and float(text) else 60.0


def galaxy_entries(found: Any, radio_map: Any, extent: float) -> list[int]:
    """Rows that lie within the labelled galaxy's extent, or whose outlines reach into its middle."""
    height, width = radio_map.data.shape
    ra, dec = icrs(radio_map.wcs, np.array([(width - 1) / 2]), np.array([(height - 1) / 2]))
    radius = 0.5 * extent + radio_map.beam.fwhm_arcsec
    rows = []
    for row, entry in enumerate(found):
        corners = [np.array([[entry["ra"].to_value("deg"), entry["dec"].to_value("deg")]])]
        corners += read_outline(str(entry["outline"]))
        far = np.hypot(
            (np.concatenate(corners)[:, 0] - ra) * np.cos(np.radians(dec)),
            np.concatenate(corners)[:, 1] - dec,
        )
        if far.min() * 3600 < radius and float(entry["snr"]) >= NEGATIVE_SIGMA:
            rows.append(row)
    return rows


def agreement(paths: list[Path], model: Any) -> dict[str, Any]:
    """Count the labelled galaxies by entries and class; claims on the negative maps."""
    counts: Counter[str] = Counter()
    by_kind: dict[str, Counter[str]] = {}
    seconds = 0.0
    for path in paths:
        radio_map = read_map(path)
        kind, extent = label(path)
        start = time.process_time()
        found = find_sources(radio_map, model)
        seconds += time.process_time() - start
        rows = galaxy_entries(found, radio_map, extent)
        names = [str(found["class"][row]) for row in rows]
        mine = by_kind.setdefault(kind, Counter())
        for tally in (counts, mine):
            tally["fields"] += 1
            tally["found"] += bool(rows)
            tally["one entry"] += len(rows) == 1
            tally["one entry, extended"] += len(rows) == 1 and names[0] in EXTENDED
            tally["brightest entry extended"] += bool(names) and names[0] in EXTENDED
            tally["entries"] += len(rows)
        counts["false on the negative map"] += negative(radio_map, model)
    return {
        "all": dict(counts),
        "classes": {k: dict(v) for k, v in sorted(by_kind.items())},
        "CPU s": seconds,
    }


def negative(radio_map: Any, model: Any) -> int:
    """Claims above 5 sigma on the map turned negative."""
    found = find_sources(dataclasses.replace(radio_map, data=-radio_map.data), model)
    return int(((np.asarray(found["snr"]) >= NEGATIVE_SIGMA) & (found["class"] != "spurious")).sum())


def maps(folder: Path, model: Any) -> dict[str, Any]:
    """Count what is found on each map of a folder and on its negative."""
    found = {}
    for path in sorted(folder.glob("*.fits*")):
        radio_map = read_map(path)
        classes = Counter(str(name) for name in find_sources(radio_map, model)["class"])
        found[path.name] = dict(classes) | {"false on the negative map": negative(radio_map, model)}
    return found


def draw(paths: list[Path], model: Any, folder: Path) -> None:
    """Overlays of outlines, coloured by class, a page of twelve fields."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    colours = {"spurious": "red", "compact": "deepskyblue", "extended": "gold", "flagged": "magenta"}
    figure = Figure(figsize=(16, 12), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, path in zip(figure.subplots(3, 4).ravel(), paths, strict=False):
        radio_map = read_map(path)
        noise = 1.4826 * np.nanmedian(abs(radio_map.data - np.nanmedian(radio_map.data)))
        axes.imshow(radio_map.data / noise, vmin=-3, vmax=15, origin="lower", cmap="gray")
        for entry in find_sources(radio_map, model):
            for corners in read_outline(str(entry["outline"])):
                x, y = radio_map.wcs.all_world2pix(corners[:, 0], corners[:, 1], 0)
                axes.plot(x, y, color=colours.get(str(entry["class"]), "lime"), linewidth=1)
        axes.set_title(path.name.split(".fits")[0], fontsize=8)
        axes.set_axis_off()
    figure.savefig(folder / "real-fields.png", dpi=70)


def main() -> None:
    """Judge, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=Path, required=True)
    parser.add_argument("--scorpio", type=Path)
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test")
    parser.add_argument("--fields", type=int, default=200, help="of FIRST, at most")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    paths = [
        one for one in sorted(given.first.glob("*.fits*")) if split_of(float(one.name[4:11])) == given.split
    ]
    paths = [paths[i] for i in np.random.default_rng(5).permutation(len(paths))[: given.fields]]
    model = load_model(given.model)
    found: dict[str, Any] = {"first": agreement(paths, model), "first, islands alone": agreement(paths, None)}
    if given.scorpio:
        found["scorpio"] = maps(given.scorpio, model)
    if given.pictures:
        draw(paths[:12], model, given.pictures)
    for name, one in found.items():
        print(name, json.dumps(one, indent=1))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
