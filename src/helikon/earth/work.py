"""What a task does with a unit: read, composite, cut, write the shard, return a small part.

It runs in any process of any engine. It can be called twice, or killed
half-way: the shard's key and bytes follow from the task, objects appear
whole, and the part, written last, says that the shard is.
"""

import dataclasses
import hashlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.earth.chips import Chip
from helikon.earth.composite import composite
from helikon.earth.grid import Window
from helikon.earth.pieces import piece_key, write_piece
from helikon.earth.plan import Job, Step, Task
from helikon.earth.read import SceneFault, read_scene
from helikon.earth.shards import is_sealed, seal
from helikon.errors import HelikonError

__all__ = ["Part", "make_unit", "part_key"]

Float = npt.NDArray[np.float32]

_STACK_BYTES = 96 * 2**20
_COPIES = 3
"""Arrays as large as the stack that exist at a time while it is made."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What came of a unit; small.

    Attributes
    ----------
    unit : int
    digest : str
        Of the task.
    rows : tuple of dict
        One for each chip that is kept: row, col, split, clear, sha256.
    piece_sha256 : str
        Of the piece of the composite; empty if none is wanted.
    clear : float
        Share of the unit's own pixels that have data.
    best : float
        The largest clear fraction of its chips, kept or not.
    sums : tuple of tuple of float
        For each band, of the train chips: number, sum, sum of squares.
    fault : tuple of str
        The scene that cannot be read and the reason; then nothing was written.
    kept : bool
        It was there already.
    """

    unit: int
    digest: str
    rows: tuple[dict[str, Any], ...] = ()
    piece_sha256: str = ""
    clear: float = 0.0
    best: float = 0.0
    sums: tuple[tuple[float, float, float], ...] = ()
    fault: tuple[str, str] | None = None
    kept: bool = False


def part_key(number: int) -> str:
    """Return the key of a unit's part."""
    return f"parts/{number:06d}.json"


def make_unit(task: Task) -> Part:
    """Make a unit, unless it is there whole."""
    digest = task.digest
    if (found := _there(task, digest)) is not None:
        return found
    try:
        pixels = read_steps(task.job, task.steps, task.unit.window(task.job.chips))
    except SceneFault as fault:
        return Part(unit=task.unit.number, digest=digest, fault=(fault.scene_id, fault.reason))
    part = _written(task, digest, pixels)
    content = {key: value for key, value in dataclasses.asdict(part).items() if key != "kept"}
    task.job.out.write(part_key(part.unit), (json.dumps(content) + "\n").encode(), lasting=False)
    return part


def read_steps(job: Job, steps: tuple[Step, ...], window: Window) -> Float:
    """Return a window of every step's composite, shape (steps, bands, height, width)."""
    n_bands = len(job.names)
    pixels = np.full((len(steps), n_bands, window.height, window.width), np.nan, dtype=np.float32)
    for number, step in enumerate(steps):
        for part in _column_blocks(window, len(step.scenes) * len(job.wanted.names) * _scale(job)):
            looks = (read_scene(scene, job.wanted, job.chips.grid, part) for scene in step.scenes)
            stack = [look for look in looks if look is not None]
            if stack:
                alone = len(stack) == 1  # whatever the composite, it is the one look
                made = stack[0] if alone else composite(np.stack(stack), job.composite, job.guide)
                start = part.col - window.col
                pixels[number, :, :, start : start + part.width] = made[:n_bands]
    return pixels


def _scale(job: Job) -> float:
    """Return how many source pixels, about, are read for one of the grid's."""
    return 4.0 if job.wanted.resampling == "average" else 1.0


def _column_blocks(window: Window, floats_per_pixel: float) -> list[Window]:
    """Cut a window into blocks of columns whose stacks fit into memory."""
    most = int(_STACK_BYTES / (4 * _COPIES * max(1.0, floats_per_pixel) * max(1, window.height)))
    width = max(64, most)
    starts = range(0, window.width, width)
    return [
        dataclasses.replace(window, col=window.col + start, width=min(width, window.width - start))
        for start in starts
    ]


