"""Lines lose corners and stay where they are."""

import numpy as np
import pytest
from skimage.measure import approximate_polygon

from helikon.space.outputs.polylines import simplified


@pytest.mark.parametrize("tolerance", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("closed", [False, True])
def test_corners_are_those_that_skimage_keeps(tolerance: float, closed: bool) -> None:
    angle = np.linspace(0, 2 * np.pi if closed else 5, 90)
    radius = 20 + np.random.default_rng(3).normal(size=90).cumsum()
    line = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    if closed:
        line[-1] = line[0]
    found = simplified(line, tolerance)
    assert 3 < len(found) < 80
    np.testing.assert_array_equal(found, approximate_polygon(line, tolerance))


def test_short_lines_stay() -> None:
    line = np.array([[0.0, 0.0], [1.0, 5.0]])
    np.testing.assert_array_equal(simplified(line, 3.0), line)
