"""What is measured around pieces."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from helikon.space.association.surroundings import CELL, PRIOR_PIECES, WIDTH_FALL, _filtered, _usual


@pytest.mark.parametrize(
    ("along_one_axis", "along_both"),
    [
        (ndimage.uniform_filter1d, ndimage.uniform_filter),
        (ndimage.minimum_filter1d, ndimage.minimum_filter),
    ],
)
def test_filters_at_some_pixels_give_what_they_give_of_the_whole_map(
    along_one_axis: Callable[..., Any], along_both: Callable[..., Any]
) -> None:
    rng = np.random.default_rng(1)
    image = rng.normal(size=(90, 150)).astype(np.float32)
    at = rng.integers(0, 90, 40).astype(np.int32), rng.integers(0, 150, 40).astype(np.int32)
    expected = along_both(image, size=17, mode="nearest")[at]
    np.testing.assert_array_equal(_filtered(along_one_axis, image, 17, at), expected)


def test_what_is_usual_is_the_share_of_pieces_as_bright_that_are_as_wide() -> None:
    rng = np.random.default_rng(2)
    snr = np.exp(CELL * (rng.integers(32, 80, 400) + 0.5))
    flux_ratio = CELL * (rng.integers(-10, 20, 400) + 0.5)
    as_bright = snr[:, None] <= snr
    as_wide = as_bright & (flux_ratio[:, None] <= flux_ratio)
    told = np.exp(_usual(snr, flux_ratio)) * (as_bright.sum(axis=1) + PRIOR_PIECES)
    expected = PRIOR_PIECES * np.exp(-WIDTH_FALL * np.clip(flux_ratio, 0, 1))
    np.testing.assert_allclose(told, as_wide.sum(axis=1) + expected)


def test_a_wide_piece_is_usual_where_all_are_wide_and_rare_where_none_is() -> None:
    snr, wide = np.full(200, 30.0), np.full(200, 0.8)
    narrow = np.append(np.zeros(199), 0.8)
    assert np.exp(_usual(snr, wide)).min() > 0.9
    assert np.exp(_usual(snr, narrow))[-1] < 0.02
    assert np.exp(_usual(snr[:1], wide[:1])) == pytest.approx(0.13, abs=0.01)  # nothing is known of the map
