"""Compact sources in noise as maps have it: right values, and errors that hold."""

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from helikon.space.detect import Pieces, find_pieces
from helikon.space.measures.compact import CompactFits, fit_pieces
from helikon.space.measures.correlated import white_share
from helikon.space.measures.gaussians import FWHM, form_of_ellipse

BEAM = 5.0
STEP = 6.4
"""Between sources, in beam widths."""


@cache
def fitted(
    width: float, peak: float, beam: float = BEAM, n_along: int = 20
) -> tuple[Pieces, CompactFits, np.ndarray]:
    """Fit a grid of equal sources in noise of unit rms that is as smooth as the beam; gives true places.

    Widths in pixels; ``n_along`` sources along each side.
    """
    rng = np.random.default_rng(7)
    step, form = round(STEP * beam), form_of_ellipse(beam, beam, 0.0)
    size, half = step * n_along, int(2.8 * beam)
    # White noise smoothed by a Gaussian of 1/sqrt 2 beam widths has a correlation of the beam's shape.
    noise = ndimage.gaussian_filter(rng.normal(size=(size, size)), beam / FWHM / np.sqrt(2), mode="wrap")
    data = noise / noise.std()
    middles = np.arange(n_along) * step + step / 2
    places = np.stack(np.meshgrid(middles, middles), axis=2).reshape(-1, 2)
    places = places + rng.uniform(-0.5, 0.5, places.shape)
    y, x = np.mgrid[:size, :size]
    for x0, y0 in places:
        box = slice(int(y0) - half, int(y0) + half + 1), slice(int(x0) - half, int(x0) + half + 1)
        distance = (x[box] - x0) ** 2 + (y[box] - y0) ** 2
        data[box] += peak * np.exp(-4 * np.log(2) * distance / width**2)
    data = data.astype(np.float32)
    pieces = find_pieces(data, seed_sigma=8, flood_sigma=3, beam_fwhm_pixels=beam)
    fits = fit_pieces(data, np.ones_like(data), pieces, form, beam)
    nearest = np.argmin(np.hypot(pieces.x[:, None] - places[:, 0], pieces.y[:, None] - places[:, 1]), axis=1)
    return pieces, fits, places[nearest]


def robust_width(values: np.ndarray) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def test_point_sources_are_found_unresolved_with_their_peak() -> None:
    pieces, fits, _ = fitted(BEAM, 20.0)
    assert len(pieces) > 0.95 * 20**2
    assert fits.good.mean() > 0.95
    assert fits.resolved[fits.good].mean() < 0.02
    assert np.median(fits.parameters[fits.good, 0]) == pytest.approx(20, rel=0.01)
    assert np.median(fits.chi2[fits.good]) == pytest.approx(1, abs=0.15)


def test_the_errors_of_peak_and_place_hold() -> None:
    _, fits, places = fitted(BEAM, 20.0)
    good = fits.good & ~fits.resolved
    sigma = np.sqrt(np.diagonal(fits.covariance, axis1=1, axis2=2))[good]
    off = (fits.parameters[good, :3] - np.column_stack([np.full(good.sum(), 20.0), places[good]])) / sigma[
        :, :3
    ]
    assert [robust_width(column) for column in off.T] == pytest.approx([1, 1, 1], abs=0.15)


def test_a_point_source_is_measured_better_than_by_least_squares_of_equal_weights() -> None:
    """Which smooth the map once more: their peaks scatter by 1.3 times the noise."""
    _, fits, _ = fitted(BEAM, 20.0)
    assert robust_width(fits.parameters[fits.good & ~fits.resolved, 0]) < 1.1


