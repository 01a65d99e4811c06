"""Normalise chips by the train chips' mean and standard deviation: a second pass over the shards."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from helikon.earth.engines import Run
from helikon.earth.options import Options
from helikon.earth.plan import Task
from helikon.earth.shards import decode, is_sealed, seal, shard_key
from helikon.earth.work import Part, make_unit
from helikon.errors import HelikonError, InputError

__all__ = ["normalise"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Second:
    """A unit's shard to normalise."""

    task: Task
    part: Part
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fill: float


def normalise(
    tasks: Sequence[Task],
    parts: Sequence[Part],
    options: Options,
    run: Run,
    tell: Callable[[str, int, int], None],
) -> tuple[list[Part], tuple[float, ...], tuple[float, ...]]:
    """Write the shards anew with each band less its mean, over its standard deviation.

    Returns
    -------
    list of Part, mean, std
        With the checksums of what is written; as they came if nothing is asked for.

    Raises
    ------
    InputError
        If there is no train chip to learn from.
    """
    if options.normalise == "none" or not options.chip:
        return list(parts), (), ()
    mean, std = _learnt(parts)
    items = [
        _Second(task=task, part=part, mean=mean, std=std, fill=options.fill)
        for task, part in zip(tasks, parts, strict=True)
    ]
    done = run(_normalised, items, lambda n, total: tell("normalising", n, total))
    return done, mean, std


def _learnt(parts: Sequence[Part]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    sums = np.array([part.sums for part in parts if part.sums]).sum(axis=0)
    if not len(sums) or not np.all(sums[:, 0] > 0):
        raise InputError(
            "there is nothing to normalise by",
            got="no train chip with data in every band",
            next_step="give train a larger share with --split, take a larger --block, or do not normalise",
        )
    mean = sums[:, 1] / sums[:, 0]
    variance = np.maximum(sums[:, 2] / sums[:, 0] - mean**2, 0)
    std = np.where(variance > 0, np.sqrt(variance), 1.0)
    return tuple(float(value) for value in mean), tuple(float(value) for value in std)


def _normalised(item: _Second) -> Part:
    """Normalise one shard, unless it is there; the raw one stays beside until the commit."""
    job, part = item.task.job, item.part
    if not part.rows:
        return part
    n_steps = len(item.task.steps)
    shape = job.chip_shape(n_steps)
    key = shard_key(job.form, part.unit, len(shape) + 1)
    said = f"parts/{part.unit:06d}.normalised.json"
    recipe = hashlib.sha256(
        json.dumps([part.digest, item.mean, item.std, str(item.fill)]).encode()
    ).hexdigest()
    if (kept := _there(item, said, recipe, key)) is not None:
        return kept
    raw = job.shard_key(part.unit, n_steps)
    if item.task.finished and not job.out.exists(raw):
        make_unit(dataclasses.replace(item.task, finished=False))
    chips = decode(job.form, job.out.read(raw), len(part.rows), shape, job.n_slots)
    axes = (-1, 1, 1)
    mean = np.array(item.mean, dtype=np.float32).reshape(axes)
    std = np.array(item.std, dtype=np.float32).reshape(axes)
    chips = (chips - mean) / std
    if not math.isnan(item.fill):
        chips = np.where(np.isnan(chips), np.float32(item.fill), chips)
    content, rows = seal(job.form, chips, part.rows, job.n_slots)
    job.out.write(key, content, lasting=False)
    job.out.write(said, json.dumps({"recipe": recipe, "rows": rows}).encode(), lasting=False)
    return dataclasses.replace(part, rows=tuple(rows))


def _there(item: _Second, said: str, recipe: str, key: str) -> Part | None:
    job, shape = item.task.job, item.task.job.chip_shape(len(item.task.steps))
    try:
        content: dict[str, Any] = json.loads(job.out.read(said))
        if content["recipe"] != recipe:
            return None
        rows = tuple(content["rows"])
    except (HelikonError, ValueError, KeyError):
        return None
    if not is_sealed(job.out, key, job.form, rows, shape, job.n_slots):
        return None
    return dataclasses.replace(item.part, rows=rows)
