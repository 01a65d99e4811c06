"""Training tiles."""

import numpy as np

from helikon.space.mask_rcnn.training_tiles import TRAIN, VALIDATE, make_tile


def test_a_tile_is_fixed_by_its_seed_stream_and_step() -> None:
    one, other = (make_tile(TRAIN, 1, 0, 3, size=128) for _ in range(2))
    assert one.snr.tobytes() == other.snr.tobytes()
    assert [s.box for s in one.sources] == [s.box for s in other.sources]


def test_steps_streams_and_kinds_give_other_tiles() -> None:
    keys = [(TRAIN, 1, 0, 3), (TRAIN, 1, 0, 4), (TRAIN, 1, 1, 3), (VALIDATE, 1, 0, 3)]
    tiles = [make_tile(*key, size=128).snr for key in keys]
    assert len({tile.tobytes() for tile in tiles}) == 4


def test_boxes_hold_the_masks_tightly() -> None:
    sources = [s for step in range(0, 96, 8) for s in make_tile(TRAIN, 2, 0, step, size=128).sources]
    assert len(sources) > 10
    for source in sources:
        rows, columns = np.nonzero(source.mask)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert source.box == box


def test_sources_stand_out_of_the_noise_where_their_masks_say() -> None:
    for step in range(0, 48, 16):
        tile = make_tile(TRAIN, 3, 0, step, size=128)
        assert all(tile.snr[source.mask].max() > 3 for source in tile.sources)
        assert all(source.snr >= 4 for source in tile.sources)
