"""Two points close to each other: who tells them apart, and who measures the fainter one rightly.

    python benchmarks/close_pairs.py --cache FOLDER

Maps of a thousand pairs of points (so many as there is room for) in noise as
smooth as the beam, for several beams. A pair is told apart where each point
has an entry of its own within 0.4 beams. The rivals are those of
``source_finding.py``, each one process on one core. PyBDSF groups Gaussians to
sources: both lists are judged. Prints tables and, as its last line, one JSON
object.
"""

import argparse
import itertools
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import source_finding_entries as reading
import source_finding_runs as runs
from astropy.io import fits
from astropy.table import Table
from scipy import ndimage
from scipy.spatial import cKDTree
from source_finding_fields import add, make_header
from source_finding_uv import FWHM, beam_image

from helikon.space.fits import read_map

SEED = 990_000
SIGMA = 1e-5
"""Noise in Jy/beam."""
BEAMS = {
    "round, 5 pixels": (5.0, 5.0),
    "2.6 pixels": (2.6, 2.6),
    "10 pixels": (10.0, 10.0),
    "3.5 by 8": (3.5, 8.0),
}
GAUSSIANS = "PyBDSF, its Gaussians"
FINDERS = (
    runs.Finder(label="helikon", program="helikon"),
    runs.Finder(label="PyBDSF", program="pybdsf"),
    runs.Finder(label=GAUSSIANS, program="pybdsf"),
    runs.Finder(label="Aegean", program="aegean"),
    runs.Finder(label="sep", program="sep"),
)
APART = (0.9, 1.1, 1.3, 1.5, 1.8, 2.1, 2.6)
"""Limits of the bins of distance, in beams."""
RATIOS = (1, 4, 16, 100)
"""Limits of the bins of how much brighter the brighter one is."""
NEAR = 0.4
STEP = 13.6
"""From pair to pair, in widths of the beam's longer axis."""


