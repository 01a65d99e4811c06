"""What is measured around pieces."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from helikon.space.association.surroundings import _filtered


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
