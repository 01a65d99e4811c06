"""From the network's boxes and masks to detections: one a place, masks out of 28 x 28 cells."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.classes import CLASSES, Detection

__all__ = ["BOX_MARGIN", "distinct", "paste_mask", "read_detections"]

Floats = npt.NDArray[np.float32]

BOX_MARGIN = 2.0
"""The network's boxes reach this many pixels beyond a mask: half a beam of surroundings.

Boxes tight around a point source are so small that a proposal one pixel off is
hardly the same box."""
LEAST_PROBABILITY = 0.05
SAME_THING_IOU = 0.5
"""Boxes that overlap more are one thing."""
EXTENDED = [1 + CLASSES.index(name) for name in ("extended", "extended-multi-island")]
_OUTWARDS = np.array([-1, -1, 1, 1], dtype=np.float32)


class _View(Protocol):
    """What is asked here of ``model.View``."""

    shape: tuple[int, int]
    proposals: Floats

    def judge(self, boxes: Floats) -> tuple[Floats, Floats]: ...

    def masks(self, boxes: Floats) -> Floats: ...


def read_detections(view: _View, *, least_extended: float = 0.0) -> list[Detection]:
    """Make detections of what the network says of its own proposals in a tile; see ``View.detect``."""
    probabilities, corrected = view.judge(view.proposals)
    best = 1 + np.argmax(probabilities[:, 1:], axis=1)
    rows = np.arange(len(best))
    score = probabilities[rows, best]
    limit = np.array([view.shape[1], view.shape[0]] * 2, dtype=np.float32)
    wide = np.clip(corrected[rows, best], 0, limit)
    usable = (score >= LEAST_PROBABILITY) & np.all(wide[:, 2:] - wide[:, :2] > 1, axis=1)
    kept = np.flatnonzero(usable)
    kept = kept[distinct(wide[kept], score[kept], SAME_THING_IOU)]
    kept = kept[probabilities[kept][:, EXTENDED].sum(axis=1) >= least_extended]
    narrow = np.where((wide <= 0) | (wide >= limit), wide, wide - BOX_MARGIN * _OUTWARDS)
    cells = view.masks(wide[kept])
    found = []
    for i, cell in zip(kept, cells, strict=True):
        x0, y0, x1, y1 = (float(value) for value in np.clip(narrow[i], 0, limit))
        if x1 - x0 < 1 or y1 - y0 < 1:
            continue
        mask, offset = paste_mask(cell[best[i]], wide[i], view.shape)
        found.append(
            Detection(
                box=(x0, y0, x1, y1),
                class_name=CLASSES[best[i] - 1],
                probability=float(score[i]),
                probabilities=tuple(float(p) for p in probabilities[i, 1:]),
                mask=mask,
                offset=offset,
            )
        )
    return found


def distinct(boxes: Floats, scores: Floats, same_thing_iou: float) -> list[int]:
    """Return the rows of boxes (n, 4) that stay where of each heap the most probable stays, best first."""
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    free = np.ones(len(order), dtype=bool)
    kept: list[int] = []
    for i in order:
        if free[i]:
            kept.append(int(i))
            low, high = np.maximum(boxes[i, :2], boxes[:, :2]), np.minimum(boxes[i, 2:], boxes[:, 2:])
            shared = np.prod(np.clip(high - low, 0, None), axis=1)
            free &= shared <= same_thing_iou * (areas + areas[i] - shared)
    return kept


def paste_mask(
    cells: Floats, box: npt.NDArray[np.floating], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.bool_], tuple[int, int]]:
    """Stretch a mask's cells over its box.

    Parameters
    ----------
    cells : ndarray
        (28, 28) probabilities; they cover the box.
    box : ndarray
        x0, y0, x1, y1; what lies off the tile is left out.
    shape : tuple of int
        Of the tile.

    Returns
    -------
    (ndarray of bool, tuple of int)
        Mask at a probability of one half, and the column and row of its first pixel.
    """
    x0, y0 = max(int(np.floor(box[0])), 0), max(int(np.floor(box[1])), 0)
    x1, y1 = min(int(np.ceil(box[2])), shape[1]), min(int(np.ceil(box[3])), shape[0])
    n_rows, n_columns = cells.shape
    x = (np.arange(x0, x1) + 0.5 - box[0]) / (box[2] - box[0]) * n_columns - 0.5
    y = (np.arange(y0, y1) + 0.5 - box[1]) / (box[3] - box[1]) * n_rows - 0.5
    grid = np.meshgrid(y, x, indexing="ij")
    stretched = ndimage.map_coordinates(cells, grid, order=1, mode="nearest")
    return stretched > 0.5, (x0, y0)