def main() -> None:
    """Make the maps, run the finders, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path("close_pairs_cache"))
    parser.add_argument("--size", type=int, default=2048, help="pixels")
    parser.add_argument("--beams", nargs="*", default=list(BEAMS), choices=BEAMS)
    parser.add_argument("--finders", nargs="*", default=[one.label for one in FINDERS])
    given = parser.parse_args()
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for name in given.beams:
        folder, pairs = make(given.cache, name, given.size)
        figures[name] = {}
        tables = []
        for finder in FINDERS:
            if finder.label in given.finders:
                told, ratio, cost = look(given.cache, finder, folder, pairs, BEAMS[name])
                figures[name][finder.label] = figures_of(told, ratio, cost)
                tables.append((finder.label, told))
        print(f"### Beam of {name}: {len(pairs)} pairs\n")
        print(summary(figures[name]), "\n")
        print(by_distance(pairs, tables), "\n")
    print(json.dumps(figures))


def make(cache: Path, name: str, size: int) -> tuple[Path, Any]:
    """Draw a map of pairs; rows are x, y of both, S/N of the brighter, ratio, and distance in beams."""
    width, height = BEAMS[name]
    folder = cache / "fields" / f"pairs-{width:g}-{height:g}-{size}"
    rng = np.random.default_rng(SEED)
    sigmas = np.array([width, height]) / FWHM
    # White noise smoothed by a Gaussian of 1/sqrt 2 beam widths has a correlation of the beam's shape.
    noise = ndimage.gaussian_filter(rng.normal(size=(size, size)), sigmas[::-1] / math.sqrt(2))
    image, covariance = SIGMA * noise / noise.std(), np.diag(sigmas**2)
    step, half = round(STEP * max(width, height)), math.ceil(6 * sigmas.max())
    middles, offsets = np.arange(step, size - step + 1, step), np.arange(-half, half + 1)
    pairs = np.array([draw(rng, x, y, width, height) for y in middles for x in middles])
    for *places, snr, ratio, _ in pairs:
        for x, y, peak in ((*places[:2], snr), (*places[2:], snr / ratio)):
            stamp = beam_image(covariance, offsets + round(x) - x, offsets[:, None] + round(y) - y)
            add(image, SIGMA * peak * stamp, round(x) - half, round(y) - half)
    header = make_header(size, math.radians(1 / 3600), covariance, -30.0, 1.4e9, SEED)
    folder.mkdir(parents=True, exist_ok=True)
    fits.writeto(folder / "map.fits", image.astype(np.float32), header, overwrite=True)
    return folder, pairs


def draw(rng: Any, x: float, y: float, width: float, height: float) -> Any:
    """Choose a pair: the fainter one has 7 sigma or more."""
    x, y = x + rng.uniform(-0.5, 0.5), y + rng.uniform(-0.5, 0.5)
    snr, apart, turn = (
        10 ** rng.uniform(1.7, 3.2),
        rng.uniform(APART[0], APART[-1]),
        rng.uniform(0, 2 * math.pi),
    )
    ratio = 10 ** rng.uniform(0, math.log10(min(RATIOS[-1], snr / 7)))
    other = x + apart * width * math.cos(turn), y + apart * height * math.sin(turn)
    return x, y, *other, snr, ratio, apart


def look(
    cache: Path, finder: Any, folder: Path, pairs: Any, beam: tuple[float, float]
) -> tuple[Any, Any, runs.Cost]:
    """Run a finder; say which pairs it tells apart, and measured over true flux density of the fainter."""
    out, cost = runs.run(cache, finder, folder)
    radio_map = read_map(folder / "map.fits")
    sky = SimpleNamespace(map=radio_map, labels=np.zeros(radio_map.data.shape, dtype=np.int32))
    if finder.program == "helikon":
        table = Table.read(out / "sources.fits", hdu="SOURCES")
        x, y, flux = (np.asarray(table[name]) for name in ("x", "y", "int_flux"))
    elif finder.label == GAUSSIANS:
        table = Table.read(out / "gaul.fits")
        x, y = radio_map.wcs.all_world2pix(table["RA"], table["DEC"], 0)
        flux = np.asarray(table["Total_flux"])
    else:
        entries = reading.read(finder.program, out, sky)
        x, y, flux = entries.x, entries.y, entries.int_flux
    tree = cKDTree(np.column_stack([x, y]) / beam)
    (near, first), (other_near, second) = (tree.query(pairs[:, i : i + 2] / beam) for i in (0, 2))
    told = (near < NEAR) & (other_near < NEAR) & (first != second)
    return told, (flux[second] / (SIGMA * pairs[:, 4] / pairs[:, 5]))[told], cost


def figures_of(told: Any, ratio: Any, cost: runs.Cost) -> dict[str, float]:
    """Share of pairs told apart; median and scatter of the fainter one's flux ratio; CPU seconds."""
    middle = float(np.median(ratio)) if len(ratio) else math.nan
    scatter = 1.4826 * float(np.median(np.abs(ratio - middle))) if len(ratio) else math.nan
    return {"told apart": float(told.mean()), "flux ratio": middle, "scatter": scatter, "CPU s": cost.cpu_s}


def summary(figures: dict[str, dict[str, float]]) -> str:
    """Write a row a finder."""
    lines = [
        "| finder | told apart, % | flux ratio of the fainter | scatter | CPU s |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {label} | {100 * one['told apart']:.1f} | {one['flux ratio']:.3f} | {one['scatter']:.3f} "
        f"| {one['CPU s']:.1f} |"
        for label, one in figures.items()
    ]
    return "\n".join(lines)


def by_distance(pairs: Any, tables: list[tuple[str, Any]]) -> str:
    """Write the share told apart by distance and by how much fainter the fainter one is."""
    bins = [(a, b) for a, b in itertools.pairwise(RATIOS)]
    names = [f"{label}, {a}-{b}" for label, _ in tables for a, b in bins]
    lines = [f"| beams apart | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for low, high in itertools.pairwise(APART):
        here = (pairs[:, 6] >= low) & (pairs[:, 6] < high)
        cells = []
        for _, told in tables:
            for a, b in bins:
                chosen = here & (pairs[:, 5] >= a) & (pairs[:, 5] < b)
                cells.append(f"{100 * told[chosen].mean():.0f}" if chosen.any() else "–")
        lines.append(f"| {low}-{high} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
