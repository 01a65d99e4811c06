"""Galaxies drawn with ruler and compasses, among points: shapes that no simulator of ours has.

    python benchmarks/unusual_galaxies.py --cache FOLDER [--docs docs]

Each map holds galaxies of one kind only. Finders are run, matched and counted
as by ``source_finding.py``. Prints tables of what became of the galaxies and of
the points and, as its last line, one JSON object.
"""

import dataclasses
import functools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import unusual_maps
from scipy import ndimage
from source_finding_uv import FWHM

from helikon.space.evaluation.judge import COUNTED_SIGMA, Judgement
from helikon.space.evaluation.measures import measures

SEED = 980_000
BEAM = 5.0
"""FWHM in pixels."""
N_GALAXIES = 40
FAINTEST, BRIGHTEST = 8.0, 200.0
"""Peaks of the galaxies in sigma."""
FINDERS = ("helikon", "helikon, islands alone", "sep", "sep tuned", "photutils")
ONE, ONE_OF_CLASS = "galaxies as one entry", "galaxies as one entry of their class"
FIGURES = (ONE, ONE_OF_CLASS, "compact completeness > 10", "compact completeness > 5", "reliability")

Draw = Callable[[np.random.Generator, "Canvas"], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Canvas:
    """A square image on which a galaxy is drawn, about its middle.

    Attributes
    ----------
    image : ndarray
    x, y : ndarray
        From the middle, in beams, turned by an angle of its own.
    """

    image: Any
    x: Any
    y: Any

    def spot(self, x: float, y: float, width: float, height: float, brightness: float = 1.0) -> None:
        """Add an elliptical Gaussian: its middle and FWHM, in beams."""
        u, v = (self.x - x) / width, (self.y - y) / height
        self.image[...] += brightness * np.exp(-4 * math.log(2) * (u**2 + v**2))

    def path(self, x: Any, y: Any, width: Any, brightness: Any) -> None:
        """Add round spots along a path; a brightness is that of the path where it is straight."""
        step = np.hypot(np.gradient(x), np.gradient(y))
        for one in zip(x, y, np.broadcast_to(width, x.shape), brightness * step / width, strict=True):
            self.spot(one[0], one[1], one[2], one[2], one[3])


def ellipses(rng: np.random.Generator, on: Canvas) -> None:
    """Elliptical Gaussians."""
    major = rng.uniform(1.5, 6)
    on.spot(0, 0, major, max(0.3, major * rng.uniform(0.2, 1)))


def discs(rng: np.random.Generator, on: Canvas) -> None:
    """Exponential discs, seen from anywhere."""
    scale, ratio = rng.uniform(0.7, 3), rng.uniform(0.2, 1)
    on.image[...] += np.exp(-np.hypot(on.x, on.y / ratio) / scale)


def doubles(rng: np.random.Generator, on: Canvas) -> None:
    """Two lobes apart, and in half of them a core."""
    apart = rng.uniform(3, 16)
    for side, brightness in ((-1, 1.0), (1, rng.uniform(0.35, 1))):
        size = rng.uniform(0.6, 1.5, 2)
        on.spot(side * apart / 2, rng.normal(0, apart / 40), *size, brightness)
    if rng.random() < 0.5:
        on.spot(rng.normal(0, apart / 20), 0, 0.2, 0.2, rng.uniform(0.5, 3))


def bridged(rng: np.random.Generator, on: Canvas) -> None:
    """Two hot spots at the ends of a bridge."""
    apart = rng.uniform(4, 18)
    for side, brightness in ((-1, 1.0), (1, rng.uniform(0.5, 1))):
        on.spot(side * apart / 2, 0, 0.6, 0.6, brightness)
    on.spot(0, 0, 0.8 * apart, rng.uniform(0.7, 2), rng.uniform(0.05, 0.3))


def jets(rng: np.random.Generator, on: Canvas) -> None:
    """Two jets that fade and bend away from a core."""
    length, bend = rng.uniform(4, 14), rng.uniform(0, 0.6)
    along = np.linspace(0, 1, 60)
    on.spot(0, 0, 0.2, 0.2, rng.uniform(1, 4))
    for side in (-1, 1):
        on.path(side * along * length, bend * length * along**2, 0.3 + along, np.exp(-2 * along))


def tails(rng: np.random.Generator, on: Canvas) -> None:
    """A head and a tail that winds."""
    length = rng.uniform(5, 20)
    along = np.linspace(0, 1, 80)
    sway = rng.uniform(0, 0.15) * length * np.sin(along * rng.uniform(2, 7)) * along
    on.spot(0, 0, 0.5, 0.5, rng.uniform(0.5, 2))
    on.path(along * length, sway, 0.4 + 1.2 * along, np.exp(-1.8 * along))


def shells(rng: np.random.Generator, on: Canvas) -> None:
    """Rings, brighter on one side."""
    radius, thick = rng.uniform(2.5, 9), rng.uniform(0.5, 1.5)
    r, angle = np.hypot(on.x, on.y), np.arctan2(on.y, on.x)
    bright = 1 + rng.uniform(0, 0.8) * np.cos(angle) + rng.uniform(0, 0.2) * np.cos(3 * angle + 1)
    on.image[...] += bright * np.exp(-4 * math.log(2) * ((r - radius) / thick) ** 2) + 0.15 * (r < radius)


def haloes(rng: np.random.Generator, on: Canvas) -> None:
    """Wide and faint: six to sixteen beams."""
    width = rng.uniform(6, 16)
    on.spot(0, 0, width, width * rng.uniform(0.6, 1))


def arcs(rng: np.random.Generator, on: Canvas) -> None:
    """Relics: long, thin and bent, with a few brighter places."""
    length, turn = rng.uniform(8, 25), rng.uniform(0.2, 1.5)
    angle = np.linspace(-0.5, 0.5, 120) * turn
    radius = length / turn
    rough = ndimage.gaussian_filter1d(rng.normal(size=120), 8)
    on.path(
        radius * np.sin(angle),
        radius * (np.cos(angle) - 1),
        rng.uniform(0.5, 1.5),
        np.exp(0.6 * rough / rough.std()) * np.cos(np.linspace(-1.3, 1.3, 120)),
    )


def giants(rng: np.random.Generator, on: Canvas) -> None:
    """A core, two knots and two lobes that are far apart."""
    apart = rng.uniform(18, 36)
    on.spot(0, 0, 0.2, 0.2, rng.uniform(0.4, 1.5))
    for side in (-1, 1):
        on.spot(side * apart / 2, rng.normal(0, 0.5), *rng.uniform(1.5, 3, 2), rng.uniform(0.5, 1))
        on.spot(side * apart * rng.uniform(0.15, 0.35), 0, 0.8, 0.3, rng.uniform(0.2, 0.6))


KINDS: dict[str, Draw] = {
    "ellipses": ellipses,
    "discs": discs,
    "doubles": doubles,
    "bridged doubles": bridged,
    "jets": jets,
    "tails": tails,
    "shells": shells,
    "haloes": haloes,
    "arcs": arcs,
    "giants": giants,
}
FAINT = {"haloes": (4.0, 15.0)}
"""Peaks of kinds that are never bright."""


def main() -> None:
    """Make the maps, run the finders, tell."""
    parser = unusual_maps.options(__doc__, size=2048, finders=FINDERS)
    parser.add_argument("--docs", type=Path, help="the folder docs: draw some of the galaxies for its page")
    given = parser.parse_args()
    if given.docs:
        picture(given.docs / "pictures" / "unusual-galaxies.png")
    found = unusual_maps.compare(
        given,
        {name: kind(name) for name in KINDS},
        name="galaxies",
        seed=SEED,
        tell=lambda finder, judged: measures([judged]) | became(judged, has_classes=finder.ours),
        figures=FIGURES,
    )
    print(json.dumps(found))


def kind(name: str) -> unusual_maps.Kind:
    """Return the kind of map that holds galaxies of one kind."""
    return unusual_maps.Kind(wide=BEAM, high=BEAM, galaxies=functools.partial(place, name))


def place(name: str, rng: np.random.Generator, size: int) -> list[Any]:
    """Draw x, y, peak, stamp and what it is of galaxies of a kind."""
    faintest, brightest = FAINT.get(name, (FAINTEST, BRIGHTEST))
    found = []
    for _ in range(round(N_GALAXIES * (size / 2048) ** 2)):
        peak = math.exp(rng.uniform(math.log(faintest), math.log(brightest)))
        x, y = rng.uniform(0, size, 2)
        found.append((x, y, peak, galaxy(rng, KINDS[name]), "galaxy"))
    return found


def became(judged: Judgement, *, has_classes: bool) -> dict[str, float | None]:
    """Give the shares of the galaxies that are exactly one entry, and one that is called what they are."""
    wanted = np.char.startswith(judged.truth_class, "extended") & (judged.truth_snr >= COUNTED_SIGMA)
    one = judged.found & (judged.n_entries == 1) & wanted
    right = np.zeros(len(wanted), dtype=bool)
    placed = judged.entry_truth >= 0
    truth = judged.entry_truth[placed]
    right[truth] = judged.entry_class[placed] == judged.truth_class[truth]
    return {
        ONE: float(one.sum() / wanted.sum()),
        ONE_OF_CLASS: float((one & right).sum() / wanted.sum()) if has_classes else None,
    }


def galaxy(rng: np.random.Generator, draw: Draw) -> Any:
    """Draw a galaxy, turned and smoothed to the beam: a peak of one, nothing below a thousandth."""
    half = round(30 * BEAM)
    y, x = np.mgrid[-half : half + 1, -half : half + 1] / BEAM
    angle = rng.uniform(0, 2 * math.pi)
    on = Canvas(
        np.zeros(x.shape),
        x * math.cos(angle) + y * math.sin(angle),
        y * math.cos(angle) - x * math.sin(angle),
    )
    draw(rng, on)
    image = ndimage.gaussian_filter(on.image, BEAM / FWHM)
    image = np.where(image > 1e-3 * image.max(), image / image.max(), 0)
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    reach = int(max(abs(np.concatenate([rows, columns]) - half).max(), 1))
    inside = slice(half - reach, half + reach + 1)
    return image[inside, inside].astype(np.float32)


def picture(path: Path) -> None:
    """Draw three galaxies of each kind, without noise."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.3), layout="constrained")
    axes = figure.subplots(3, len(KINDS))
    for column, (name, draw) in zip(axes.T, KINDS.items(), strict=True):
        column[0].set_title(name, fontsize=8)
        for seed, axis in enumerate(column):
            drawn = galaxy(np.random.default_rng([SEED, seed]), draw)
            axis.imshow(np.arcsinh(30 * drawn), cmap="magma", origin="lower")
            axis.set_axis_off()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
