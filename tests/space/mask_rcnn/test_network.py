"""The network itself."""

import torch

from helikon.space.mask_rcnn.network import Backbone, build_network
from helikon.space.mask_rcnn.view import STRIDE


def test_the_network_is_small() -> None:
    assert sum(p.numel() for p in build_network(6).parameters()) < 1.6e6


def test_the_finest_features_have_two_pixels_a_cell() -> None:
    levels = Backbone().eval()(torch.zeros(1, 2, 64, 96))
    assert [tuple(level.shape[-2:]) for level in levels.values()] == [
        (32, 48),
        (16, 24),
        (8, 12),
        (4, 6),
        (2, 3),
    ]
    assert STRIDE == 32


def test_boxes_of_parts_and_neighbours_are_learnt_from_too() -> None:
    torch.manual_seed(0)
    heads = build_network(6).train().roi_heads
    target = {
        "boxes": torch.tensor([[10.0, 10, 30, 30]]),
        "labels": torch.tensor([3]),
        "masks": torch.ones(1, 64, 64, dtype=torch.uint8),
        "candidates": torch.tensor([[10.0, 10, 60, 60], [12.0, 12, 31, 31]]),
    }
    boxes, _, labels, _ = heads.select_training_samples([torch.zeros(0, 4)], [target])
    found = {tuple(box): int(label) for box, label in zip(boxes[0].tolist(), labels[0], strict=True)}
    assert found == {(10, 10, 30, 30): 3, (10, 10, 60, 60): 0, (12, 12, 31, 31): 3}


def test_it_learns_a_single_tile() -> None:
    torch.manual_seed(0)
    network = build_network(6).train()
    image = torch.randn(2, 64, 64) * 0.1
    image[:, 20:30, 30:40] += 2
    mask = torch.zeros(1, 64, 64, dtype=torch.uint8)
    mask[0, 20:30, 30:40] = 1
    target = {"boxes": torch.tensor([[30.0, 20, 40, 30]]), "labels": torch.tensor([3]), "masks": mask}
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    first = last = 0.0
    for step in range(25):
        loss = torch.stack(list(network([image, image], [target, target]).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        first, last = (float(loss.detach()) if step == 0 else first), float(loss.detach())
    assert last < 0.4 * first
