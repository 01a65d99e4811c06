"""From the network's tensors to detections: masks out of 28 x 28 cells, one detection a place."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812, the usual name
from torch import Tensor
from torchvision.ops import box_iou

from helikon.space.classes import CLASSES, Detection
from helikon.space.network import BOX_MARGIN, padded

__all__ = ["paste_mask", "read_detections"]


def read_detections(
    found: dict[str, Tensor], scores: Tensor, shape: tuple[int, ...], *, same_thing_iou: float
) -> list[Detection]:
    """Make detections of the network's answer for one tile.

    Parameters
    ----------
    found : dict
        boxes (n, 4) with the network's margin, labels (n,), scores (n,), masks (n, 1, 28, 28).
    scores : Tensor
        (n, 6) probabilities of the boxes.
    shape : tuple of int
        Height and width of the tile; boxes are cut to it.
    same_thing_iou : float
        Boxes that overlap more are one thing.
    """
    height, width = shape[:2]
    limit = torch.tensor([width, height, width, height], dtype=torch.float32)
    wide = found["boxes"]
    narrow = padded(wide, -BOX_MARGIN)
    boxes = torch.where((wide <= 0) | (wide >= limit), wide, narrow).clamp(min=0).minimum(limit)
    detections = []
    for i in _distinct(wide, found["scores"], same_thing_iou):
        box = tuple(float(value) for value in boxes[i])
        if box[2] - box[0] < 1 or box[3] - box[1] < 1:
            continue
        mask, offset = paste_mask(found["masks"][i, 0], tuple(wide[i].tolist()), (height, width))
        detections.append(
            Detection(
                box=(box[0], box[1], box[2], box[3]),
                class_name=CLASSES[int(found["labels"][i]) - 1],
                probability=float(found["scores"][i]),
                probabilities=tuple(float(p) for p in scores[i, 1:]),
                mask=mask,
                offset=offset,
            )
        )
    return detections


def _distinct(boxes: Tensor, scores: Tensor, same_thing_iou: float) -> list[int]:
    """Keep the most probable of boxes that lie on each other, whatever their classes."""
    order = torch.argsort(scores, descending=True, stable=True).tolist()
    overlap = (box_iou(boxes, boxes) > same_thing_iou).numpy()
    free = np.ones(len(order), dtype=bool)
    kept: list[int] = []
    for i in order:
        if free[i]:
            kept.append(i)
            free &= ~overlap[i]
    return kept


def paste_mask(
    cells: Tensor, box: tuple[float, ...], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.bool_], tuple[int, int]]:
    """Stretch a mask's cells over its box.

    Parameters
    ----------
    cells : Tensor
        (28, 28) probabilities; they cover the box.
    box : tuple of float
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
    x = (torch.arange(x0, x1) + 0.5 - box[0]) / (box[2] - box[0]) * 2 - 1
    y = (torch.arange(y0, y1) + 0.5 - box[1]) / (box[3] - box[1]) * 2 - 1
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)[None]
    stretched = F.grid_sample(cells[None, None].float(), grid, padding_mode="border", align_corners=False)
    return (stretched[0, 0] > 0.5).numpy(), (x0, y0)
