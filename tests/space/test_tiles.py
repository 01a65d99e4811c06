"""Tiles cover a map, and their cores cover it once."""

from itertools import pairwise

import numpy as np
import pytest

from helikon.errors import InputError
from helikon.space.tiles import plan_tiles


@pytest.mark.parametrize("shape", [(100, 100), (512, 700), (1000, 1337), (40, 3000), (1, 1)])
def test_cores_cover_every_pixel_once_and_lie_in_their_windows(shape: tuple[int, int]) -> None:
    owned = np.zeros(shape, dtype=int)
    for tile in plan_tiles(shape, size=256, overlap=64):
        owned[tile.core_y0 : tile.core_y1, tile.core_x0 : tile.core_x1] += 1
        assert tile.y0 <= tile.core_y0 < tile.core_y1 <= tile.y1
        assert tile.x0 <= tile.core_x0 < tile.core_x1 <= tile.x1
    assert (owned == 1).all()


def test_windows_are_of_the_size_asked_and_overlap_enough() -> None:
    tiles = plan_tiles((512, 1500), size=512, overlap=128)
    assert {tile.shape for tile in tiles} == {(512, 512)}
    starts = sorted(tile.x0 for tile in tiles)
    assert all(b - a <= 512 - 128 for a, b in pairwise(starts))
    assert max(tile.x1 for tile in tiles) == 1500


def test_every_position_has_one_owner() -> None:
    tiles = plan_tiles((300, 300), size=128, overlap=32)
    for y, x in [(-0.5, -0.5), (149.5, 149.5), (63.7, 299.4), (0, 0)]:
        assert sum(tile.owns(y, x) for tile in tiles) == 1


def test_a_map_smaller_than_a_tile_is_one_tile() -> None:
    (tile,) = plan_tiles((30, 20), size=512, overlap=128)
    assert tile.shape == (30, 20)


def test_an_overlap_that_leaves_no_step_is_refused() -> None:
    with pytest.raises(InputError, match="less than a tile"):
        plan_tiles((100, 100), size=64, overlap=64)
