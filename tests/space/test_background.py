"""Background and noise are measured rightly, and do not depend on tiles."""

from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS
from scipy import ndimage

from helikon.errors import InputError
from helikon.space.background import assemble_background, estimate_background, mesh_of_tile, mesh_size
from helikon.space.fits import Beam, RadioMap, write_map
from helikon.space.mesh import _median_deviation, median
from helikon.space.tiles import plan_tiles


def noise(shape: tuple[int, int] = (500, 430), seed: int = 3) -> np.ndarray:
    """Noise of unit rms, correlated over a beam of 4 pixels."""
    white = np.random.default_rng(seed).normal(size=shape)
    smooth = ndimage.gaussian_filter(white, 1.7)
    return (smooth / smooth.std()).astype(np.float32)


def save(data: np.ndarray, path: Path) -> Path:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---SIN", "DEC--SIN"], [10, 20], [-0.001, 0.001]
    beam = Beam(major_arcsec=14.4, minor_arcsec=14.4)
    write_map(RadioMap(data=data, wcs=wcs, beam=beam, pixel_arcsec=3.6), path)
    return path


def test_level_and_noise_of_plain_noise() -> None:
    found = estimate_background(noise() * 2 + 7, mesh_pixels=80)
    assert found.level.shape == found.rms.shape == (500, 430)
    assert found.level.dtype == found.rms.dtype == np.float32
    assert np.median(found.level) == pytest.approx(7, abs=0.1)
    assert np.median(found.rms) == pytest.approx(2, rel=0.03)


def test_sources_hardly_raise_them() -> None:
    data = noise()
    rng = np.random.default_rng(5)
    for y, x in zip(rng.integers(10, 490, 150), rng.integers(10, 420, 150), strict=True):
        data[y - 2 : y + 3, x - 2 : x + 3] += rng.pareto(1) * 5
    data[200:260, 200:260] += 30
    found = estimate_background(data, mesh_pixels=80)
    assert abs(np.median(found.level)) < 0.15
    assert np.abs(found.level).max() < 0.5
    assert np.median(found.rms) == pytest.approx(1, rel=0.06)


def test_noise_that_varies_is_followed() -> None:
    ramp = np.linspace(1, 4, 430, dtype=np.float32)
    found = estimate_background(noise() * ramp, mesh_pixels=80)
    assert found.rms[250, 60] == pytest.approx(ramp[60], rel=0.15)
    assert found.rms[250, 370] == pytest.approx(ramp[370], rel=0.15)


def test_noise_rises_where_a_bright_source_has_sidelobes_and_not_on_a_source() -> None:
    data = noise((480, 480))
    y, x = np.mgrid[:480, :480]
    near = np.hypot(y - 130, x - 130) < 25
    data[near] += 8 * np.sin(x[near] * 1.1)
    data[330:370, 330:370] += 20
    found = estimate_background(data, mesh_pixels=80)
    assert found.rms[130, 130] > 3
    assert found.rms[350, 350] < 1.3
    assert found.rms[240, 240] < 1.3


def test_noise_that_falls_faster_than_cells_follow_is_followed() -> None:
    y, x = np.mgrid[:500, :430]
    louder = 1 + 9 * np.minimum(np.hypot(y - 250, x - 215) / 250, 1) ** 2
    found = estimate_background(noise() * louder.astype(np.float32), mesh_pixels=80)
    assert found.rms[250, 215] < 1.9  # the cells around it have 3.0
    assert found.rms[60, 215] == pytest.approx(louder[60, 215], rel=0.25)


def test_emission_that_varies_within_cells_lowers_no_noise() -> None:
    white = np.random.default_rng(9).normal(size=(500, 430))
    waves = ndimage.gaussian_filter(white, 30, mode="wrap")
    plain = estimate_background(noise(), mesh_pixels=80)
    found = estimate_background(noise() + (3 * waves / waves.std()).astype(np.float32), mesh_pixels=80)
    assert np.median(found.rms) > 1.5  # of the cells; the parts alone would say 1
    assert np.mean(found.rms < 0.9 * plain.rms) < 0.02


