"""What a worker does: the background of a window, the sources of a window, the sources of a patch."""

import dataclasses
import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError
from helikon.space.background import BackgroundMesh, mesh_of_tile
from helikon.space.catalogue import COLUMNS
from helikon.space.detect import Pieces
from helikon.space.finder import Found, find_in_window
from helikon.space.fits import open_map
from helikon.space.groups import grouped
from helikon.space.model import SourceModel, load_model
from helikon.space.survey.claims import Box, Claim, Patch, Pixel
from helikon.space.survey.memory import give_back, take_arrays_apart
from helikon.space.survey.plan import ModelFile, Plan
from helikon.space.survey.store import Result, read_mesh, write_part, write_result
from helikon.space.tiles import Tile

__all__ = [
    "mesh_path",
    "part_path",
    "patch_path",
    "search_patch",
    "search_window",
    "window_path",
    "write_cells",
]

MOST_PATCH = 1.8
"""Pixels that a patch may have, in those of a window."""
_AXES = {"pos.cartesian.x": 1, "pos.cartesian.y": 0}


def part_path(plan: Plan, tile: Tile) -> Path:
    """Where the background of a window is kept."""
    return Path(plan.folder) / f"background-{tile.index:05d}.npz"


def mesh_path(plan: Plan) -> Path:
    """Where the background of the map is kept."""
    return Path(plan.folder) / "background.npz"


def window_path(plan: Plan, tile: Tile) -> Path:
    """Where the sources of a window are kept."""
    return Path(plan.folder) / f"window-{tile.index:05d}.json"


def patch_path(plan: Plan, patch: Patch) -> Path:
    """Where the sources of a patch are kept."""
    return Path(plan.folder) / f"patch-{patch.index:05d}.json"


def write_cells(plan: Plan, tile: Tile) -> None:
    """Measure the cells of the background that a window owns."""
    write_part(part_path(plan, tile), mesh_of_tile(plan.map_path, tile, plan.mesh_pixels, beam=plan.beam))


def search_window(plan: Plan, tile: Tile) -> None:
    """Find the sources of a window, and write those that touch its core."""
    seen = _look(plan, (tile.y0, tile.x0, tile.y1, tile.x1))
    reported = [
        dataclasses.replace(claim, window=tile.index, is_owned=tile.owns(*top))
        for claim, top in zip(seen.claims, seen.tops, strict=True)
        if _concerns(claim, tile)
    ]
    write_result(window_path(plan, tile), seen.result(reported))
    _forget()


def search_patch(plan: Plan, patch: Patch) -> None:
    """Find the sources of a patch anew, in a window that is widened until it holds them.

    Writes none where that window would be too large.
    """
    wanted, box, result = patch.pixels, _with_halo(plan, patch.box), Result(values={}, claims=())
    while _area(box) <= MOST_PATCH * plan.settings.window_pixels**2:
        seen = _look(plan, box, wanted)
        if not any(claim.is_cut for claim in seen.claims):
            result = seen.result(seen.claims)
            break
        box = _with_halo(plan, box)
    write_result(patch_path(plan, patch), result)
    _forget()


@dataclasses.dataclass(frozen=True, slots=True)
class _Seen:
    """Sources of one window: columns, the claim of each, and its brightest pixel (y, x) of the map."""

    values: dict[str, Any]
    claims: list[Claim]
    tops: list[Pixel]

    def result(self, chosen: Sequence[Claim]) -> Result:
        """Keep the rows of some claims."""
        rows = [claim.row for claim in chosen]
        values = {name: [column[row] for row in rows] for name, column in self.values.items()}
        claims = tuple(dataclasses.replace(claim, row=row) for row, claim in enumerate(chosen))
        return Result(values=values, claims=claims)


def _look(plan: Plan, box: Box, wanted: frozenset[Pixel] | None = None) -> _Seen:
    """Find sources in a box of the map; of those, if asked, only those that hold a wanted pixel."""
    take_arrays_apart()
    rows, columns = slice(box[0], box[2]), slice(box[1], box[3])
    with open_map(plan.map_path, beam=plan.beam, name=plan.name) as file:
        radio_map = file.window_map(rows, columns)
    background = _mesh(str(mesh_path(plan))).window(rows, columns)
    found = find_in_window(
        radio_map,
        background,
        _model(plan.model),
        plan.settings,
        tell=lambda step, n_done, n_total: None,
        chosen=None if wanted is None else lambda pieces: _holding(pieces, wanted, box),
    )
    at = found.pieces.y, found.pieces.x
    snr = (radio_map.data[at] - background.level[at]) / background.rms[at]
    seen = _claimed(found, snr, box, plan)
    if wanted is None:
        return seen
    mine = set(found.source_of_piece[_holding(found.pieces, wanted, box)].tolist())
    kept = [i for i, claim in enumerate(seen.claims) if claim.row in mine]
    return _Seen(seen.values, [seen.claims[i] for i in kept], [seen.tops[i] for i in kept])


