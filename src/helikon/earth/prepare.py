"""Prepare scenes: from what a user names to chips, images and a manifest.

The driver looks at the scenes, lays the grid, cuts the work into units and
hands them to an engine; tasks read, work and write; the driver writes the
manifest when all is there. What is whole is kept, so that the same call after
a stop goes on where it was.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from helikon.earth.chips import SPLITS
from helikon.earth.commit import commit
from helikon.earth.engines import Run
from helikon.earth.grid import make_grid
from helikon.earth.layout import chip_plan, cut_job, overlapping, request_digest, tasks_of, with_versions
from helikon.earth.manifest import MANIFEST, Summary, read_manifest
from helikon.earth.normalise import normalise
from helikon.earth.options import Options
from helikon.earth.plan import Job, Task, Unit
from helikon.earth.read import SceneFault
from helikon.earth.sources import find_scenes
from helikon.earth.survey import Seen, look, what_is_wanted
from helikon.earth.work import Part, make_unit
from helikon.errors import AlreadyExists, InputError, NotFound
from helikon.settings import Settings

if TYPE_CHECKING:
    from helikon.spark.objects import Folder

__all__ = ["MARK", "Prepared", "prepare"]

MARK = "preparation.json"
"""Written first: what else lies beside it is ours to remove."""

Tell = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What came of it.

    Attributes
    ----------
    url : str
        Where it is.
    summary : Summary
    n_chips : dict
        Split to number of chips.
    n_units, n_kept : int
        Units of work, and those that were there already.
    notes : tuple of str
        What was taken on trust.
    """

    url: str
    summary: Summary
    n_chips: dict[str, int]
    n_units: int
    n_kept: int
    notes: tuple[str, ...]


def prepare(
    sources: Sequence[str],
    out: str,
    options: Options,
    settings: Settings,
    *,
    run: Run,
    strict: bool = False,
    overwrite: bool = False,
    tell: Tell = lambda step, done, total: None,
) -> Prepared:
    """Prepare scenes for neural networks.

    Parameters
    ----------
    sources : sequence of str
        See :func:`helikon.earth.sources.find_scenes`.
    out : str
        Folder or ``s3://bucket/prefix``.
    options : Options
    settings : Settings
        Say where object storage is.
    run : callable
        How and where units are worked on, see :mod:`helikon.earth.engines`.
    strict : bool
        Raise for a scene that cannot be read, instead of leaving it out.
    overwrite : bool
        Replace another preparation in the same place.
    tell : callable
        Gets a step's name, and the number done and of all.

    Raises
    ------
    InputError
        If the scenes cannot be used, do not overlap the grid, or have no clear pixel.
    AlreadyExists
        If there is another preparation, and ``overwrite`` is not set; or anything else.
    SceneFault
        If ``strict`` and a scene cannot be read, or none can.
    """
    from helikon.spark.objects import open_folder

    folder = open_folder(out, settings)
    scenes, notes = find_scenes(
        sources, settings, sensor=options.sensor, sun_elevation_deg=options.sun_elevation_deg
    )
    wanted, names, guide = what_is_wanted(scenes, options)
    scenes = with_versions(scenes)
    request = request_digest(options, scenes)
    finished = _finished(folder, request, overwrite)
    seen, failed = look(scenes, wanted, lambda done, total: tell("looking at scenes", done, total))
    _refuse_failed(failed, seen, strict)
    grid = make_grid(
        seen[0].grid,
        [one.grid for one in seen[1:]],
        crs=options.crs,
        resolution=options.resolution,
        bounds=options.bounds,
    )
    seen = overlapping(seen, grid, notes)
    job = Job(
        out=folder,
        chips=chip_plan(grid, options),
        wanted=wanted,
        names=names,
        composite=options.composite,
        guide=guide,
        min_clear=options.min_clear,
        fill=options.fill if options.normalise == "none" else float("nan"),
        form=options.form if options.chip else "none",
        image=options.image,
        raw=options.normalise != "none" and options.chip > 0,
    )
    job, units = cut_job(job, seen, options)
    if not finished:
        _claim(folder)
    tasks, parts, failed = _work(job, units, seen, options, run, strict, failed, finished, tell)
    _refuse_empty(parts, options)
    parts, mean, std = normalise(tasks, parts, options, run, tell)
    summary = commit(
        tasks, parts, options, failed=failed, mean=mean, std=std, digests=(request, _digest(tasks)), tell=tell
    )
    splits = [row["split"] for part in parts for row in part.rows]
    return Prepared(
        url=folder.url,
        summary=summary,
        n_chips={split: splits.count(split) for split in SPLITS if split in splits},
        n_units=len(units),
        n_kept=sum(part.kept for part in parts),
        notes=tuple(notes),
    )


