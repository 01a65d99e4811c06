"""Gaussians on pixels."""

import numpy as np
import pytest

from helikon.space.skies.components import join, make_compact, make_disc
from helikon.space.skies.imaging import GaussianBeam
from helikon.space.skies.render import deposit, render, render_each

BEAM = GaussianBeam(covariance=(4.5, 0.3, 4.0))


def test_a_point_source_has_its_flux_as_peak() -> None:
    stamp = render(make_compact(2.0, 0.0, 0.0, 0.0).moved(30.0, 20.0), BEAM, (64, 64), 1e-4)
    assert stamp.data.max() == pytest.approx(2.0, rel=1e-5)
    y, x = np.unravel_index(stamp.data.argmax(), stamp.data.shape)
    assert (x + stamp.x0, y + stamp.y0) == (30, 20)


def test_the_integral_over_the_beam_is_the_flux_also_of_a_resolved_source() -> None:
    stamp = render(make_compact(2.0, 4.0, 2.0, 0.7).moved(40.3, 41.8), BEAM, (96, 96), 1e-6)
    assert stamp.data.sum() / BEAM.area == pytest.approx(2.0, rel=1e-3)
    assert stamp.data.max() < 1.0


def test_a_source_off_the_map_has_no_pixels() -> None:
    assert render(make_compact(1.0, 0.0, 0.0, 0.0).moved(-80.0, 20.0), BEAM, (64, 64), 1e-3).data.size == 0


def test_a_source_at_the_border_is_cut() -> None:
    stamp = render(make_compact(1.0, 0.0, 0.0, 0.0).moved(0.0, 63.0), BEAM, (64, 64), 1e-3)
    assert stamp.data.max() == pytest.approx(1.0)
    assert stamp.where[0].stop == 64
    assert stamp.where[1].start == 0


def test_many_sources_at_once_are_each_what_it_is_alone() -> None:
    sources = [
        make_compact(2.0, 1.0, 0.5, 0.3).moved(30.2, 20.7),
        make_disc(0.5, 6.0, 2.0, 1.1).moved(3.4, 60.1),
        make_compact(1.0, 0.0, 0.0, 0.0).moved(-80.0, 20.0),
        make_compact(0.01, 0.2, 0.1, 2.0).moved(50.0, 50.0),
    ]
    stamps = render_each(join(*sources), np.array([0, 1, 3, 4]), BEAM, (64, 64), 1e-3)
    for stamp, alone in zip(stamps, (render(one, BEAM, (64, 64), 1e-3) for one in sources), strict=True):
        assert (stamp.x0, stamp.y0, stamp.x, stamp.y) == (alone.x0, alone.y0, alone.x, alone.y)
        assert np.array_equal(stamp.data, alone.data)
    assert [stamp.data.size > 0 for stamp in stamps] == [True, True, False, True]


def test_deposited_flux_is_kept_and_centred() -> None:
    image = np.zeros((16, 16), dtype=np.float32)
    deposit(image, np.array([5.25, 20.0]), np.array([7.5, 3.0]), np.array([2.0, 1.0]))
    assert image.sum() == pytest.approx(2.0)
    y, x = np.mgrid[:16, :16]
    assert (image * x).sum() / 2 == pytest.approx(5.25)
    assert (image * y).sum() / 2 == pytest.approx(7.5)


def test_a_disc_falls_exponentially_and_half_of_its_light_is_within_its_half_light_radius() -> None:
    sharp, radius = GaussianBeam(covariance=(0.25, 0.0, 0.25)), 20.0
    stamp = render(make_disc(1.0, radius, radius, 0.0).moved(150.0, 150.0), sharp, (301, 301), 1e-9)
    y, x = np.indices(stamp.data.shape)
    distance = np.hypot(x + stamp.x0 - 150, y + stamp.y0 - 150)
    assert stamp.data[distance < radius].sum() / stamp.data.sum() == pytest.approx(0.5, abs=0.02)
    scale = radius / 1.678  # of the disc
    profile = [stamp.data[np.abs(distance - at * scale) < 1].mean() for at in (0.5, 1.5, 2.5)]
    assert np.diff(np.log(profile)) == pytest.approx([-1, -1], abs=0.2)