def _claimed(found: Found, snr: npt.NDArray[np.floating], box: Box, plan: Plan) -> _Seen:
    """Make the claims of one window; how an island is parted depends on all of it, so it is cut as one."""
    pieces, claims, tops = found.pieces, [], []
    around = _islands_around(pieces, box)
    for row, mine in enumerate(grouped(found.source_of_piece)):
        peaks = [(int(pieces.y[i]) + box[0], int(pieces.x[i]) + box[1]) for i in mine]
        boxes = np.array([around[pieces.island[i]] for i in mine])
        y0, x0 = (int(value) for value in boxes[:, :2].min(axis=0))
        y1, x1 = (int(value) for value in boxes[:, 2:].max(axis=0))
        is_cut = _reaches_border((y0, x0, y1, x1), box, plan)
        claims.append(
            Claim(
                window=-1,
                row=row,
                pieces=frozenset(peaks),
                box=(y0, x0, y1, x1),
                is_cut=is_cut,
                is_owned=True,
            )
        )
        tops.append(peaks[int(np.argmax(snr[mine]))])
    return _Seen(_shifted(found.values, box), claims, tops)


def _islands_around(pieces: Pieces, box: Box) -> dict[int, Box]:
    """Return the box of each island in pixels of the map."""
    around: dict[int, Box] = {}
    for island, (rows, columns) in zip(pieces.island.tolist(), pieces.slices, strict=True):
        mine = rows.start + box[0], columns.start + box[1], rows.stop + box[0], columns.stop + box[1]
        y0, x0, y1, x1 = around.get(island, mine)
        around[island] = min(y0, mine[0]), min(x0, mine[1]), max(y1, mine[2]), max(x1, mine[3])
    return around


def _reaches_border(around: Box, box: Box, plan: Plan) -> bool:
    """Say whether a source comes near a border of its window beyond which the map goes on."""
    low = any(box[i] > 0 and around[i] - box[i] < plan.margin for i in (0, 1))
    high = any(box[i + 2] < plan.shape[i] and box[i + 2] - around[i + 2] < plan.margin for i in (0, 1))
    return low or high


def _concerns(claim: Claim, tile: Tile) -> bool:
    """Say whether a source has a piece in a window's core, or is cut and may reach into it."""
    y0, x0, y1, x1 = claim.box
    meets = y0 < tile.core_y1 and y1 > tile.core_y0 and x0 < tile.core_x1 and x1 > tile.core_x0
    return any(tile.owns(*pixel) for pixel in claim.pieces) or (claim.is_cut and meets)


def _holding(pieces: Pieces, wanted: frozenset[Pixel], box: Box) -> npt.NDArray[np.bool_]:
    """Say which pieces hold one of the wanted pixels."""
    inside = [(y - box[0], x - box[1]) for y, x in wanted if box[0] <= y < box[2] and box[1] <= x < box[3]]
    held = np.zeros(len(pieces) + 1, dtype=bool)
    if inside:
        y, x = np.array(inside).T
        held[pieces.labels[y, x]] = True
    return held[1:]


def _shifted(values: dict[str, Any], box: Box) -> dict[str, Any]:
    """Turn pixels of the window to those of the map."""
    moved = dict(values)
    for info in COLUMNS:
        axis = _AXES.get(info.ucd.split(";")[0])
        if axis is not None and info.name in values:
            moved[info.name] = np.asarray(values[info.name]) + box[axis]
    return moved


def _with_halo(plan: Plan, box: Box) -> Box:
    halo, (ny, nx) = plan.halo, plan.shape
    return max(0, box[0] - halo), max(0, box[1] - halo), min(ny, box[2] + halo), min(nx, box[3] + halo)


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _forget() -> None:
    """Drop the network, whose arena only grows: to load it again takes a fraction of a second."""
    _model.cache_clear()
    give_back()


@functools.lru_cache(maxsize=1)
def _mesh(path: str) -> BackgroundMesh:
    return read_mesh(Path(path))


@functools.lru_cache(maxsize=1)
def _model(model: ModelFile) -> SourceModel | None:
    """Load a model for one thread: bits must not depend on how many cores there are."""
    if not model.folder:
        return None
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        loaded = load_model(Path(model.folder))
    finally:
        os.environ.pop("OMP_NUM_THREADS")
        os.environ |= {} if before is None else {"OMP_NUM_THREADS": before}
    if loaded.sha256 != model.sha256:
        raise InputError(f"the model in {model.folder} has changed", got=loaded.sha256)
    return loaded
