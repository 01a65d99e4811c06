"""Rule A on cut-outs of 132 pixels, as the reference system was judged: ``... FIELD OUT N [MODEL]``.

N cut-outs of the field that hold a true source above 5 sigma (or an artefact),
each searched by itself. Writes the confusion table to OUT as JSON.
"""

import dataclasses
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from helikon.space.evaluation.entries import read_entries
from helikon.space.evaluation.riggi import mask_confusion
from helikon.space.finder import find_sources
from helikon.space.model import load_model
from helikon.space.skies import Sky
from helikon.space.skies.files import read_sky

SIDE = 132
LEAST_SHARE = 0.5
"""Sources with less of their mask than this inside are taken out of the truth."""


def cut(sky: Sky, y0: int, x0: int) -> Sky:
    """Cut one cut-out with its truth."""
    part = slice(y0, y0 + SIDE), slice(x0, x0 + SIDE)
    labels = sky.labels[part].copy()
    ids = np.asarray(sky.truth["id"])
    whole, inside = (
        np.bincount(image.ravel(), minlength=int(ids.max()) + 1) for image in (sky.labels, labels)
    )
    kept = inside[ids] >= np.maximum(1, LEAST_SHARE * whole[ids])
    labels[~np.isin(labels, ids[kept])] = 0
    truth = sky.truth[kept].copy()
    truth["x"], truth["y"] = np.asarray(truth["x"]) - x0, np.asarray(truth["y"]) - y0
    radio_map = dataclasses.replace(sky.map, data=sky.map.data[part].copy(), wcs=sky.map.wcs.slice(part))
    return Sky(map=radio_map, truth=truth, labels=labels, local_rms=sky.local_rms[part])


def choose(sky: Sky, n: int) -> list[tuple[int, int]]:
    """Corners of n cut-outs of a grid that hold something to find; always the same ones."""
    height, width = sky.labels.shape
    grid = [(y, x) for y in range(0, height - SIDE + 1, SIDE) for x in range(0, width - SIDE + 1, SIDE)]
    wanted = (np.asarray(sky.truth["snr"]) >= 5) | (np.asarray(sky.truth["class"]) == "spurious")
    strong = np.isin(sky.labels, np.asarray(sky.truth["id"])[wanted])
    full = [(y, x) for y, x in grid if strong[y : y + SIDE, x : x + SIDE].any()]
    return [full[i] for i in np.random.default_rng(132).permutation(len(full))[:n]]


def confusion(sky: Sky, n: int, model: Any) -> Any:
    """Sum of the confusion tables of n cut-outs."""
    total = np.zeros((6, 6), dtype=int)
    for y, x in choose(sky, n):
        one = cut(sky, y, x)
        found = find_sources(one.map, model)
        entries = read_entries(found, one)
        total += mask_confusion(entries.take(entries.snr >= 5), one)
    return total


def main() -> None:
    """Judge the cut-outs of one field."""
    warnings.simplefilter("ignore")
    field, out, n, *model = sys.argv[1:]
    table = confusion(read_sky(Path(field)), int(n), load_model(Path(model[0]) if model else None))
    Path(out).write_text(json.dumps(table.tolist()))


if __name__ == "__main__":
    main()
