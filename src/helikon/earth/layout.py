"""From scenes and a grid to tasks: time steps, units, and which scenes reach into which unit."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from helikon.earth.chips import ChipPlan
from helikon.earth.composite import group_by_period
from helikon.earth.grid import Grid
from helikon.earth.options import Options
from helikon.earth.plan import EARTH_VERSION, Job, Step, Task, Unit, chip_seconds, cut_units
from helikon.earth.scene import Band, Quality, Scene
from helikon.earth.survey import Seen
from helikon.errors import InputError

__all__ = ["chip_plan", "cut_job", "overlapping", "request_digest", "tasks_of", "with_versions"]

Bounds = tuple[float, float, float, float]
_Part = TypeVar("_Part", Band, Quality)

_BLOCK_WITHOUT_CHIPS = 512
_MARGIN = 4
"""Pixels around a scene that interpolation may reach."""


def chip_plan(grid: Grid, options: Options) -> ChipPlan:
    """Return how the grid is cut; without chips, into blocks of 512 pixels."""
    size, overlap = (options.chip, options.overlap) if options.chip else (_BLOCK_WITHOUT_CHIPS, 0)
    return ChipPlan(grid=grid, size=size, overlap=overlap, shares=options.split, block=options.block)


def cut_job(job: Job, seen: Sequence[Seen], options: Options) -> tuple[Job, list[Unit]]:
    """Return the units of a job, and the job with the most chips that one of them has."""
    plan = job.chips
    cover = sum(_share(plan.grid.bounds, one.grid.bounds_in(plan.grid.crs)) for one in seen)
    n_inputs = len(job.wanted.inputs) + max(len(one.scene.quality) for one in seen)
    seconds = chip_seconds(plan, seen[0].grid, cover, n_inputs)
    n_steps = len(_steps(seen, options))
    units = cut_units(plan, seconds, 4 * plan.size**2 * len(job.names) * n_steps)
    return dataclasses.replace(job, n_slots=max(len(unit.chips()) for unit in units)), units


def tasks_of(job: Job, units: Sequence[Unit], seen: Sequence[Seen], options: Options) -> list[Task]:
    """Give each unit the scenes that reach into it."""
    steps = _steps(seen, options)
    boxes = {one.scene.id: _box(one, job.chips.grid) for one in seen}
    return [_task(job, unit, steps, boxes) for unit in units]


def overlapping(seen: Sequence[Seen], grid: Grid, notes: list[str]) -> list[Seen]:
    """Return the scenes that overlap the grid, and note the others.

    Raises
    ------
    InputError
        If none does.
    """
    found = [one for one in seen if _meet(grid.bounds, one.grid.bounds_in(grid.crs))]
    if not found:
        raise InputError(
            "no scene overlaps the bounds",
            got=f"bounds {_said(grid.bounds)}",
            expected=f"inside {_said(seen[0].grid.bounds_in(grid.crs))} of {seen[0].scene.id}",
        )
    notes.extend(f"{one.scene.id}: outside the grid" for one in seen if one not in found)
    return found


def with_versions(scenes: Sequence[Scene]) -> list[Scene]:
    """Write into scenes which versions of their files there are now."""
    return [
        dataclasses.replace(
            scene,
            bands=tuple(_with_version(band) for band in scene.bands),
            quality=tuple(_with_version(quality) for quality in scene.quality),
        )
        for scene in scenes
    ]


def request_digest(options: Options, scenes: Sequence[Scene]) -> str:
    """Return the SHA-256 of what was asked for: options, scenes and their files' versions."""
    asked = [str(EARTH_VERSION), str(dataclasses.asdict(options))]
    asked += [f"{scene.id} {' '.join(one.version for one in scene.rasters)}" for scene in scenes]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _steps(seen: Sequence[Seen], options: Options) -> list[Step]:
    """Group scenes to time steps: a mosaic of each day without a composite, else one for each period."""
    scenes = [one.scene for one in seen]
    period = "day" if options.composite == "none" else options.period
    groups = group_by_period([scene.time for scene in scenes], period)
    return [Step(label=label, scenes=tuple(scenes[number] for number in group)) for label, group in groups]


def _task(
    job: Job,
    unit: Unit,
    steps: Sequence[Step],
    boxes: Mapping[str, Bounds],
) -> Task:
    window = job.chips.grid.part(unit.window(job.chips)).bounds
    near = tuple(
        dataclasses.replace(
            step, scenes=tuple(scene for scene in step.scenes if _meet(window, boxes[scene.id]))
        )
        for step in steps
    )
    return Task(job=job, unit=unit, steps=near)


def _box(one: Seen, grid: Grid) -> Bounds:
    """Return a scene's bounds in the grid's CRS, with a margin of its pixels and of the grid's."""
    west, south, east, north = one.grid.bounds_in(grid.crs)
    own = max((east - west) / one.grid.width, (north - south) / one.grid.height)
    margin = _MARGIN * max(own, *grid.resolution)
    return west - margin, south - margin, east + margin, north + margin


def _with_version(part: _Part) -> _Part:
    raster = part.raster
    version = raster.folder.version(raster.key) or "gone"
    return dataclasses.replace(part, raster=dataclasses.replace(raster, version=version))


def _share(grid: Bounds, scene: Bounds) -> float:
    """Return which share of the grid a scene covers."""
    width = min(grid[2], scene[2]) - max(grid[0], scene[0])
    height = min(grid[3], scene[3]) - max(grid[1], scene[1])
    return max(0.0, width) * max(0.0, height) / ((grid[2] - grid[0]) * (grid[3] - grid[1]))


def _meet(one: Bounds, other: Bounds) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _said(bounds: Bounds) -> str:
    return " ".join(f"{value:.10g}" for value in bounds)
