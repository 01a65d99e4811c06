"""A view is asked for as many boxes as one likes."""

import numpy as np
import pytest

from helikon.space.mask_rcnn import view as views
from helikon.space.mask_rcnn.training_tiles import VALIDATE, make_tile
from helikon.space.model import load_model


def test_boxes_are_judged_alike_however_many_are_asked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    view = load_model().look(make_tile(VALIDATE, 7, 0, 0, size=128).snr)
    corners = np.random.default_rng(1).uniform(0, 100, (50, 2))
    boxes = np.concatenate([corners, corners + np.geomspace(3, 90, 50)[:, None]], axis=1)
    probabilities, corrected = view.judge(boxes)
    monkeypatch.setattr(views, "MOST_BOXES", 8)
    few_at_a_time = view.judge(boxes)
    assert probabilities.shape == (50, 6)
    np.testing.assert_array_equal(few_at_a_time[0], probabilities)
    np.testing.assert_array_equal(few_at_a_time[1], corrected)