def test_noise_that_jumps_is_followed_from_a_part_of_a_cell_on() -> None:
    data = noise()
    data[:, 240:] *= 4
    found = estimate_background(data, mesh_pixels=80)
    assert np.median(found.rms[:, 150:180]) == pytest.approx(1, rel=0.1)
    assert np.median(found.rms[:, 300:330]) == pytest.approx(4, rel=0.1)


def test_where_a_map_was_filled_with_zeros_the_noise_stays_what_it_is_beside() -> None:
    data = noise()
    data[:, :170] = 0
    found = estimate_background(data, mesh_pixels=80)
    assert np.median(found.rms[:, 250:]) == pytest.approx(1, rel=0.06)
    assert found.rms[:, 180:].min() > 0.5


def test_blank_borders_do_not_matter() -> None:
    data = noise()
    data[:, :170] = np.nan
    found = estimate_background(data, mesh_pixels=80)
    assert np.isfinite(found.level).all()
    assert np.median(found.rms) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("shape", [(12, 12), (50, 300)])
def test_small_maps_have_a_background_too(shape: tuple[int, int]) -> None:
    assert estimate_background(noise(shape), mesh_pixels=88).rms.shape == shape


@pytest.mark.parametrize("side", [40, 130])
def test_where_parts_are_few_or_small_chance_is_no_fall_of_the_noise(side: int) -> None:
    for seed in range(8):
        assert estimate_background(noise((side, side), seed), mesh_pixels=80).rms.min() > 0.75


def test_too_few_pixels_are_refused() -> None:
    data = np.full((60, 60), np.nan, dtype=np.float32)
    data[:3, :3] = 1.0
    with pytest.raises(InputError, match="cannot be measured"):
        estimate_background(data, mesh_pixels=40)


@pytest.mark.parametrize(("size", "overlap"), [(128, 32), (300, 0), (45, 10)])
def test_the_background_of_tiles_is_that_of_the_whole_map(tmp_path: Path, size: int, overlap: int) -> None:
    data = noise() * np.linspace(1, 3, 430, dtype=np.float32)
    data[:40] = np.nan
    data[100:140, 300:330] += 50
    path = save(data, tmp_path / "map.fits")
    whole = estimate_background(data, mesh_pixels=80)
    tiles = plan_tiles(data.shape, size=size, overlap=overlap)
    parts = [mesh_of_tile(path, tile, 80) for tile in reversed(tiles)]
    found = assemble_background(parts, data.shape, 80)
    np.testing.assert_array_equal(found.level, whole.level)
    np.testing.assert_array_equal(found.rms, whole.rms)


def test_the_medians_are_numpys() -> None:
    for size in (1, 2, 3, 40, 41, 1000):
        values = np.random.default_rng(size).normal(size=size)
        assert median(values) == np.median(values)
        assert median(values.astype(np.float32)) == np.median(values.astype(np.float32).astype(np.float64))
        np.testing.assert_array_equal(median(np.stack([values, -2 * values])), median(values) * [1, -2])


@pytest.mark.parametrize("n", [1, 2, 3, 10, 11, 400, 401])
def test_the_median_deviation_of_sorted_values_is_that_of_any(n: int) -> None:
    rng = np.random.default_rng(n)
    for values in (rng.normal(size=n), rng.integers(0, 4, n).astype(float)):
        for middle in (float(np.median(values)), 0.3, -9.0):
            expected = np.median(np.abs(values - middle))
            assert _median_deviation(np.sort(values), middle) == pytest.approx(expected, abs=1e-15)


def test_a_cell_is_about_twenty_beams_wide() -> None:
    assert mesh_size(4.3) == 88
    assert mesh_size(5.0) % 4 == 0
    assert mesh_size(1.0) == 32


def test_an_image_without_noise_is_refused() -> None:
    y, x = np.mgrid[:480, :430]
    model = sum(np.exp(-((x - at) ** 2 + (y - 200) ** 2) / 6.0) for at in (50, 180, 300))
    with pytest.raises(InputError, match=r"no noise.*reach 1.*not in a model of the sky"):
        estimate_background(model.astype(np.float32), mesh_pixels=80)


def test_noise_of_the_deepest_images_is_measured() -> None:
    data = noise() * np.float32(3e-7)
    data[200, 200] = 1
    assert np.median(estimate_background(data, mesh_pixels=80).rms) == pytest.approx(3e-7, rel=0.05)
