import numpy as np
import pytest

from helikon.earth.composite import composite, group_by_period
from helikon.errors import InputError

NAN = np.nan


def stack(*values: list[float]) -> np.ndarray:
    """One pixel of one or more bands: a list for each scene."""
    return np.array(values, dtype=np.float32)[:, :, None, None]


def test_a_median_of_an_even_number_is_the_mean_of_the_middle_two() -> None:
    found = composite(stack([1], [NAN], [4], [2], [9]), "median")
    assert found.ravel().tolist() == [3]
    assert composite(stack([1], [5], [2]), "median").ravel().tolist() == [2]
    assert composite(stack([NAN], [5]), "median").ravel().tolist() == [5]
    assert np.isnan(composite(stack([NAN], [NAN]), "median")).all()


def test_a_mosaic_takes_each_band_of_the_first_scene_that_has_it() -> None:
    assert composite(stack([NAN, 1], [2, 5], [3, 6]), "none").ravel().tolist() == [2, 1]


def test_max_ndvi_takes_the_first_of_equals() -> None:
    found = composite(stack([1, 0.2], [2, 0.7], [3, 0.7], [4, NAN]), "max-ndvi", guide=1)
    assert found.ravel().tolist() == [2, pytest.approx(0.7)]


def test_the_best_pixel_is_nearest_to_the_median_of_all_bands() -> None:
    found = composite(stack([0, 0], [0.5, 0.4], [1, 1], [0.5, NAN]), "best-pixel")
    assert found.ravel().tolist() == pytest.approx([0.5, 0.4])


def test_the_mean_is_of_what_is_there() -> None:
    assert composite(stack([1], [NAN], [4]), "mean").ravel().tolist() == [2.5]


def test_scenes_are_grouped_by_year_month_and_day() -> None:
    times = ["2023-12-31", "2024-01-02T10:00:00Z", "2024-01-02T10:00:30Z", "2024-02-01"]
    assert group_by_period(times, "year") == [("2023", (0,)), ("2024", (1, 2, 3))]
    assert [label for label, _ in group_by_period(times, "month")] == ["2023-12", "2024-01", "2024-02"]
    assert group_by_period(times, "day")[1] == ("2024-01-02", (1, 2))
    assert group_by_period(times, "all") == [("2023-12-31", (0, 1, 2, 3))]


def test_a_time_that_is_not_known_is_a_clear_error_where_it_is_needed() -> None:
    assert group_by_period([""], "day") == [("", (0,))]
    with pytest.raises(InputError, match="the time of a scene is not known"):
        group_by_period(["", "2024-01-01"], "day")
