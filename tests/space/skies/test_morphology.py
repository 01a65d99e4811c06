"""Shapes of galaxies."""

import numpy as np
import pytest

from helikon.space.skies.components import Components, make_compact
from helikon.space.skies.morphology import HELD_OUT, SHAPES, draw_shape, make_galaxy


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_has_positive_parts_within_its_length(name: str) -> None:
    for seed in range(20):
        galaxy = SHAPES[name][0](np.random.default_rng(seed), 60.0)
        shining = galaxy.flux > 0
        assert shining.any()
        assert (galaxy.flux >= 0).all()
        assert (galaxy.xx * galaxy.yy - galaxy.xy**2 > -1e-9).all()
        assert np.hypot(galaxy.x, galaxy.y)[shining].max() < 1.5 * 60


def test_galaxies_have_a_flux_of_one() -> None:
    galaxy = make_galaxy(np.random.default_rng(3), "fr2", 40.0)
    assert galaxy.flux.sum() == pytest.approx(1.0)


def test_all_shapes_are_drawn() -> None:
    rng = np.random.default_rng(5)
    assert {draw_shape(rng) for _ in range(400)} == set(SHAPES)


def test_training_never_sees_the_shapes_held_out() -> None:
    rng = np.random.default_rng(6)
    drawn = {split: {draw_shape(rng, split) for _ in range(600)} for split in ("train", "validation", "test")}
    assert drawn["train"] == set(SHAPES) - set(HELD_OUT)
    assert drawn["validation"] == set(SHAPES) - {"x-shaped"}
    assert drawn["test"] == set(SHAPES)


def test_turning_moves_the_parts_and_their_ellipses() -> None:
    one = make_compact(1.0, 3.0, 1.0, 0.0).moved(10.0, 0.0).turned(np.pi / 2)
    assert (one.x[0], one.y[0]) == pytest.approx((0.0, 10.0))
    assert (one.xx[0], one.yy[0]) == pytest.approx((1.0, 9.0))


def test_a_double_has_flux_on_both_sides_and_little_between() -> None:
    galaxies = [SHAPES["fr2"][0](np.random.default_rng(seed), 100.0) for seed in range(30)]

    def share(galaxy: Components, inside: float) -> float:
        return float(galaxy.flux[np.abs(galaxy.x) < inside].sum() / galaxy.flux.sum())

    assert np.median([share(galaxy, 10.0) for galaxy in galaxies]) < 0.3
    assert all((galaxy.x > 25).any() and (galaxy.x < -25).any() for galaxy in galaxies)
