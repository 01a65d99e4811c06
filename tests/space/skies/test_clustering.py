"""Where compact sources stand."""

import numpy as np
from scipy.spatial import cKDTree

from helikon.space.skies.clustering import draw_positions
from helikon.space.skies.render import Stamp

STAMP = Stamp(x0=100, y0=300, x=120, y=310, data=np.ones((20, 40), dtype=np.float32))


def _places(pairs: float, beside: float) -> np.ndarray:
    rng = np.random.default_rng(2)
    flux = rng.pareto(1.0, 2000) + 1
    places = draw_positions(
        rng, flux, n=2000, beam_fwhm=5.0, pairs=pairs, beside=beside, extended=[("fr2", STAMP)]
    )
    return np.stack(places, axis=1)


def _close(places: np.ndarray) -> int:
    return len(cKDTree(places).query_pairs(15.0))


def test_pairs_make_many_more_close_neighbours_than_chance() -> None:
    assert _close(_places(0.15, 0.0)) > _close(_places(0.0, 0.0)) + 100


def test_some_stand_on_extended_sources() -> None:
    places = _places(0.0, 0.1)
    on = (abs(places[:, 0] - 120) <= 20) & (abs(places[:, 1] - 310) <= 10)
    assert 150 < on.sum() < 260


def test_all_stand_in_the_field() -> None:
    places = _places(0.5, 0.2)
    assert places.min() >= 0
    assert places.max() < 1999
