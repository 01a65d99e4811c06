"""Gaussians are fitted to what they were made of."""

import numpy as np
import pytest

from helikon.space.measures.gaussians import (
    Grid,
    Plain,
    ellipse_of_form,
    evaluate,
    fit_gaussians,
    form_of_ellipse,
)


def stamps(parameters: np.ndarray, half: int = 12) -> tuple[np.ndarray, Grid]:
    dy, dx = (axis.ravel().astype(float) for axis in np.mgrid[-half : half + 1, -half : half + 1])
    return evaluate(parameters, dx[None], dy[None]), Grid(dx, dy, 5.0)


def made_up(n: int = 40) -> np.ndarray:
    rng = np.random.default_rng(4)
    forms = [
        form_of_ellipse(a * b, a, t)
        for a, b, t in zip(rng.uniform(3, 6, n), rng.uniform(1, 2, n), rng.uniform(0, 3, n), strict=True)
    ]
    return np.column_stack([10 ** rng.uniform(-4, 2, n), rng.uniform(-1, 1, (n, 2)), forms])


def test_axes_and_angle_come_back_from_a_form() -> None:
    form = np.array([form_of_ellipse(7.0, 4.0, 0.6)])
    major, minor, angle = ellipse_of_form(form)
    assert (major[0], minor[0], angle[0]) == pytest.approx((7.0, 4.0, 0.6))


def test_the_polynomial_of_a_gaussian_goes_back_and_forth() -> None:
    truth = made_up()
    values, grid = stamps(truth)
    terms = grid.to_terms(truth)
    np.testing.assert_allclose(np.exp(terms @ grid.terms), values, rtol=1e-9)
    np.testing.assert_allclose(grid.from_terms(terms), truth, rtol=1e-9, atol=1e-9)


def test_slopes_are_the_derivatives_of_the_polynomial() -> None:
    truth = made_up(3)
    grid = stamps(truth)[1]
    slopes = grid.slopes(truth)
    for i in range(6):
        step = 1e-6 * np.maximum(np.abs(truth[:, i]), 1e-3)
        up, down = truth.copy(), truth.copy()
        up[:, i] += step
        down[:, i] -= step
        numeric = (grid.to_terms(up) - grid.to_terms(down)) / (2 * step[:, None])
        np.testing.assert_allclose(slopes[:, :, i], numeric, rtol=1e-4, atol=1e-6)


def test_a_fit_finds_the_truth_from_afar() -> None:
    truth = made_up()
    values, grid = stamps(truth)
    start = truth.copy()
    start[:, 0] *= 0.8
    start[:, 1:3] = 0
    start[:, 3:] = form_of_ellipse(4, 4, 0)
    found, cost = fit_gaussians(values, Plain(np.ones_like(values)), grid, start)
    np.testing.assert_allclose(found, truth, rtol=1e-3, atol=1e-3)
    assert (cost < 1e-6 * (values**2).sum(axis=1)).all()


def test_a_fit_of_fixed_shape_keeps_it() -> None:
    truth = made_up()
    values, grid = stamps(truth)
    start = truth.copy()
    start[:, 0] *= 1.3
    start[:, 1:3] += 0.5
    found, _ = fit_gaussians(values, Plain(np.ones_like(values)), grid, start, free_shape=False)
    np.testing.assert_allclose(found, truth, rtol=1e-4, atol=1e-4)


def test_pixels_of_no_weight_do_not_count() -> None:
    truth = made_up(3)
    values, grid = stamps(truth)
    weights = np.ones_like(values)
    values[:, :100], weights[:, :100] = 1e6, 0
    found, _ = fit_gaussians(values, Plain(weights), grid, truth)
    np.testing.assert_allclose(found, truth, rtol=1e-5)


def test_pure_noise_and_negative_peaks_do_not_raise() -> None:
    values, grid = stamps(made_up(20))
    noise = np.random.default_rng(1).normal(size=values.shape)
    start = np.column_stack([np.ones(20), np.zeros((20, 2)), np.tile(form_of_ellipse(4, 4, 0), (20, 1))])
    start[:5, 0] = -1
    found, _ = fit_gaussians(noise, Plain(np.ones_like(noise)), grid, start)
    assert np.isfinite(found).all()
