"""Look at all scenes before any work: can they be opened, have they what is asked for, where do they lie."""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from helikon.earth.expressions import INDICES, Index, parse_index
from helikon.earth.grid import Grid
from helikon.earth.options import Options
from helikon.earth.rasters import grid_of
from helikon.earth.read import SceneFault, Wanted, reason, scene_grid
from helikon.earth.scene import Scene
from helikon.earth.sensors import SENSORS
from helikon.errors import InputError

__all__ = ["Seen", "look", "what_is_wanted"]

_AT_A_TIME = 8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A scene and the grid that it is read in."""

    scene: Scene
    grid: Grid


def what_is_wanted(scenes: Sequence[Scene], options: Options) -> tuple[Wanted, tuple[str, ...], int]:
    """Return what is made of each scene, the names that are kept, and the number of the NDVI (or -1).

    Raises
    ------
    InputError
        If a scene lacks a band that is asked for, or the quality band to mask by.
    """
    indices = tuple(parse_index(text) for text in options.indices)
    bands = options.bands or (() if indices else _own_bands(scenes))
    _refuse_repeated([*bands, *(index.name for index in indices)])
    names = (*bands, *(index.name for index in indices))
    guide, extra = _guide(scenes, names) if options.composite == "max-ndvi" else (-1, None)
    wanted = Wanted(
        bands=bands,
        indices=(*indices, *([extra] if extra else [])),
        mask=options.mask,
        qa=options.qa,
        resampling=options.resampling,
    )
    for scene in scenes:
        _check(scene, wanted)
    return wanted, names, guide


def look(
    scenes: Sequence[Scene], wanted: Wanted, told: Callable[[int, int], None]
) -> tuple[list[Seen], dict[str, str]]:
    """Open every file of every scene.

    Returns
    -------
    list of Seen, dict
        The scenes that can be opened, and the others' names with the reason.
    """
    seen: list[Seen] = []
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for n_done, (scene, found) in enumerate(
            zip(scenes, pool.map(lambda scene: _open(scene, wanted), scenes), strict=True), start=1
        ):
            if isinstance(found, str):
                failed[scene.id] = found
            else:
                seen.append(Seen(scene=scene, grid=found))
            told(n_done, len(scenes))
    return seen, failed


def _open(scene: Scene, wanted: Wanted) -> Grid | str:
    try:
        for quality in scene.quality:
            grid_of(quality.raster)
        return scene_grid(scene, wanted)
    except SceneFault as fault:
        return fault.reason
    except OSError as error:
        return reason(error)


def _own_bands(scenes: Sequence[Scene]) -> tuple[str, ...]:
    """Return the bands that all scenes have, of reflectance and the sensor's own resolution."""
    others = {name for scene in scenes for name in SENSORS[scene.sensor].others}
    names = [band.name for band in scenes[0].bands]
    shared = [name for name in names if all(name in {b.name for b in scene.bands} for scene in scenes)]
    chosen = tuple(name for name in shared if name not in others) or tuple(shared)
    if not chosen:
        raise InputError(
            "the scenes have no band in common",
            got=f"{scenes[0].id}: {', '.join(names)}",
            next_step="name the bands with --bands, or the sensor with --sensor",
        )
    return chosen


def _guide(scenes: Sequence[Scene], names: tuple[str, ...]) -> tuple[int, Index | None]:
    """Say which band holds the NDVI; one that is not kept is made besides."""
    if "ndvi" in names:
        return names.index("ndvi"), None
    has_band = all("ndvi" in {band.name for band in scene.bands} for scene in scenes)
    text = "own=ndvi" if has_band else "ndvi"
    return len(names), dataclasses.replace(parse_index(text), name="guiding-ndvi")


def _check(scene: Scene, wanted: Wanted) -> None:
    known = [band.name for band in scene.bands]
    for name in wanted.inputs:
        if name not in known:
            raise _lacking(name, scene, wanted)
    if wanted.mask and not scene.quality:
        raise InputError(
            f"scene {scene.id} has no quality band",
            got=f"nothing to mask {', '.join(wanted.mask)} by",
            expected="the product's own (QA_PIXEL, BQA, SCL, VI_Quality, …)",
            next_step="add its file, or give --mask none",
        )


def _lacking(name: str, scene: Scene, wanted: Wanted) -> InputError:
    """Say that a scene has no such band; a lone word of ``--index`` may be an index that is misspelt."""
    got = f"{scene.sensor}: {', '.join(band.name for band in scene.bands)}"
    used = [index.text for index in wanted.indices if name in index.bands and name not in wanted.bands]
    if name in used:
        return InputError(
            f"{name} is neither a known index nor a band of scene {scene.id}",
            got=got,
            expected=f"an index ({', '.join(INDICES)}), a band or NAME=EXPRESSION",
        )
    where = f" of the expression {used[0]}" if used else ""
    return InputError(f"band {name}{where} is not in scene {scene.id}", got=got, expected=f"a band {name}")


def _refuse_repeated(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"band {name} would be there twice", next_step="name the index: NAME=EXPRESSION")
