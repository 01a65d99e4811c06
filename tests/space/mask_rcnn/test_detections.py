"""From boxes and masks to detections."""

import numpy as np

from helikon.space.mask_rcnn.detections import paste_mask, read_detections


class FakeView:
    """Says what it is told of three boxes."""

    shape = (64, 64)

    def __init__(self, boxes: list[list[float]], classes: list[int], scores: list[float]) -> None:
        self.proposals = np.array(boxes, dtype=np.float32).reshape(-1, 4)
        self.probabilities = np.full((len(boxes), 6), 0.001, dtype=np.float32)
        self.probabilities[np.arange(len(boxes)), classes] = scores

    def judge(self, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.probabilities, np.repeat(boxes[:, None], 6, axis=1)

    def masks(self, boxes: np.ndarray) -> np.ndarray:
        return np.ones((len(boxes), 6, 28, 28), dtype=np.float32)


def test_a_mask_fills_its_box() -> None:
    mask, offset = paste_mask(np.ones((28, 28), np.float32), np.array([10.0, 20.0, 16.0, 23.0]), (64, 64))
    assert offset == (10, 20)
    assert mask.shape == (3, 6)
    assert mask.all()


def test_the_left_half_of_the_cells_is_the_left_half_of_the_box() -> None:
    cells = np.zeros((28, 28), np.float32)
    cells[:, :14] = 1
    mask, _ = paste_mask(cells, np.array([0.0, 0.0, 20.0, 10.0]), (64, 64))
    assert mask[:, :10].all()
    assert not mask[:, 10:].any()


def test_of_two_detections_on_one_place_the_more_probable_stays() -> None:
    boxes = [[10.0, 10, 20, 20], [11.0, 10, 21, 20], [40.0, 40, 50, 50]]
    detections = read_detections(FakeView(boxes, [2, 3, 2], [0.6, 0.9, 0.5]))
    assert [(d.class_name, round(d.probability, 2)) for d in detections] == [
        ("extended", 0.9),
        ("compact", 0.5),
    ]
    assert detections[0].box == (13, 12, 19, 18)


def test_the_improbable_and_nothing_at_all_are_an_empty_list() -> None:
    assert read_detections(FakeView([[10.0, 10, 20, 20]], [1], [0.04])) == []
    assert read_detections(FakeView([], [], [])) == []