def _written(task: Task, digest: str, pixels: Float) -> Part:
    job, unit = task.job, task.unit
    window, own = unit.window(job.chips), unit.own(job.chips)
    mine = pixels[:, :, : own.height, : own.width]
    piece = ""
    if job.image:
        piece = write_piece(job, unit.number, own, mine)
    rows: list[dict[str, Any]] = []
    kept: list[Float] = []
    best = 0.0
    for chip in unit.chips() if job.form != "none" else []:
        cut = _cut(job, chip, pixels, window)
        clear = _clear(cut)
        best = max(best, clear)
        if clear < job.min_clear or clear == 0:
            continue
        kept.append(cut)
        rows.append({"row": chip.row, "col": chip.col, "split": job.chips.split(chip), "clear": clear})
    sums = _sums(job, [cut for cut, row in zip(kept, rows, strict=True) if row["split"] == "train"])
    if kept:
        rows = _write_shard(job, unit.number, kept, rows)
    return Part(
        unit=unit.number,
        digest=digest,
        rows=tuple(rows),
        piece_sha256=piece,
        clear=_clear(mine) if mine.size else 0.0,
        best=best,
        sums=sums,
    )


def _clear(pixels: Float) -> float:
    """Return the share of pixels that have all bands, of shape (steps, bands, height, width)."""
    hidden = np.isnan(pixels[:, 0])
    for band in range(1, pixels.shape[1]):
        hidden |= np.isnan(pixels[:, band])
    return (hidden.size - int(np.count_nonzero(hidden))) / hidden.size


def _cut(job: Job, chip: Chip, pixels: Float, window: Window) -> Float:
    """Return a chip, shape (steps, bands, size, size), NaN beyond the grid."""
    place = job.chips.window(chip)
    row, col = place.row - window.row, place.col - window.col
    cut = pixels[:, :, row : row + place.height, col : col + place.width]
    if cut.shape[2:] == (place.height, place.width):
        return cut
    whole = np.full((*pixels.shape[:2], place.height, place.width), np.nan, dtype=np.float32)
    whole[:, :, : cut.shape[2], : cut.shape[3]] = cut
    return whole


def _sums(job: Job, train: list[Float]) -> tuple[tuple[float, float, float], ...]:
    """Return number, sum and sum of squares of each band of the train chips."""
    if not job.raw:
        return ()
    total = np.zeros((len(job.names), 3))
    for chip in train:
        there = ~np.isnan(chip)
        values = np.where(there, chip, 0).astype(np.float64)
        total[:, 0] += there.sum(axis=(0, 2, 3))
        total[:, 1] += values.sum(axis=(0, 2, 3))
        total[:, 2] += (values**2).sum(axis=(0, 2, 3))
    return tuple((float(n), float(s), float(q)) for n, s, q in total)


def _write_shard(
    job: Job, number: int, kept: list[Float], rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Write the chips of a unit, and return the rows with each chip's SHA-256."""
    chips = np.stack(kept)
    if chips.shape[1] == 1:
        chips = chips[:, 0]
    if not np.isnan(job.fill):
        chips = np.where(np.isnan(chips), np.float32(job.fill), chips)
    content, sealed = seal(job.form, chips, rows, job.n_slots)
    job.out.write(job.shard_key(number, len(kept[0])), content, lasting=False)
    return sealed


def _there(task: Task, digest: str) -> Part | None:
    """Return the part of a unit that is there, if its shard and piece are what the part says."""
    job, number = task.job, task.unit.number
    try:
        content = json.loads(job.out.read(part_key(number)))
        part = _part(content)
    except (HelikonError, ValueError, KeyError, TypeError):
        return None
    if part.digest != digest:
        return None
    gone = task.finished
    if part.rows and not (gone and job.raw) and not _is_sealed(task, part):
        return None
    if part.piece_sha256 and not gone and not _is(job, piece_key(number), part.piece_sha256):
        return None
    return part


def _is_sealed(task: Task, part: Part) -> bool:
    job, n_steps = task.job, len(task.steps)
    key, shape = job.shard_key(part.unit, n_steps), job.chip_shape(n_steps)
    return is_sealed(job.out, key, job.form, part.rows, shape, job.n_slots)


def _part(content: dict[str, Any]) -> Part:
    fields = content | {
        "rows": tuple(content["rows"]),
        "sums": tuple(tuple(sums) for sums in content["sums"]),
        "kept": True,
    }
    return Part(**fields)


def _is(job: Job, key: str, sha256: str) -> bool:
    try:
        return hashlib.sha256(job.out.read(key)).hexdigest() == sha256
    except HelikonError:
        return False
