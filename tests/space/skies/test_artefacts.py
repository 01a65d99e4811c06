"""Gain errors and uncleaned sidelobes."""

import numpy as np
import pytest

from helikon.space.skies.arrays import load_array, observe
from helikon.space.skies.artefacts import draw_gains, draw_stripes, gain_error_spectrum, residual_spectrum
from helikon.space.skies.imaging import Imager, inverse, make_imager


@pytest.fixture(scope="module")
def imager() -> Imager:
    tracks = observe(load_array("vla-b"), declination_deg=30.0, hour_angles=np.linspace(-1, 1, 8))
    return make_imager(tracks, n=256, beam_pixels=5.0)


def _point(n: int) -> np.ndarray:
    image = np.zeros((n, n), dtype=np.float32)
    image[n // 2, n // 2] = 1.0
    return image


def test_gains_scatter_as_asked() -> None:
    rng = np.random.default_rng(0)
    gains = np.concatenate(
        [draw_gains(rng, 10, 300, phase_deg=4.0, amplitude=0.02).ravel() for _ in range(60)]
    )
    assert 3.5 < np.rad2deg(np.median(np.abs(np.angle(gains)))) * 1.4826 < 6.0
    assert np.log(np.abs(gains)).std() == pytest.approx(0.05, rel=0.4)


def test_artefacts_grow_with_the_errors_and_stay_small_beside_the_source(imager: Imager) -> None:
    def worst(phase_deg: float) -> float:
        spectrum = gain_error_spectrum(
            np.random.default_rng(4), imager, [_point(imager.n)], phase_deg=phase_deg, amplitude=0.0
        )
        return float(np.abs(inverse(spectrum, imager.n)).max())

    assert 0 < worst(1.0) < worst(4.0) < 0.3


def test_uncleaned_emission_leaves_the_sidelobes_and_not_the_peak(imager: Imager) -> None:
    image = inverse(residual_spectrum(imager, _point(imager.n)), imager.n)
    assert abs(image[imager.n // 2, imager.n // 2]) < 0.05
    assert 0.01 < np.abs(image).max() < 0.4


def test_stripes_cover_the_whole_map_at_few_spatial_frequencies(imager: Imager) -> None:
    image = draw_stripes(np.random.default_rng(2), imager)
    assert image.std() == pytest.approx(1.0, rel=1e-3)
    power = np.sort(np.abs(np.fft.rfft2(image)).ravel() ** 2)[::-1]
    assert power[:16].sum() > 0.99 * power.sum()


def test_a_baseline_too_short_for_a_ripple_in_the_map_leaves_no_stripes() -> None:
    tracks = observe(load_array("meerkat"), declination_deg=-30.0, hour_angles=np.linspace(-1, 1, 3))
    imager = make_imager(tracks, n=64, beam_pixels=5.0)
    images = [draw_stripes(np.random.default_rng(seed), imager) for seed in range(60)]
    spreads = np.array([image.std() for image in images])
    assert np.count_nonzero(spreads == 0) > 0
    np.testing.assert_allclose(spreads[spreads > 0], 1.0, rtol=1e-4)