def test_a_source_half_again_as_wide_as_the_beam_is_resolved_with_its_flux_and_an_error_that_holds() -> None:
    width, peak = 1.5 * BEAM, 40.0
    _, fits, _ = fitted(width, peak)
    good = fits.good
    assert fits.resolved[good].mean() > 0.99
    flux = (fits.parameters[:, 0] * fits.area_ratio)[good]
    assert np.median(flux) == pytest.approx(peak * 1.5**2, rel=0.02)
    a, b, c = fits.parameters[good, 3:].T
    slope = np.stack([1 / fits.parameters[good, 0], -0.5 * c / (a * c - b * b), b / (a * c - b * b),
                      -0.5 * a / (a * c - b * b)], axis=1)  # fmt: skip
    block = fits.covariance[good][:, [0, 3, 4, 5]][:, :, [0, 3, 4, 5]]
    error = np.sqrt(np.einsum("ni,nij,nj->n", slope, block, slope))
    assert robust_width((flux / (peak * 1.5**2) - 1) / error) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("width", [1.0, 1.1])
def test_the_flux_of_sources_whose_width_is_not_sure_is_that_of_their_usual_width(width: float) -> None:
    peak = 14.0
    _, fits, _ = fitted(width * BEAM, peak)
    faint = fits.good & ~fits.resolved
    assert faint.mean() > 0.7
    pull = (fits.parameters[:, 0] * fits.area_ratio / (peak * width**2) - 1)[faint] / fits.flux_error[faint]
    assert abs(np.median(pull)) < 0.35
    assert 0.6 < robust_width(pull) < 1.2
    assert np.median(fits.area_ratio[faint]) == pytest.approx(width**2, rel=0.04)


def test_the_limit_on_the_area_of_a_point_source_lies_above_it() -> None:
    _, fits, _ = fitted(BEAM, 20.0)
    good = fits.good & ~fits.resolved
    assert (fits.largest_ratio[good] > 1).all()
    assert np.median(fits.largest_ratio[good]) < 1.7


@pytest.mark.parametrize(("beam", "n_along"), [(3.0, 16), (16.0, 8)])
def test_beams_of_few_and_of_many_pixels_are_fitted_alike(beam: float, n_along: int) -> None:
    """Of many, a part of the pixels is used."""
    _, fits, _ = fitted(1.5 * beam, 40.0, beam, n_along)
    assert fits.good.mean() > 0.95
    assert fits.resolved[fits.good].mean() > 0.95
    flux = (fits.parameters[:, 0] * fits.area_ratio)[fits.good]
    assert np.median(flux) == pytest.approx(40 * 1.5**2, rel=0.02)
    assert robust_width(flux) / (40 * 1.5**2) < 0.04


def test_white_noise_is_told_from_noise_as_smooth_as_the_beam() -> None:
    rng, form = np.random.default_rng(2), form_of_ellipse(BEAM, BEAM, 0.0)
    white = rng.normal(size=(300, 300)).astype(np.float32)
    smooth = ndimage.gaussian_filter(white, BEAM / FWHM / np.sqrt(2), mode="wrap")
    smooth /= smooth.std()
    assert white_share(white, form) == pytest.approx(1, abs=0.03)
    assert white_share(smooth, form) == 0
    half = (white + smooth) / np.sqrt(2)
    assert white_share(half[:, ::-1], form) == pytest.approx(0.5, abs=0.1)
    half[:, :100] = np.nan
    assert white_share(half, form) == pytest.approx(0.5, abs=0.1)
    assert white_share(np.full((9, 9), np.nan, dtype=np.float32), form) == 0


def test_in_white_noise_the_errors_hold_too() -> None:
    rng, n_along, step = np.random.default_rng(9), 16, 32
    size = n_along * step
    y, x = np.mgrid[:size, :size] % step - step / 2
    data = rng.normal(size=(size, size)) + 20 * np.exp(-4 * np.log(2) * (x**2 + y**2) / BEAM**2)
    data, form = data.astype(np.float32), form_of_ellipse(BEAM, BEAM, 0.0)
    pieces = find_pieces(data, seed_sigma=8, flood_sigma=3, beam_fwhm_pixels=BEAM)
    fits = fit_pieces(data, np.ones_like(data), pieces, form, BEAM, white=1.0)
    good = fits.good & ~fits.resolved
    assert good.mean() > 0.9
    pull = (fits.parameters[good, 0] - 20) / np.sqrt(fits.covariance[good, 0, 0])
    assert robust_width(pull) == pytest.approx(1, abs=0.2)
    assert np.median(fits.chi2[good]) == pytest.approx(1, abs=0.15)
