"""Windows and overviews of a map in a file have their place on the sky."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from helikon.space import maps
from helikon.space.fits import Beam, RadioMap, open_map, read_map, write_map

SHAPE = (310, 451)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    data = np.random.default_rng(2).normal(size=SHAPE).astype(np.float32)
    data[:9, :9] = np.nan
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---SIN", "DEC--SIN"], [10, 20], [-0.001, 0.001]
    beam = Beam(major_arcsec=14.4, minor_arcsec=14.4)
    write_map(RadioMap(data=data, wcs=wcs, beam=beam, pixel_arcsec=3.6), tmp_path / "map.fits")
    return tmp_path / "map.fits"


def test_a_window_is_a_map_of_its_own(path: Path) -> None:
    with open_map(path) as file:
        window = file.window_map(slice(100, 180), slice(30, 90))
        there = file.wcs.pixel_to_world(35, 110)
    np.testing.assert_array_equal(window.data, read_map(path).data[100:180, 30:90])
    assert window.wcs.pixel_to_world(5, 10).separation(there).arcsec < 1e-6
    assert window.pixel_arcsec == pytest.approx(3.6)


def test_windows_of_a_compressed_file_are_the_same(path: Path, tmp_path: Path) -> None:
    packed = tmp_path / "map.fits.fz"
    with fits.open(path) as hdus:
        compressed = fits.CompImageHDU(
            hdus[0].data, hdus[0].header, compression_type="GZIP_2", quantize_level=0
        )
        compressed.writeto(packed)
    with open_map(packed) as file:
        window = file.window(slice(100, 180), slice(30, 90))
    np.testing.assert_array_equal(window, read_map(path).data[100:180, 30:90])


@pytest.mark.parametrize("strip", [1, 5000, 1 << 22])
def test_an_overview_is_the_mean_of_blocks_however_it_is_read(
    path: Path, strip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "STRIP_PIXELS", strip)
    with open_map(path) as file:
        small = file.overview(151)
        there = file.wcs.pixel_to_world(3 * 20 + 1, 3 * 40 + 1)
    data = read_map(path).data
    assert small.data.shape == (104, 151)
    assert small.data[40, 20] == pytest.approx(data[120:123, 60:63].mean(), abs=1e-6)
    assert small.data[103, 150] == pytest.approx(data[309:, 450:].mean(), abs=1e-6)
    assert np.isnan(small.data[:3, :3]).all()
    assert small.wcs.pixel_to_world(20, 40).separation(there).arcsec < 1e-6
    assert small.pixel_arcsec == pytest.approx(10.8)
    assert small.beam_fwhm_pixels == pytest.approx(14.4 / 10.8)


def test_the_overview_of_a_small_map_is_the_map(path: Path) -> None:
    with open_map(path) as file:
        np.testing.assert_array_equal(file.overview(451).data, read_map(path).data)
