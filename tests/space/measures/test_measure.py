"""Masks, errors, names and outlines are what they say."""

import numpy as np
import pytest
from astropy.wcs import WCS
from skimage.draw import polygon2mask

from helikon.space.measures.extended import measure_mask
from helikon.space.measures.footprints import largest_extents
from helikon.space.measures.gaussians import ellipse_of_form
from helikon.space.measures.outlines import polygons
from helikon.space.measures.uncertainty import gaussian_errors
from helikon.space.names import iau_names, read_outline, stc_outline


def test_a_point_source_in_correlated_noise_has_the_errors_of_condon() -> None:
    errors = gaussian_errors(np.array([20.0]), np.array([6.0]), np.array([6.0]), np.array([0.0]), 6.0)
    assert errors.peak[0] == pytest.approx(1 / 20)
    assert errors.ra[0] == pytest.approx(6 / (np.sqrt(8 * np.log(2)) * 20))
    assert errors.dec[0] == pytest.approx(errors.ra[0])
    assert errors.major[0] == pytest.approx(1 / 20)
    assert errors.angle[0] == 90


def test_errors_follow_the_position_angle() -> None:
    north = gaussian_errors(np.array([20.0]), np.array([30.0]), np.array([6.0]), np.array([0.0]), 6.0)
    east = gaussian_errors(np.array([20.0]), np.array([30.0]), np.array([6.0]), np.array([90.0]), 6.0)
    assert north.dec[0] > 3 * north.ra[0]
    assert east.ra[0] == pytest.approx(north.dec[0])
    assert north.angle[0] < 5


def test_a_mask_is_summed_with_a_beam_around_it_and_half_a_beam_beside_others() -> None:
    data = np.ones((40, 40), dtype=np.float32)
    mask, others = np.zeros((2, 40, 40), dtype=bool)
    mask[10:20, 10:30] = True
    others[22:32, 10:30] = True
    found = measure_mask(data, mask, others, beam_area_pixels=10, beam_fwhm_pixels=2)
    above, sides, corners, between = 2 * 20, 2 * 2 * 10, 4 * 1, 1 * 20  # one of two rows between
    assert found.n_summed == 200 + above + sides + corners + between
    assert found.flux == pytest.approx(found.n_summed / 10)
    assert (found.x, found.y) == pytest.approx((19.5, 14.5))
    major, minor, angle = ellipse_of_form(np.array([found.form]))
    assert major[0] / minor[0] == pytest.approx(2, rel=0.05)
    assert np.sin(angle[0]) == pytest.approx(0, abs=1e-6)


def test_the_largest_extent_is_along_the_diagonal() -> None:
    steps = np.append(np.arange(0, 31), 4)
    extents = largest_extents(steps, steps, np.array([0, 31, 32]))
    assert extents == pytest.approx([30 * np.sqrt(2) + 1, 1], rel=0.005)


def test_outlines_hold_the_pixels_and_leave_holes_out() -> None:
    mask = np.zeros((30, 30), dtype=bool)
    mask[5:15, 5:20] = True
    mask[9, 9] = False
    mask[20:25, 3:6] = True
    found = polygons(mask)
    assert len(found) == 2
    corners = np.concatenate(found)
    assert corners.min(axis=0) == pytest.approx((2.5, 4.5))
    assert corners.max(axis=0) == pytest.approx((19.5, 24.5))


def test_a_rounded_outline_leaves_out_what_sticks_out_and_fills_what_is_missing() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    mask[10:30, 8:32] = True
    mask[18, 32:36] = True  # a spike, one pixel wide
    mask[10:12, 20] = False  # a notch
    (outline,) = polygons(mask, rounding=1.7)
    inside = polygon2mask(mask.shape, outline[:, ::-1])
    assert not inside[18, 34:].any()
    assert inside[11, 20]
    assert inside.sum() == pytest.approx(20 * 24, rel=0.06)
    thin = np.zeros((9, 30), dtype=bool)
    thin[4, 5:25] = True
    assert len(polygons(thin, rounding=1.7)) == 1
    assert np.ptp(polygons(thin, rounding=1.7)[0], axis=0) == pytest.approx((20, 1))
    held = mask.copy()
    held[:, 18:22] = False
    held[18, 18:22] = True  # a bridge, one pixel wide
    assert len(polygons(held, rounding=1.7)) == 1


def test_an_outline_is_read_back_as_it_was_written() -> None:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [40, -10], [-0.001, 0.001]
    squares = [np.array([[0, 0], [5, 0], [5, 5], [0, 5]]) + shift for shift in (0.0, 20.0)]
    one, two = stc_outline(wcs, squares[:1]), stc_outline(wcs, squares)
    assert one.startswith("Polygon ICRS ")
    assert two.startswith("Union ICRS (Polygon ")
    back = read_outline(two)
    assert len(back) == 2
    expected = wcs.pixel_to_world(squares[1][:, 0], squares[1][:, 1])
    np.testing.assert_allclose(back[1], np.column_stack([expected.ra.deg, expected.dec.deg]), atol=1e-5)
    assert read_outline("") == []


def test_an_outline_of_milliarcsecond_pixels_keeps_its_shape() -> None:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---SIN", "DEC--SIN"], [40, 10], [-1e-7, 1e-7]
    square = np.array([[0.0, 0], [5, 0], [5, 5], [0, 5]])
    (back,) = read_outline(stc_outline(wcs, [square]))
    x, y = wcs.all_world2pix(back[:, 0], back[:, 1], 0)
    np.testing.assert_allclose(np.stack([x, y], axis=1), square, atol=0.1)


def test_names_are_truncated_and_doubles_get_letters() -> None:
    ra = 15 * (12 + 34 / 60 + 56.78 / 3600)
    dec = -(7 + 8 / 60 + 9.9 / 3600)
    assert iau_names(np.array([ra]), np.array([dec])) == ["HLK J123456.7-070809"]
    assert iau_names(np.array([ra, 10.0, ra]), np.array([dec, 0.0, dec])) == [
        "HLK J123456.7-070809a",
        "HLK J004000.0+000000",
        "HLK J123456.7-070809b",
    ]