def _finished(folder: "Folder", request: str, overwrite: bool) -> str:
    """Return the digest of the work that was finished here before; empty if none was, or an image is gone."""
    try:
        summary = read_manifest(folder)[1]
    except NotFound:
        return ""
    if summary.request == request:
        return summary.work if all(folder.exists(key) for key in summary.images) else ""
    if not overwrite:
        raise AlreadyExists(
            f"{folder.url} holds another preparation",
            got="other scenes, options or files",
            expected="the same, to be kept, or none",
            next_step="give another --out, or replace it with --overwrite",
        )
    return ""


def _claim(folder: "Folder") -> None:
    """Mark a place as ours, where everything that is not in the manifest will be removed."""
    if not folder.exists(MARK) and not folder.exists(MANIFEST) and (others := folder.list("")):
        raise AlreadyExists(
            f"{folder.url} holds something else",
            got=", ".join(others[:3]) + (" …" if len(others) > 3 else ""),
            expected="nothing, or what helikon earth prepare has begun there",
            next_step="give another --out",
        )
    folder.write(MARK, b'{"made by": "helikon earth prepare"}\n')
    folder.delete(MANIFEST)


def _work(
    job: Job,
    units: Sequence[Unit],
    seen: Sequence[Seen],
    options: Options,
    run: Run,
    strict: bool,
    failed: dict[str, str],
    finished: str,
    tell: Tell,
) -> tuple[list[Task], list[Part], dict[str, str]]:
    """Run all units; a scene that turns out broken is left out, and the units that had it are done again."""
    while True:
        tasks = tasks_of(job, units, seen, options)
        if finished and _digest(tasks) == finished:
            tasks = [dataclasses.replace(task, finished=True) for task in tasks]
        parts: list[Part] = run(make_unit, tasks, lambda done, total: tell("working", done, total))
        faults = dict(part.fault for part in parts if part.fault is not None)
        if not faults:
            return tasks, parts, failed
        failed = failed | faults
        seen = [one for one in seen if one.scene.id not in faults]
        _refuse_failed(failed, seen, strict)


def _digest(tasks: Sequence[Task]) -> str:
    return hashlib.sha256("".join(task.digest for task in tasks).encode()).hexdigest()


def _refuse_failed(failed: dict[str, str], seen: Sequence[Seen], strict: bool) -> None:
    if failed and (strict or not seen):
        raise SceneFault(*next(iter(failed.items())))


def _refuse_empty(parts: Sequence[Part], options: Options) -> None:
    if not any(part.clear > 0 for part in parts):
        raise InputError(
            "no pixel is clear",
            got=f"every pixel is fill or masked by {', '.join(options.mask) or 'nothing'}",
            next_step="mask less with --mask, or take other scenes",
        )
    if options.chip and not any(part.rows for part in parts):
        raise InputError(
            "no chip is clear enough",
            got=f"at most {max(part.best for part in parts):.3f} of a chip's pixels",
            expected=f"{options.min_clear} or more",
            next_step="lower --min-clear, or take a smaller --chip",
        )
