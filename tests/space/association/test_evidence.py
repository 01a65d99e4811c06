"""The network's word on pieces, pairs and groups of them."""

import numpy as np

from helikon.space.association.evidence import gather
from helikon.space.detect import find_pieces
from helikon.space.finder_settings import FinderSettings
from helikon.space.mask_rcnn.training_tiles import VALIDATE, make_tile
from helikon.space.model import load_model


def test_groups_are_answered_as_pieces_and_pairs_are_and_in_their_order() -> None:
    snr = make_tile(VALIDATE, 7, 0, 0, size=256).snr
    pieces = find_pieces(snr, seed_sigma=5, flood_sigma=3, beam_fwhm_pixels=5.0)
    settings = FinderSettings(tile_pixels=192, overlap_pixels=64)
    _, pairs, tiles = gather(
        snr, np.ones_like(snr), pieces, load_model(), settings, beam_fwhm_pixels=5.0, every_pair=True
    )
    n_tiles = 0
    for seen in tiles:
        n_tiles += 1
        alone = [np.array([piece]) for piece in seen.inside]
        both = [np.array([pairs.one[row], pairs.other[row]]) for row in seen.pairs]
        answers = seen.ask([*both, *alone])
        np.testing.assert_array_equal(answers[: len(both)], seen.of_pair)
        np.testing.assert_array_equal(answers[len(both) :], seen.of_piece)
        assert seen.ask([]).shape == (0, 6)
    assert n_tiles > 1


def test_the_network_is_asked_about_pairs_that_pass_a_glance_alone() -> None:
    snr = make_tile(VALIDATE, 7, 0, 0, size=256).snr
    pieces = find_pieces(snr, seed_sigma=5, flood_sigma=3, beam_fwhm_pixels=5.0)
    model = load_model()
    (every,), (some,) = (
        list(
            gather(
                snr, np.ones_like(snr), pieces, model, FinderSettings(), beam_fwhm_pixels=5.0, every_pair=each
            )[2]
        )
        for each in (True, False)
    )
    _, pairs, _ = gather(snr, np.ones_like(snr), pieces, model, FinderSettings(), beam_fwhm_pixels=5.0)
    asked = model.judge.worth_asking(pairs.features[some.pairs])
    assert 0 < asked.sum() < 0.5 * len(asked)
    np.testing.assert_array_equal(some.of_pair[asked], every.of_pair[asked])
    assert (some.of_pair[~asked] == 0).all()
    assert (every.of_pair.sum(axis=1) > 0.99).all()
