"""Batches for torchvision."""

import torch

from helikon.space.batches import make_batch
from helikon.space.mask_rcnn.training_tiles import TRAIN


def test_a_batch_has_what_torchvision_wants() -> None:
    batch = make_batch(TRAIN, 1, 0, batch_size=3, tile_size=128)
    assert len(batch.images) == len(batch.targets) == 3
    for image, target in zip(batch.images, batch.targets, strict=True):
        n = len(target["labels"])
        assert image.shape == (2, 128, 128)
        assert image.dtype == torch.float32
        assert target["boxes"].shape == (n, 4)
        assert target["masks"].shape == (n, 128, 128)
        assert set(target["labels"].tolist()) <= {1, 2, 3, 4, 5}


def test_processes_get_other_tiles() -> None:
    one, other = (make_batch(TRAIN, 1, 0, rank=rank, batch_size=1, tile_size=128) for rank in (0, 1))
    assert not torch.equal(one.images[0], other.images[0])
