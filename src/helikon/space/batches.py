"""Tiles as the tensors that torchvision's detection models train on."""

import dataclasses

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from helikon.space.classes import CLASSES
from helikon.space.mask_rcnn.network import padded
from helikon.space.mask_rcnn.training_tiles import Tile, TileSource, make_tile
from helikon.space.mask_rcnn.view import network_input

__all__ = ["Batch", "make_batch", "tile_tensors"]

N_NEIGHBOURS = 5
WIDEST_GAP = 90.0
"""Pixels between two islands up to which a box around both is looked at."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Images, each (2, size, size) float32, and their targets (boxes, labels, masks)."""

    images: list[Tensor]
    targets: list[dict[str, Tensor]]


def tile_tensors(tile: Tile) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the network's input and torchvision's target for a tile."""
    n, size = len(tile.sources), tile.snr.shape
    boxes = torch.tensor([source.box for source in tile.sources]).float().reshape(n, 4)
    masks = np.stack([source.mask for source in tile.sources]) if n else np.zeros((0, *size), dtype=bool)
    target = {
        "boxes": padded(boxes).clamp(0, max(size)),
        "labels": torch.tensor([source.class_index for source in tile.sources], dtype=torch.int64),
        "masks": torch.from_numpy(masks.astype(np.uint8)),
        "candidates": padded(_candidates(tile.sources)).clamp(0, max(size)),
    }
    return torch.from_numpy(network_input(tile.snr)), target


def _candidates(sources: tuple[TileSource, ...]) -> Tensor:
    """Boxes (n, 4) of single islands, and around islands that are near each other: of one source or not."""
    islands = [box for source in sources for box in _island_boxes(source)]
    if not islands:
        return torch.zeros((0, 4))
    boxes = np.array(islands, dtype=np.float32)
    low, high = boxes[:, :2], boxes[:, 2:]
    gap = np.maximum(low[:, None] - high[None], low[None] - high[:, None]).max(axis=2)
    nearest = np.argsort(gap + 1e6 * np.eye(len(boxes)), axis=1)[:, :N_NEIGHBOURS]
    one, other = np.repeat(np.arange(len(boxes)), nearest.shape[1]), nearest.ravel()
    near = (gap[one, other] < WIDEST_GAP) & (one != other)
    one, other = one[near], other[near]
    pairs = np.concatenate([np.minimum(low[one], low[other]), np.maximum(high[one], high[other])], axis=1)
    return torch.from_numpy(np.concatenate([boxes, np.unique(pairs, axis=0)]))


def _island_boxes(source: TileSource) -> list[tuple[float, float, float, float]]:
    if CLASSES[source.class_index - 1] != "extended-multi-island":
        return [source.box]
    islands, _ = ndimage.label(source.mask, structure=np.ones((3, 3)))
    return [
        (columns.start, rows.start, columns.stop, rows.stop)
        for rows, columns in ndimage.find_objects(islands)
    ]


def make_batch(
    kind: int,
    seed: int,
    step: int,
    *,
    rank: int = 0,
    batch_size: int = 2,
    tile_size: int = 256,
    templates: str = "",
) -> Batch:
    """Make the batch of one step and one process; the same arguments give the same batch."""
    tiles = [
        make_tile(kind, seed, rank * batch_size + i, step, size=tile_size, templates=templates)
        for i in range(batch_size)
    ]
    images, targets = zip(*(tile_tensors(tile) for tile in tiles), strict=True)
    return Batch(images=list(images), targets=list(targets))
