"""Training tiles cut from made-up fields, each fixed by (seed, stream, step) alone."""

import dataclasses
import functools
import math
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.background import estimate_background, mesh_size
from helikon.space.classes import CLASSES
from helikon.space.skies.arrays import ARRAY_NAMES
from helikon.space.skies.labels import TrueSource
from helikon.space.skies.scene import Scene, SceneOptions, make_scene

__all__ = ["Tile", "TileSource", "draw_options", "make_tile"]

TRAIN, VALIDATE, TUNE = 1, 2, 3
"""First number of every seed: fields of one kind never meet those of another, or of ``simulate_sky``."""
SPLITS = {TRAIN: "train", VALIDATE: "validation", TUNE: "train"}
FAINTEST_TARGET_SIGMA = 4.0
SCENE_TILES = 2.5
"""Side of a field in tiles."""
TILES_A_SCENE = 16
RESOLVED_SHARE, SOURCE_WIDTH = 0.4, (0.15, 1.0)
"""In some fields the sources of the counts are resolved, a median of so many beams: wide, and no lobes."""
RARE = ("spurious", "extended-multi-island", "flagged")
RARE_SHARE = 0.6
"""Share of tiles that are laid around a thing of a rare class."""

_T = TypeVar("_T", bound=np.generic)
_EVERY_NEIGHBOUR = np.ones((3, 3), dtype=bool)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TileSource:
    """One thing to find in a tile.

    Attributes
    ----------
    class_index : int
        Of ``CLASSES``, plus one.
    snr : float
    box : tuple of float
        x0, y0, x1, y1 in pixels, end excluded.
    mask : ndarray of bool, shape (size, size)
    """

    class_index: int
    snr: float
    box: tuple[float, float, float, float]
    mask: npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A tile of signal to noise, shape (size, size), and what is in it."""

    snr: npt.NDArray[np.float32]
    sources: tuple[TileSource, ...]


def draw_options(
    rng: np.random.Generator, size: int, *, split: str = "train", templates: str = ""
) -> SceneOptions:
    """Draw how a training field is observed: any array, sampling, depth, weighting and calibration.

    Parameters
    ----------
    size : int
        Pixels along each side.
    split : str
        Whose shapes it holds, see ``skies.options``.
    templates : str
        Folder of maps of real galaxies; without one all shapes are made up.
    """
    snapshot = rng.random() < 0.2
    resolved = rng.random() < RESOLVED_SHARE
    return SceneOptions(
        size=size,
        array=ARRAY_NAMES[int(rng.integers(len(ARRAY_NAMES)))],
        beam_pixels=rng.uniform(4.0, 6.5),
        hours=rng.uniform(0.1, 1.0) if snapshot else rng.uniform(2.0, 10.0),
        robust=rng.uniform(-1.0, 0.6),
        density=math.exp(rng.normal(-0.4, 0.8)),
        n_extended=rng.uniform(20, 120),
        phase_error_deg=math.exp(rng.normal(math.log(3.0), 0.7)),
        amplitude_error=math.exp(rng.normal(math.log(0.015), 0.7)),
        brightest_sigma=10_000.0,
        n_bright=float(rng.choice([0.0, 6.0, 16.0])),
        primary_beam=float(rng.choice([0.0, 0.0, rng.uniform(0.8, 2.0)])),
        diffuse=float(rng.choice([0.0, 0.0, 0.0, rng.uniform(0.3, 3.0)])),
        pairs=0.15,
        source_width=math.exp(rng.uniform(*np.log(SOURCE_WIDTH))) if resolved else 0.0,
        apart=0.5,
        split=split,
        templates=templates,
    )


@functools.lru_cache(maxsize=8)
def _scene(
    kind: int, seed: int, stream: int, index: int, size: int, templates: str
) -> tuple[Scene, npt.NDArray[np.float32]]:
    """Return a field and its map of signal to noise, as the finder sees it."""
    rng = np.random.default_rng([kind, seed, stream, index])
    scene = make_scene(rng, draw_options(rng, size, split=SPLITS[kind], templates=templates))
    mesh = max(16, round(mesh_size(scene.beam.fwhm) * rng.uniform(0.6, 1.3)))
    background = estimate_background(scene.image, mesh_pixels=mesh)
    return scene, background.significance(scene.image)


def make_tile(kind: int, seed: int, stream: int, step: int, *, size: int = 256, templates: str = "") -> Tile:
    """Cut the tile of one step.

    Parameters
    ----------
    kind : int
        TRAIN, VALIDATE or TUNE.
    seed, stream, step : int
        A stream is one place in the batch of one process; it uses a field for
        sixteen steps, places and flips drawn at random, places more often around
        things of rare classes. Streams change fields
        at different steps.
    size : int
        Pixels along each side.
    templates : str
        Folder of maps of real galaxies, or none.
    """
    index, _ = divmod(step + 5 * stream, TILES_A_SCENE)
    scene, snr = _scene(kind, seed, stream, index, round(size * SCENE_TILES), templates)
    rng = np.random.default_rng([kind, seed, stream, step, size])
    y, x = _corner(rng, scene, size)
    where = slice(y, y + size), slice(x, x + size)
    turns, flip = int(rng.integers(4)), bool(rng.integers(2))
    labels, data = _turn(scene.labels[where], turns, flip), _turn(snr[where], turns, flip)
    return Tile(snr=data, sources=tuple(_targets(scene, labels, data)))


def _corner(rng: np.random.Generator, scene: Scene, size: int) -> tuple[int, int]:
    """Draw a tile's first row and column, more often where there is something rare."""
    n = len(scene.image)
    present = [name for name in RARE if any(source.class_name == name for source in scene.sources)]
    if not present or rng.random() > RARE_SHARE:
        y, x = rng.integers(0, n - size + 1, 2)
        return int(y), int(x)
    name = present[int(rng.integers(len(present)))]
    boxes = [source.box for source in scene.sources if source.class_name == name]
    x0, y0, x1, y1 = boxes[int(rng.integers(len(boxes)))]
    return _around(rng, y0, y1, n, size), _around(rng, x0, x1, n, size)


