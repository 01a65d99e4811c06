"""Point sources in maps that no simulator of ours makes: other beams, other noise, a header not quite right.

    python benchmarks/unusual_maps.py --cache FOLDER

Nothing is a galaxy here, so whatever is joined is wrong; who has learnt one
kind of map shows it. Finders are run, matched and counted as by
``source_finding.py``. Prints tables of the compact completeness above 10 and 5
sigma and of the reliability and, as its last line, one JSON object.
"""

import argparse
import dataclasses
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import source_finding_entries as reading
import source_finding_runs as runs
from scipy import ndimage
from source_finding_fields import add, make_header, write
from source_finding_truth import label, local_noise
from source_finding_uv import FWHM

from helikon.space.evaluation.judge import Judgement, judge
from helikon.space.evaluation.measures import measures
from helikon.space.skies.files import read_sky

SEED = 970_000
FREQUENCY_HZ = 1.4e9
PIXEL_RAD = math.radians(2 / 3600)
FAINTEST, BRIGHTEST, SLOPE = 3.0, 3000.0, 1.8
"""Peaks in sigma, and the slope of their counts."""
FINDERS = ("helikon", "helikon, islands alone", "sep", "photutils")
FIGURES = ("compact completeness > 10", "compact completeness > 5", "reliability")

