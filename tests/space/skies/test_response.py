"""Sensitivity over a field."""

import numpy as np

from helikon.space.skies.options import SceneOptions
from helikon.space.skies.response import draw_response


def test_a_flat_field_is_flat() -> None:
    assert (draw_response(np.random.default_rng(0), 200, SceneOptions(size=150, edges=0.0)) == 1).all()


def test_the_edge_of_a_mosaic_is_on_one_side_and_the_middle_is_untouched() -> None:
    for seed in range(8):
        response = draw_response(np.random.default_rng(seed), 300, SceneOptions(size=256, edges=1.0))
        sides = [response[20], response[-20], response[:, 20], response[:, -20]]
        assert sum(np.median(side) < 0.9 for side in sides) <= 1
        assert response.min() < 0.6
        assert response[150, 150] > 0.99
