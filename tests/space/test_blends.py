"""Islands that are no single Gaussian are described by a few."""

import numpy as np
import pytest

from helikon.space.blends import MOST_COMPONENTS, Island, fit_blend
from helikon.space.measures.gaussians import evaluate, form_of_ellipse

FWHM = 5.0
FORM = form_of_ellipse(FWHM, FWHM, 0.0)


def island(truth: np.ndarray, noise: float = 0.0) -> Island:
    """Draw components on 60 by 60 pixels: an island above three, and pixels around it."""
    y, x = np.mgrid[:60, :60]
    models = evaluate(truth, x.ravel()[None].astype(float), y.ravel()[None].astype(float))
    image = models.sum(axis=0).reshape(60, 60)
    image += np.random.default_rng(1).normal(scale=noise or 1e-9, size=image.shape)
    return Island(image, image > 3, image > 1.5, sigma=1.0, x0=0, y0=0)


def test_three_components_that_overlap_are_told_apart() -> None:
    forms = [form_of_ellipse(*shape) for shape in ((5, 5, 0.0), (8, 5, 0.5), (7, 6, 2.0))]
    places = [(50.0, 18.0, 20.0), (30.0, 30.0, 28.0), (20.0, 40.0, 38.0)]
    truth = np.array([(*place, *form) for place, form in zip(places, forms, strict=True)])
    blend = fit_blend(island(truth), FORM, FWHM)
    np.testing.assert_allclose(blend.parameters, truth, rtol=0.05, atol=0.05)
    assert blend.largest_residual < 1


def test_a_component_without_a_peak_of_its_own_is_found_in_what_is_left() -> None:
    truth = np.array([(60.0, 30.0, 30.0, *FORM), (9.0, 30.0, 38.0, *form_of_ellipse(12, 9, 1.0))])
    alone = np.array([(60.0, 30.0, 30.0, *FORM)])
    assert len(fit_blend(island(alone), FORM, FWHM).parameters) == 1
    blend = fit_blend(island(truth), FORM, FWHM)
    assert len(blend.parameters) >= 2
    assert blend.largest_residual < 5


def test_noise_and_diffuse_emission_are_bounded_and_brightest_first() -> None:
    truth = np.array([(12.0, 30.0, 30.0, *form_of_ellipse(40, 30, 0.3))])
    blend = fit_blend(island(truth, noise=1.0), FORM, FWHM)
    assert 1 <= len(blend.parameters) <= MOST_COMPONENTS
    assert np.isfinite(blend.parameters).all()
    assert (np.diff(blend.parameters[:, 0]) <= 0).all()
    flux = np.sum(blend.parameters[:, 0] / np.sqrt(np.linalg.det(
        blend.parameters[:, [3, 4, 4, 5]].reshape(-1, 2, 2))))  # fmt: skip
    expected = 12.0 / np.sqrt(truth[0, 3] * truth[0, 5] - truth[0, 4] ** 2)
    assert flux == pytest.approx(expected, rel=0.3)


def test_an_island_of_one_pixel_has_a_component() -> None:
    image = np.zeros((3, 3))
    image[1, 1] = 6.0
    mask = image > 3
    lonely = Island(image, mask, mask, sigma=1.0, x0=0, y0=0)
    assert len(fit_blend(lonely, FORM, FWHM).parameters) == 1