Change = Callable[[np.random.Generator, Any, Any], Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of map.

    Attributes
    ----------
    wide, high : float
        Beam (FWHM) along x and y in pixels.
    said : float
        The header's beam over the map's.
    white : bool
        Noise that is not correlated.
    clusters : int
        So many of them hold two thirds of the sources.
    change : callable, optional
        Gives what is added to the noise, of a random generator, the noise and the sources.
    galaxies : callable, optional
        Draws more sources, of a random generator and the map's side in pixels.
    """

    wide: float = 5.0
    high: float = 5.0
    said: float = 1.0
    white: bool = False
    clusters: int = 0
    change: Change | None = None
    galaxies: Callable[[np.random.Generator, int], list[Any]] | None = None


def stripes(rng: np.random.Generator, noise: Any, sources: Any) -> Any:
    """A bad baseline: a wave of one sigma."""
    y, x = np.mgrid[: noise.shape[0], : noise.shape[1]]
    return np.sin(2 * np.pi * (0.8 * x + 0.6 * y) / rng.uniform(18, 28))


def waves(rng: np.random.Generator, noise: Any, sources: Any) -> Any:
    """Diffuse emission of four sigma, seventy pixels wide."""
    wave = ndimage.gaussian_filter(rng.normal(size=noise.shape), 70, mode="wrap")
    return 4 * wave / wave.std()


def louder(rng: np.random.Generator, noise: Any, sources: Any) -> Any:
    """Noise that rises tenfold outwards, as where a primary beam was corrected for."""
    n = len(noise)
    y, x = np.mgrid[:n, :n]
    return noise * (np.exp(math.log(10) * np.clip(np.hypot(x - n / 2, y - n / 2) / (n / 2), 0, 1) ** 2) - 1)


def jumps(rng: np.random.Generator, noise: Any, sources: Any) -> Any:
    """Noise that is four times as loud in one half, as where two surveys meet."""
    return 3 * np.where(np.arange(len(noise)) >= len(noise) // 2, noise, 0)


def pointings(rng: np.random.Generator, noise: Any, sources: Any) -> Any:
    """Noise of a mosaic of nine pointings, least in the middle of each."""
    n = len(noise)
    y, x = np.mgrid[:n, :n] / n
    weight = np.zeros_like(noise)
    for middle_y, middle_x in itertools.product((0.2, 0.5, 0.8), repeat=2):
        weight += np.exp(-8 * math.log(2) * ((x - middle_x) ** 2 + (y - middle_y) ** 2) / 0.22**2)
    rms = 1 / np.sqrt(np.maximum(weight, 1e-3))
    return noise * (rms / rms.min() - 1)


def spokes(rng: np.random.Generator, noise: Any, sources: Any) -> Any:
    """Rings and spokes of one per cent around sources that are brighter than all others."""
    y, x = np.mgrid[: noise.shape[0], : noise.shape[1]]
    wrong = np.zeros_like(noise)
    for x0, y0, peak, *_ in sources[:10]:
        r, angle = np.hypot(x - x0, y - y0), np.arctan2(y - y0, x - x0)
        rings = np.cos(3 * angle + rng.uniform(0, 6)) * np.cos(2 * np.pi * r / rng.uniform(11, 16))
        wrong += np.where(r > 6, 0.01 * peak * np.exp(-r / 60) * rings, 0)
    return wrong


KINDS = {
    "beam of 5 pixels": Kind(),
    "beam of 2.2 pixels": Kind(wide=2.2, high=2.2),
    "beam of 3 pixels": Kind(wide=3.0, high=3.0),
    "beam of 12 pixels": Kind(wide=12.0, high=12.0),
    "beam of 12 x 5 pixels": Kind(wide=5.0, high=12.0),
    "header's beam 12 % narrow": Kind(said=0.88),
    "header's beam 8 % wide": Kind(said=1.08),
    "white noise": Kind(white=True),
    "noise rises tenfold": Kind(change=louder),
    "stripes": Kind(change=stripes),
    "rings and spokes": Kind(change=spokes),
    "diffuse waves": Kind(change=waves),
    "sources in clusters": Kind(clusters=40),
    "noise jumps fourfold": Kind(change=jumps),
    "mosaic of nine pointings": Kind(change=pointings),
}


def main() -> None:
    """Make the maps, run the finders, tell."""
    given = options(__doc__, size=1536, finders=FINDERS).parse_args()
    found = compare(
        given, KINDS, name="unusual", seed=SEED, tell=lambda _, judged: measures([judged]), figures=FIGURES
    )
    print(json.dumps(found))


def options(told: str | None, *, size: int, finders: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser of what :func:`compare` is given."""
    parser = argparse.ArgumentParser(description=told)
    parser.add_argument("--cache", type=Path, required=True, help="keeps maps and results")
    parser.add_argument("--size", type=int, default=size, help="pixels along each side")
    parser.add_argument("--finders", nargs="*", default=finders, choices=[one.label for one in runs.FINDERS])
    return parser


def compare(
    given: argparse.Namespace,
    kinds: Mapping[str, Kind],
    *,
    name: str,
    seed: int,
    tell: Callable[[runs.Finder, Judgement], Mapping[str, float | None]],
    figures: Sequence[str],
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Make a map of each kind, run the finders, and print a table of each figure, a share.

    ``tell`` gives the figures of a finder and its judgement. Returns those of each kind and finder.
    """
    finders = [one for one in runs.FINDERS if one.label in given.finders]
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for number, (title, kind) in enumerate(kinds.items()):
        folder = given.cache / "fields" / f"{name}-{number}-{given.size}"
        if not (folder / "truth.vot").exists():
            make(folder, seed + number, kind, given.size)
        sky = read_sky(folder)
        found[title] = {}
        for finder in finders:
            out, _ = runs.run(given.cache, finder, folder)
            told = tell(finder, judge(reading.read(finder.program, out, sky), sky))
            found[title][finder.label] = {figure: told[figure] for figure in figures}
    for figure in figures:
        print(f"\n| {figure}, % | {' | '.join(one.label for one in finders)} |")
        print("|---" * (len(finders) + 1) + "|")
        for title, row in found.items():
            values = [row[one.label][figure] for one in finders]
            shown = " | ".join("–" if value is None else f"{100 * value:.1f}" for value in values)
            print(f"| {title} | {shown} |")
    return found


def make(folder: Path, seed: int, kind: Kind, size: int) -> None:
    """Make a map and its truth, in units of the noise."""
    rng = np.random.default_rng(seed)
    sigma = kind.wide / FWHM, kind.high / FWHM
    noise = rng.normal(size=(size, size))
    if not kind.white:
        noise = ndimage.gaussian_filter(
            noise, (sigma[1] / math.sqrt(2), sigma[0] / math.sqrt(2)), mode="wrap"
        )
    noise /= noise.std()
    sources = draw(rng, kind, size) + (kind.galaxies(rng, size) if kind.galaxies else [])
    more = kind.change(rng, noise, sources) if kind.change else np.zeros_like(noise)
    true = np.zeros_like(noise)
    for x, y, peak, stamp, _ in sources:
        add(true, peak * stamp, round(x) - stamp.shape[1] // 2, round(y) - stamp.shape[0] // 2)
    image = (true + noise + more).astype(np.float32)
    covariance = np.diag(np.square(sigma))
    local = local_noise(image - true, FWHM * np.linalg.det(covariance) ** 0.25)
    rows, labels = label(sources, image, true, np.zeros_like(noise), local, covariance)
    header = make_header(size, PIXEL_RAD, covariance * kind.said**2, -30.0, FREQUENCY_HZ, seed)
    write(folder, image, header, rows, labels, local)


def draw(rng: np.random.Generator, kind: Kind, size: int) -> list[Any]:
    """Draw x, y, peak and stamp of the sources, the brightest first."""
    n_sources = round(600 * min(1, (5 / kind.wide) * (5 / kind.high)) * (size / 1536) ** 2)
    power = 1 - SLOPE
    share = rng.uniform(size=n_sources)
    peaks = np.sort((FAINTEST**power + share * (BRIGHTEST**power - FAINTEST**power)) ** (1 / power))[::-1]
    half = math.ceil(2.5 * max(kind.wide, kind.high))
    places = rng.uniform(half + 1, size - half - 2, (n_sources, 2))
    if kind.clusters:
        middles = rng.uniform(0, size, (kind.clusters, 2))
        gathered = middles[rng.integers(kind.clusters, size=n_sources)] + rng.normal(0, 60, (n_sources, 2))
        inside = ((gathered > half + 1) & (gathered < size - half - 2)).all(axis=1)
        places = np.where((inside & (rng.random(n_sources) < 2 / 3))[:, None], gathered, places)
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1]
    found = []
    for (x, y), peak in zip(places, peaks, strict=True):
        u, v = (dx + round(x) - x) / kind.wide, (dy + round(y) - y) / kind.high
        found.append((x, y, peak, np.exp(-4 * math.log(2) * (u**2 + v**2)), "compact"))
    return found


if __name__ == "__main__":
    main()
