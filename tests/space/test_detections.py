"""From tensors to detections."""

import torch

from helikon.space.detections import paste_mask, read_detections


def test_a_mask_fills_its_box() -> None:
    mask, offset = paste_mask(torch.ones(28, 28), (10.0, 20.0, 16.0, 23.0), (64, 64))
    assert offset == (10, 20)
    assert mask.shape == (3, 6)
    assert mask.all()


def test_the_left_half_of_the_cells_is_the_left_half_of_the_box() -> None:
    cells = torch.zeros(28, 28)
    cells[:, :14] = 1
    mask, _ = paste_mask(cells, (0.0, 0.0, 20.0, 10.0), (64, 64))
    assert mask[:, :10].all()
    assert not mask[:, 10:].any()


def test_of_two_detections_on_one_place_the_more_probable_stays() -> None:
    found = {
        "boxes": torch.tensor([[10.0, 10, 20, 20], [11, 10, 21, 20], [40, 40, 50, 50]]),
        "labels": torch.tensor([2, 3, 2]),
        "scores": torch.tensor([0.6, 0.9, 0.5]),
        "masks": torch.ones(3, 1, 28, 28),
    }
    scores = torch.full((3, 6), 1 / 6)
    detections = read_detections(found, scores, (64, 64), same_thing_iou=0.5)
    assert [(d.class_name, round(d.probability, 2)) for d in detections] == [
        ("extended", 0.9),
        ("compact", 0.5),
    ]


def test_nothing_found_is_an_empty_list() -> None:
    found = {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0, dtype=torch.int64),
        "scores": torch.zeros(0),
        "masks": torch.zeros(0, 1, 28, 28),
    }
    assert read_detections(found, torch.zeros(0, 6), (64, 64), same_thing_iou=0.5) == []
