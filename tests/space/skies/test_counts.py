"""Source counts."""

import numpy as np
import pytest

from helikon.space.skies.counts import differential_counts, draw_fluxes

SQUARE_DEGREE = (np.pi / 180) ** 2


def test_counts_at_one_millijansky_are_those_published() -> None:
    euclid = differential_counts(np.array([1e-3])) * 1e-3**2.5
    assert euclid[0] == pytest.approx(10**0.859, rel=1e-6)


def test_a_square_degree_holds_about_ninety_sources_above_a_millijansky() -> None:
    # FIRST lists about 90 sources a square degree above 1 mJy (White et al. 1997).
    rng = np.random.default_rng(0)
    fluxes = draw_fluxes(rng, area_sr=20 * SQUARE_DEGREE, faintest_jy=1e-3, brightest_jy=1.0)
    assert 50 < len(fluxes) / 20 < 110


def test_fluxes_stay_in_their_range_and_come_brightest_first() -> None:
    fluxes = draw_fluxes(
        np.random.default_rng(1),
        area_sr=SQUARE_DEGREE,
        faintest_jy=1e-4,
        brightest_jy=0.1,
        frequency_hz=943e6,
    )
    assert fluxes.min() >= 1e-4 * 0.999
    assert fluxes.max() <= 0.1 * 1.001
    assert (np.diff(fluxes) <= 0).all()


def test_more_sources_shine_at_lower_frequency() -> None:
    counts = [
        len(
            draw_fluxes(
                np.random.default_rng(2),
                area_sr=SQUARE_DEGREE,
                faintest_jy=1e-4,
                brightest_jy=1.0,
                frequency_hz=f,
            )
        )
        for f in (0.7e9, 2.8e9)
    ]
    assert counts[0] > 1.5 * counts[1]
