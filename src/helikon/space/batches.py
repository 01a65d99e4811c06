"""Tiles as the tensors that torchvision's detection models train on."""

import dataclasses

import numpy as np
import torch
from torch import Tensor

from helikon.space.model import network_input
from helikon.space.network import padded
from helikon.space.training_tiles import Tile, make_tile

__all__ = ["Batch", "make_batch", "tile_tensors"]


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
    }
    return torch.from_numpy(network_input(tile.snr)), target


def make_batch(
    kind: int, seed: int, step: int, *, rank: int = 0, batch_size: int = 2, tile_size: int = 256
) -> Batch:
    """Make the batch of one step and one process; the same arguments give the same batch."""
    tiles = [make_tile(kind, seed, rank * batch_size + i, step, size=tile_size) for i in range(batch_size)]
    images, targets = zip(*(tile_tensors(tile) for tile in tiles), strict=True)
    return Batch(images=list(images), targets=list(targets))
