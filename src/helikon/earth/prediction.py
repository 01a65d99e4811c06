"""What a task does with one shard: read its chips, ask the model, write a piece of the map."""

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from helikon.earth.chips import Chip, ChipPlan
from helikon.earth.chipset import ChipSet
from helikon.earth.grid import Window
from helikon.earth.models import Card, Predictor, load_predictor
from helikon.earth.pieces import piece_bytes
from helikon.errors import HelikonError

if TYPE_CHECKING:
    from helikon.spark.objects import Folder

__all__ = ["MODEL", "NO_DATA", "ShardTask", "extent_of", "fill_gaps", "map_piece_key", "predict_shard"]

MODEL = "predicted/model/"
"""Where the model's files are put for the workers."""
NO_DATA = 0
"""Of a class map; class numbers in it begin with 1."""
_VERSION = 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ShardTask:
    """One shard to predict.

    Attributes
    ----------
    number : int
    chips : ChipSet
        Without the manifest's rows.
    rows : list of dict
        The manifest's rows of this shard.
    out : Folder
        Holds the model, and gets the piece.
    plan : ChipPlan
    model : str
        SHA-256 of the model and its card.
    """

    number: int
    chips: ChipSet
    rows: list[dict[str, Any]]
    out: "Folder"
    plan: ChipPlan
    model: str

    @property
    def digest(self) -> str:
        """SHA-256 of what decides on the piece."""
        content = [_VERSION, self.model, [[row["key"], row["sha256"]] for row in self.rows]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def map_piece_key(number: int) -> str:
    """Return the key of a shard's piece of the map."""
    return f"predicted/{number:06d}.tif"


def _core(plan: ChipPlan, row: dict[str, Any]) -> tuple[Chip, Window]:
    """Return a chip, and the pixels that it answers for: of two that overlap, each takes its half."""
    chip = Chip(row["row"] // plan.stride, row["col"] // plan.stride)
    half = plan.overlap // 2
    spans = []
    for number, count, size in (
        (chip.row, plan.n_rows, plan.grid.height),
        (chip.col, plan.n_cols, plan.grid.width),
    ):
        start = number * plan.stride + (half if number else 0)
        stop = size if number == count - 1 else (number + 1) * plan.stride + half
        spans.append((start, stop - start))
    (top, height), (left, width) = spans
    return chip, Window(row=top, col=left, height=height, width=width)


def extent_of(task: ShardTask) -> Window:
    """Return the window around all that a shard's chips answer for."""
    cores = [_core(task.plan, row)[1] for row in task.rows]
    top, left = min(core.row for core in cores), min(core.col for core in cores)
    bottom = max(core.row + core.height for core in cores)
    right = max(core.col + core.width for core in cores)
    return Window(row=top, col=left, height=bottom - top, width=right - left)


def predict_shard(task: ShardTask) -> dict[str, Any]:
    """Predict one shard and write its piece, unless it is there."""
    digest = task.digest
    if (part := _there(task, digest)) is not None:
        return part
    card, predictor = load_predictor(task.out, MODEL)
    extent = extent_of(task)
    nothing = NO_DATA if card.classes else np.nan
    image = np.full((extent.height, extent.width), nothing, dtype=np.uint8 if card.classes else np.float32)
    chips = task.chips.physical(task.chips.read(task.rows))
    for chip, row in zip(chips, task.rows, strict=True):
        _, core = _core(task.plan, row)
        answer = _answer(card, predictor, chip.reshape(-1, *chip.shape[-2:]))
        top, left = core.row - row["row"], core.col - row["col"]
        place = dataclasses.replace(core, row=core.row - extent.row, col=core.col - extent.col)
        image[place.slices] = answer[top : top + core.height, left : left + core.width]
    content = piece_bytes(task.plan.grid.part(extent), image[None], nothing)
    task.out.write(map_piece_key(task.number), content)
    made = {"digest": digest, "piece": hashlib.sha256(content).hexdigest(), "counts": _counts(card, image)}
    task.out.write(f"predicted/{task.number:06d}.json", json.dumps(made).encode())
    return made | {"kept": False}


def _answer(card: Card, predictor: Predictor, features: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """Return a chip's answers, shape (height, width); nothing where a feature has no data."""
    if card.gaps == "interpolate" and card.n_times > 1:
        features = fill_gaps(features, card.n_times)
    known = ~np.isnan(features).any(axis=0)
    dtype, nothing = (np.uint8, NO_DATA) if card.classes else (np.float32, np.nan)
    image = np.full(known.shape, nothing, dtype=dtype)
    if not known.any():
        return image
    if card.kind == "pixels":
        said = predictor(np.ascontiguousarray(features[:, known].T))
    else:
        said = predictor(np.where(known, features, 0).astype(np.float32)[None])[0][known]
    image[known] = said + 1 if card.classes else said
    return image


def fill_gaps(features: npt.NDArray[np.float32], n_times: int) -> npt.NDArray[np.float32]:
    """Fill times without data along straight lines between those with data.

    Parameters
    ----------
    features : ndarray, shape (times * bands, height, width)
    n_times : int

    Returns
    -------
    ndarray
        Where less than half of the times have data, nothing is filled in.
    """
    series = features.reshape(n_times, -1).copy()
    there = ~np.isnan(series)
    times = np.arange(n_times)
    for column in np.flatnonzero(~there.all(axis=0) & (2 * there.sum(axis=0) >= n_times)):
        known = there[:, column]
        series[~known, column] = np.interp(times[~known], times[known], series[known, column])
    return series.reshape(features.shape)


def _counts(card: Card, image: npt.NDArray[Any]) -> list[int]:
    if not card.classes:
        return [int((~np.isnan(image)).sum())]
    found: list[int] = np.bincount(image.ravel(), minlength=len(card.classes) + 1).tolist()
    return found[1:]


def _there(task: ShardTask, digest: str) -> dict[str, Any] | None:
    try:
        part: dict[str, Any] = json.loads(task.out.read(f"predicted/{task.number:06d}.json"))
        sha256 = hashlib.sha256(task.out.read(map_piece_key(task.number))).hexdigest()
    except (HelikonError, ValueError):
        return None
    return part | {"kept": True} if (part["digest"], part["piece"]) == (digest, sha256) else None
