"""The end of a preparation: images, items, collection, and the manifest last."""

import dataclasses
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from helikon.earth.chips import Chip
from helikon.earth.items import COLLECTION, collection_bytes, items_bytes, items_key
from helikon.earth.manifest import MANIFEST, ChipRow, Summary, footprints, manifest_bytes
from helikon.earth.options import Options
from helikon.earth.pieces import join_pieces, piece_key
from helikon.earth.plan import Task
from helikon.earth.shards import ZARR, shard_key, zarr_metadata
from helikon.earth.work import Part

__all__ = ["commit"]


def commit(
    tasks: Sequence[Task],
    parts: Sequence[Part],
    options: Options,
    *,
    failed: dict[str, str],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    digests: tuple[str, str],
    tell: Callable[[str, int, int], None],
) -> Summary:
    """Write what describes the units' shards, the manifest last, then remove what is not in it.

    Until the manifest is there nothing counts; what an earlier preparation
    left in the same place is gone after it.

    Parameters
    ----------
    tasks, parts : sequence of Task, sequence of Part
        All units, in order.
    options : Options
    failed : dict
        Scenes that cannot be read, and why.
    mean, std : tuple of float
        That chips were normalised with.
    digests : tuple of str
        Of the request and of the work.
    tell : callable
        Gets a step's name, and the number done and of all.
    """
    job = tasks[0].job
    out = job.out
    images = _images(tasks, tell)
    summary = dataclasses.replace(
        _summary(tasks, parts, options, images, failed, mean, std), request=digests[0], work=digests[1]
    )
    rows = [_rows(task, part) for task, part in zip(tasks, parts, strict=True)]
    every = [row for of_unit in rows for row in of_unit]
    items = [items_key(part.unit) for part in parts if part.rows]
    for part, of_unit in zip(parts, rows, strict=True):
        if of_unit:
            out.write(items_key(part.unit), items_bytes(of_unit, summary), lasting=False)
    right = {COLLECTION, *items, *images, *(row.shard for row in every if job.form == "npz")}
    if job.form == "zarr" and every:
        attributes = {"bands": list(summary.bands), "times": list(summary.times)}
        meta = zarr_metadata(len(tasks), job.n_slots, summary.shape, attributes)
        out.write(f"{ZARR}/zarr.json", meta, lasting=False)
        n_dimensions = 1 + len(summary.shape)
        shards = {shard_key("zarr", part.unit, n_dimensions) for part in parts if part.rows}
        right |= {f"{ZARR}/zarr.json", *shards}
    out.write(COLLECTION, collection_bytes(every, summary, items), lasting=False)
    out.settle(right)
    out.write(MANIFEST, manifest_bytes(every, summary))
    _clear(tasks, right)
    return summary


def _images(tasks: Sequence[Task], tell: Callable[[str, int, int], None]) -> list[str]:
    job, steps = tasks[0].job, tasks[0].steps
    if not job.image:
        return []
    n_bands = len(job.names)
    wanted = []
    for number, step in enumerate(steps):
        key = "composite.tif" if len(steps) == 1 else f"composite-{_plain(step.label)}.tif"
        wanted.append((key, range(number * n_bands, (number + 1) * n_bands), job.names))
    if tasks[0].finished and all(job.out.exists(key) for key, _, _ in wanted):
        return [key for key, _, _ in wanted]
    pieces = [(piece_key(task.unit.number), task.unit.own(job.chips)) for task in tasks]
    return join_pieces(
        job.out,
        job.chips.grid,
        pieces,
        wanted,
        progress=lambda done, total: tell("writing images", done, total),
    )


def _plain(label: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "-" else "-" for letter in label) or "unknown"


def _rows(task: Task, part: Part) -> list[ChipRow]:
    """Return the manifest's rows of a unit."""
    job, plan = task.job, task.job.chips
    times = sorted(scene.time for step in task.steps for scene in step.scenes if scene.time)
    chips = [Chip(row["row"], row["col"]) for row in part.rows]
    found = []
    for number, (row, chip, corners) in enumerate(
        zip(part.rows, chips, footprints(plan, chips), strict=True)
    ):
        window = plan.window(chip)
        zarr = job.form == "zarr"
        found.append(
            ChipRow(
                key=chip.key,
                shard=ZARR if zarr else shard_key(job.form, part.unit, 0),
                offset=part.unit * job.n_slots + number if zarr else number,
                row=window.row,
                col=window.col,
                split=row["split"],
                clear=row["clear"],
                crs=plan.grid.crs,
                transform=plan.grid.part(window).transform,
                start=times[0] if times else "",
                end=times[-1] if times else "",
                footprint=corners,
                sha256=row["sha256"],
            )
        )
    return found


def _summary(
    tasks: Sequence[Task],
    parts: Sequence[Part],
    options: Options,
    images: Sequence[str],
    failed: dict[str, str],
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> Summary:
    job, plan, steps = tasks[0].job, tasks[0].job.chips, tasks[0].steps
    areas = [task.unit.own(plan) for task in tasks]
    pixels = [area.height * area.width for area in areas]
    clear = sum(part.clear * n for part, n in zip(parts, pixels, strict=True)) / sum(pixels)
    return Summary(
        bands=job.names,
        times=tuple(step.label for step in steps),
        shape=job.chip_shape(len(steps)),
        form=job.form,
        n_slots=job.n_slots,
        grid=dataclasses.asdict(plan.grid),
        size=plan.size,
        overlap=plan.overlap,
        images=tuple(images),
        scenes=tuple(sorted({scene.id for task in tasks for step in task.steps for scene in step.scenes})),
        failed=failed,
        mean=mean,
        std=std,
        clear=clear,
        options=_plain_options(options),
    )


def _plain_options(options: Options) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in dataclasses.asdict(options).items()
    }


def _clear(tasks: Sequence[Task], right: set[str]) -> None:
    """Remove what earlier preparations left, and what only the work needed."""
    out = tasks[0].job.out
    units = {task.unit.number for task in tasks}
    for key in out.list(""):
        top, _, rest = key.partition("/")
        ours = top in ("chips", "items", "raw", "pieces", ZARR) or top.startswith("composite")
        stale_part = top == "parts" and int(rest[:6]) not in units
        if stale_part or (ours and key not in right):
            out.delete(key)
    if not out.is_remote:
        _clear_folder(Path(out.url))


def _clear_folder(folder: Path) -> None:
    """Remove what killed workers left half written, and folders that only the work needed."""
    for top in ("pieces", "raw"):
        shutil.rmtree(folder / top, ignore_errors=True)
    for top in (".", "parts", "chips", "items", ZARR):
        for left in (folder / top).glob("**/.*.partial" if top == ZARR else ".*.partial"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
