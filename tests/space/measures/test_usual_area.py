"""How wide a map's sources usually are, from areas that are hardly measured."""

import numpy as np
import pytest

from helikon.space.measures.usual_area import SCATTER_BEFORE, UsualArea


def blurred(rng: np.random.Generator, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure areas with errors of all sizes."""
    errors = np.exp(rng.uniform(np.log(0.02), np.log(0.5), len(true)))
    return true + errors * rng.normal(size=len(true)), errors


@pytest.mark.parametrize(("middle", "scatter"), [(0.01, 0.02), (0.25, 0.12)])
def test_the_distribution_behind_the_errors_is_found_among_galaxies_and_blends(
    middle: float, scatter: float
) -> None:
    rng = np.random.default_rng(5)
    usual, odd = rng.normal(middle, scatter, 900), rng.uniform(0.3, 2.5, 100)
    found = UsualArea.of(*blurred(rng, np.concatenate([usual, odd])))
    assert found.middle == pytest.approx(middle, abs=0.02)
    assert found.scatter == pytest.approx(scatter, abs=0.02)


def test_sources_that_are_all_surely_wider_than_the_beam_are_the_usual_ones() -> None:
    """As where a header's beam is an eighth too narrow: none is usual, seen from the beam."""
    rng = np.random.default_rng(7)
    true = rng.normal(0.25, 0.002, 400)
    errors = np.exp(rng.uniform(np.log(0.002), np.log(0.3), len(true)))
    found = UsualArea.of(true + errors * rng.normal(size=len(true)), errors)
    assert found.middle == pytest.approx(0.25, abs=0.015)
    assert found.odd_share < 0.02


def test_galaxies_that_are_most_of_a_map_are_not_the_usual_sources() -> None:
    rng = np.random.default_rng(8)
    points, galaxies = rng.normal(0.0, 0.02, 150), rng.uniform(0.3, 2.5, 300)
    found = UsualArea.of(*blurred(rng, np.concatenate([points, galaxies])))
    assert found.middle == pytest.approx(0.0, abs=0.02)
    assert found.odd_share == pytest.approx(2 / 3, abs=0.1)


def test_what_is_likely_is_nearer_to_the_truth_than_what_is_measured_and_than_a_point() -> None:
    rng = np.random.default_rng(6)
    true = rng.normal(0.2, 0.1, 2000)
    area, errors = blurred(rng, true)
    likely, doubt = UsualArea.of(area, errors).given(area, errors)
    off = np.sqrt(np.mean((likely - true) ** 2))
    assert off < 0.5 * np.sqrt(np.mean((area - true) ** 2))
    assert off < 0.5 * np.sqrt(np.mean(true**2))
    assert np.mean(((likely - true) / doubt) ** 2) == pytest.approx(1, abs=0.1)


def test_where_many_are_odd_one_that_looks_so_is_not_taken_for_a_usual_one() -> None:
    """As discs among points: 2.5 sigma from a point is 0.5, not 0."""
    rng = np.random.default_rng(9)
    true = np.concatenate([rng.normal(0.0, 0.02, 500), rng.normal(0.5, 0.3, 500)])
    area, errors = true + 0.2 * rng.normal(size=len(true)), np.full(len(true), 0.2)
    usual = UsualArea.of(*blurred(rng, true))
    expected, doubt = usual.given(area, errors)
    wide = (true > 0.4) & (true < 0.6)
    assert np.mean(expected[wide]) > 0.35
    assert np.mean(((expected - true) / doubt) ** 2) == pytest.approx(1, abs=0.25)
    assert abs(np.mean(expected[:500])) < 0.06


def test_a_map_of_few_sources_is_taken_for_one_of_points_but_a_sure_area_is_believed() -> None:
    usual = UsualArea.of(np.array([0.4, 0.1, -0.2]), np.array([0.3, 0.3, 0.3]))
    assert abs(usual.middle) < 0.02
    assert usual.scatter == pytest.approx(SCATTER_BEFORE, rel=0.2)
    likely, doubt = usual.given(np.array([0.4, 0.04]), np.array([0.3, 0.001]))
    assert likely[0] < 0.05
    assert likely[1] == pytest.approx(0.04, abs=0.001)
    assert doubt[1] < 0.0011 < doubt[0]


def test_what_was_not_measured_is_as_usual_and_nothing_is_asked_of_an_empty_map() -> None:
    assert UsualArea.of(np.empty(0), np.empty(0)) == UsualArea()
    usual = UsualArea(0.1, 0.05)
    likely, doubt = usual.given(np.array([np.nan, 3.0]), np.array([0.1, np.inf]))
    assert likely.tolist() == [0.1, 0.1]
    assert doubt.tolist() == [0.05, 0.05]
    assert UsualArea.of(np.array([np.nan, 1.0]), np.array([0.1, np.nan])) == UsualArea()