def _around(rng: np.random.Generator, start: int, stop: int, n: int, size: int) -> int:
    """Draw the first pixel of a tile that holds ``start`` to ``stop``, or their middle."""
    low, high = max(0, stop + 8 - size), min(start - 8, n - size)
    if low > high:
        return int(np.clip((start + stop - size) // 2, 0, n - size))
    return int(rng.integers(low, high + 1))


def _turn(part: npt.NDArray[_T], turns: int, flip: bool) -> npt.NDArray[_T]:
    turned = np.rot90(part, turns)
    return np.ascontiguousarray(turned[:, ::-1] if flip else turned)


def _targets(scene: Scene, labels: npt.NDArray[np.int32], snr: npt.NDArray[np.float32]) -> list[TileSource]:
    places = ndimage.find_objects(labels)
    found = []
    for source in scene.sources:
        where = places[source.label - 1] if source.label <= len(places) else None
        if where is None or source.snr < FAINTEST_TARGET_SIGMA:
            continue
        mask = labels == source.label
        if int(mask.sum()) >= 4 and snr[mask].max() > 3.0:
            found.append(_target(source, mask, where))
    return found


def _target(source: TrueSource, mask: npt.NDArray[np.bool_], where: tuple[slice, slice]) -> TileSource:
    name = source.class_name
    if name == "extended-multi-island" and ndimage.label(mask[where], structure=_EVERY_NEIGHBOUR)[1] == 1:
        name = "extended"  # the other islands lie outside the tile
    (y0, y1), (x0, x1) = ((s.start, s.stop) for s in where)
    return TileSource(
        class_index=CLASSES.index(name) + 1,
        snr=source.snr,
        box=(x0, y0, x1, y1),
        mask=mask,
    )
