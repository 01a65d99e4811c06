"""Batch inference: a model over prepared chips, written back as a georeferenced image."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helikon.earth.chips import ChipPlan
from helikon.earth.chipset import ChipSet, open_chips
from helikon.earth.engines import Run
from helikon.earth.grid import Grid
from helikon.earth.maps import MAP, map_item
from helikon.earth.models import FILES, Card, read_card
from helikon.earth.pieces import join_pieces
from helikon.earth.prediction import MODEL, NO_DATA, ShardTask, extent_of, map_piece_key, predict_shard
from helikon.errors import AlreadyExists, InputError, NotFound
from helikon.settings import Settings

if TYPE_CHECKING:
    from helikon.spark.objects import Folder

__all__ = ["ITEM", "Mapped", "predict"]

ITEM = "map.json"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What came of it.

    Attributes
    ----------
    url : str
        Where it is.
    image : str
        Key of the image.
    counts : dict
        Class to number of pixels; ``pixels`` for a measurement.
    n_shards, n_kept : int
        Of work, and those that were there already.
    """

    url: str
    image: str
    counts: dict[str, int]
    n_shards: int
    n_kept: int


def predict(
    model: Path,
    chips_url: str,
    out_url: str,
    settings: Settings,
    *,
    run: Run,
    tell: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Mapped:
    """Map what a model says of prepared chips.

    Parameters
    ----------
    model : Path
        Model folder, see :mod:`helikon.earth.models`.
    chips_url : str
        What ``helikon earth prepare`` wrote.
    out_url : str
        Folder or ``s3://bucket/prefix``: gets ``map.tif``, a Cloud Optimized
        GeoTIFF, and ``map.json``, its STAC item, written last.
    settings : Settings
    run : callable
        How and where shards are worked on, see :mod:`helikon.earth.engines`.
    tell : callable
        Gets a step's name, and the number done and of all.

    Raises
    ------
    InputError
        If the chips are not what the model wants.
    AlreadyExists
        If there is another map.
    """
    from helikon.spark.objects import open_folder

    chips, out = open_chips(chips_url, settings), open_folder(out_url, settings)
    card, name, sha256 = read_card(_card_of(model))
    _check(card, chips)
    identity = hashlib.sha256(f"{sha256} {card} {chips.summary.work}".encode()).hexdigest()
    names = card.classes or ("pixels",)
    plan = _plan(chips)
    tasks = [
        ShardTask(number=n, chips=_light(chips), rows=rows, out=out, plan=plan, model=identity)
        for n, rows in enumerate(chips.shards())
    ]
    if (counts := _counted(out, identity)) is not None:
        return Mapped(url=out.url, image=MAP, counts=counts, n_shards=len(tasks), n_kept=len(tasks))
    for file in ("weights.safetensors", name, "model.json"):
        out.write(f"{MODEL}{file}", model / file)
    parts = run(predict_shard, tasks, lambda done, total: tell("predicting", done, total))
    classes = bool(card.classes)
    join_pieces(
        out,
        plan.grid,
        [(map_piece_key(task.number), extent_of(task)) for task in tasks],
        [(MAP, [0], ["class" if classes else "value"])],
        dtype="uint8" if classes else "float32",
        nodata=NO_DATA if classes else float("nan"),
        resampling="mode" if classes else "average",
        colours=_colours(card),
        progress=lambda done, total: tell("writing the map", done, total),
    )
    counted = np.sum([part["counts"] for part in parts], axis=0).tolist()
    counts = dict(zip(names, counted, strict=True))
    item = map_item(chips, card, counts, identity, NO_DATA)
    out.write(ITEM, (json.dumps(item, indent=1) + "\n").encode())
    for task in tasks:
        out.delete(map_piece_key(task.number))
    return Mapped(
        url=out.url,
        image=MAP,
        counts=counts,
        n_shards=len(tasks),
        n_kept=sum(part["kept"] for part in parts),
    )


def _card_of(model: Path) -> bytes:
    try:
        return (model / "model.json").read_bytes()
    except OSError as error:
        raise NotFound(
            f"{model} is no model folder", expected=f"model.json and one of {', '.join(FILES)}"
        ) from error


def _check(card: Card, chips: ChipSet) -> None:
    have = (chips.summary.bands, len(chips.summary.times))
    if have != (card.bands, card.n_times):
        raise InputError(
            "the chips are not what the model wants",
            got=f"{', '.join(have[0])} at {have[1]} times",
            expected=f"{', '.join(card.bands)} at {card.n_times} times",
            next_step="prepare them with --bands and --index of the model, or let predict do it: --scenes",
        )


def _counted(out: "Folder", identity: str) -> dict[str, int] | None:
    """Return what the finished map counts, None if there is none; refuse another one."""
    try:
        properties: dict[str, Any] = json.loads(out.read(ITEM))["properties"]
    except NotFound:
        if out.exists(MAP) and not out.list("predicted/"):
            raise AlreadyExists(
                f"{out.url} holds a {MAP} of somebody else's", next_step="give another --out"
            ) from None
        return None
    except (ValueError, KeyError, TypeError):
        properties = {}
    if properties.get("helikon:identity") != identity:
        raise AlreadyExists(
            f"{out.url} holds another map",
            got="another model or other chips",
            next_step="give another --out, or remove it",
        )
    return properties["helikon:counts"] if out.exists(MAP) else None


def _plan(chips: ChipSet) -> ChipPlan:
    fields = dict(chips.summary.grid)
    grid = Grid(**(fields | {"transform": tuple(fields["transform"])}))
    return ChipPlan(grid=grid, size=chips.summary.size, overlap=chips.summary.overlap)


def _light(chips: ChipSet) -> ChipSet:
    """Leave the manifest's rows at home: a task takes its own along."""
    return dataclasses.replace(chips, table=chips.table.slice(0, 0))


def _colours(card: Card) -> dict[int, tuple[int, int, int, int]] | None:
    if not card.classes:
        return None
    found = {}
    for number, name in enumerate(card.classes, start=1):
        text = card.colours.get(name, f"#{number * 0x3F7F1F % 0x1000000:06x}").lstrip("#")
        red, green, blue = (int(text[i : i + 2], 16) for i in (0, 2, 4))
        found[number] = (red, green, blue, 255)
    return found
