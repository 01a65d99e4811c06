"""From (u, v) points to images."""

import numpy as np
import pytest
import scipy.fft

from helikon.space.skies.arrays import load_array, observe
from helikon.space.skies.imaging import GaussianBeam, Imager, fit_beam, inverse, make_imager


@pytest.fixture(scope="module")
def imager() -> Imager:
    hours = np.linspace(-1, 1, 12)
    tracks = observe(load_array("askap"), declination_deg=-30.0, hour_angles=hours)
    return make_imager(tracks, n=384, beam_pixels=5.0)


def test_the_psf_peaks_at_one_in_the_centre(imager: Imager) -> None:
    psf = inverse(imager.transfer + 0j, imager.n)
    assert psf[0, 0] == pytest.approx(1.0, abs=1e-5)
    assert psf.max() == psf[0, 0]


def test_the_beam_is_sampled_as_asked(imager: Imager) -> None:
    assert imager.beam.fwhm == pytest.approx(5.0, rel=0.03)


def test_the_beam_of_askap_is_a_dozen_arcseconds(imager: Imager) -> None:
    assert 9 < imager.beam.fwhm * np.rad2deg(imager.pixel_rad) * 3600 < 16


def test_noise_has_unit_deviation_and_hangs_together_over_the_beam(imager: Imager) -> None:
    noise = imager.noise(np.random.default_rng(1))
    assert noise.std() == pytest.approx(1.0, rel=1e-3)
    assert np.mean(noise[:, 1:] * noise[:, :-1]) > 0.6
    assert abs(np.mean(noise[:, 25:] * noise[:, :-25])) < 0.1


def test_perfect_gains_leave_no_error(imager: Imager) -> None:
    gains = np.ones((len(imager.tracks.u), 36), dtype=np.complex64)
    assert np.abs(imager.error_transfer(gains)).max() < 1e-6


def test_a_common_amplitude_error_scales_the_psf(imager: Imager) -> None:
    gains = np.full((len(imager.tracks.u), 36), 1.1, dtype=np.complex64)
    error = inverse(imager.error_transfer(gains), imager.n)
    assert error[0, 0] == pytest.approx(1.21 - 1, abs=0.01)


def test_a_beam_is_recovered_from_its_own_image() -> None:
    beam = GaussianBeam(covariance=(6.0, 1.0, 4.0))
    y, x = np.mgrid[-32:32, -32:32]
    inverse_matrix = np.linalg.inv([[6.0, 1.0], [1.0, 4.0]])
    form = inverse_matrix[0, 0] * x * x + 2 * inverse_matrix[0, 1] * x * y + inverse_matrix[1, 1] * y * y
    fitted = fit_beam(np.exp(-0.5 * form).astype(np.float32))
    np.testing.assert_allclose(fitted.covariance, beam.covariance, rtol=1e-3)


def test_the_position_angle_is_counted_from_north_to_east() -> None:
    along_y = GaussianBeam(covariance=(4.0, 0.0, 9.0))
    north_east = GaussianBeam(covariance=(5.0, -3.0, 5.0))  # long from up-left to down-right; east is left
    assert along_y.axes[2] == pytest.approx(0.0)
    assert north_east.axes[2] == pytest.approx(45.0)


def test_the_clean_beam_in_fourier_space_is_that_in_the_image(imager: Imager) -> None:
    image = scipy.fft.fftshift(inverse(imager.beam_transfer() + 0j, imager.n))
    centre = imager.n // 2
    assert image[centre, centre] == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(fit_beam(image).covariance, imager.beam.covariance, rtol=1e-2)
