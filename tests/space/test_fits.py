"""Maps are read rightly, or refused in one line that says what was expected."""

import gzip
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from helikon.errors import InputError
from helikon.space.beam import Beam, parse_beam
from helikon.space.fits import open_map, read_map, write_map

BEAM_AREA = np.pi * 25 / (4 * np.log(2))
"""Of a beam of 10 arcsec on pixels of 2 arcsec, in pixels."""


def header(**changes: Any) -> fits.Header:
    cards = {
        "CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN", "CRVAL1": 150.0, "CRVAL2": -30.0,
        "CRPIX1": 16.5, "CRPIX2": 12.5, "CDELT1": -2 / 3600, "CDELT2": 2 / 3600,
        "CUNIT1": "deg", "CUNIT2": "deg", "RADESYS": "ICRS",
        "BUNIT": "Jy/beam", "BMAJ": 10 / 3600, "BMIN": 10 / 3600, "BPA": 0.0,
    } | changes  # fmt: skip
    return fits.Header([(key, value) for key, value in cards.items() if value is not None])


def pixels() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1e-3, (24, 32)).astype(np.float32)


def save(tmp_path: Path, data: np.ndarray | None = None, *, name: str = "map.fits", **changes: Any) -> Path:
    path = tmp_path / name
    data = pixels() if data is None else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits.PrimaryHDU(data, header(**changes)).writeto(path, output_verify="silentfix")
    return path


def one_line(error: pytest.ExceptionInfo[InputError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 330
    return text


def test_a_plain_map_comes_with_its_beam_pixel_and_place(tmp_path: Path) -> None:
    found = read_map(save(tmp_path, CTYPE3="FREQ", CRVAL3=1.4e9))
    np.testing.assert_array_equal(found.data, pixels())
    assert found.data.dtype == np.float32
    assert found.data.dtype.isnative
    assert found.beam == Beam(major_arcsec=10, minor_arcsec=10)
    assert found.pixel_arcsec == pytest.approx(2)
    assert found.beam_area_pixels == pytest.approx(BEAM_AREA)
    assert found.frequency_hz == 1.4e9
    assert found.wcs.naxis == 2
    assert found.notes == ()


@pytest.mark.parametrize("dtype", [">f4", "<f4", ">f8", "<f8"])
def test_byte_order_and_precision_do_not_matter(tmp_path: Path, dtype: str) -> None:
    np.testing.assert_allclose(read_map(save(tmp_path, pixels().astype(dtype))).data, pixels())


def test_integers_are_scaled_and_their_blanks_are_nan(tmp_path: Path) -> None:
    stored = np.arange(24 * 32, dtype=np.int16).reshape(24, 32)
    stored[3, 4] = -999
    path = save(tmp_path, stored)
    with fits.open(path, mode="update", do_not_scale_image_data=True) as hdus:
        hdus[0].header["BSCALE"], hdus[0].header["BZERO"], hdus[0].header["BLANK"] = 1e-5, 2e-3, -999
    found = read_map(path).data
    assert np.isnan(found[3, 4])
    assert np.isnan(found).sum() == 1
    assert found[0, 0] == pytest.approx(2e-3)
    assert found[0, 5] == pytest.approx(2e-3 + 5e-5)


def test_gzip_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "map.fits.gz"
    path.write_bytes(gzip.compress(save(tmp_path).read_bytes()))
    np.testing.assert_array_equal(read_map(path).data, pixels())


def test_rice_compression_is_opened_without_a_note(tmp_path: Path) -> None:
    path = tmp_path / "map.fits.fz"
    fits.CompImageHDU(pixels(), header(), compression_type="RICE_1", quantize_level=64).writeto(path)
    found = read_map(path)
    np.testing.assert_allclose(found.data, pixels(), atol=1e-4)
    assert found.notes == ()


def test_axes_of_length_one_are_dropped_with_a_note(tmp_path: Path) -> None:
    found = read_map(save(tmp_path, pixels()[None, None], CTYPE3="FREQ", CTYPE4="STOKES", CRVAL3=1.4e9))
    assert found.data.shape == (24, 32)
    assert found.notes == ("2 axes of length one were dropped",)
    assert found.frequency_hz == 1.4e9


def test_the_first_image_of_several_is_read_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "several.fits"
    images = [fits.ImageHDU(pixels() * factor, header()) for factor in (1, 2)]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    found = read_map(path)
    np.testing.assert_array_equal(found.data, pixels())
    assert found.notes == ("2 images in the file: HDU 1 was read",)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("JY/BEAM", 1), ("Jy beam-1", 1), ("mJy/beam", 1e-3), ("uJy/beam", 1e-6), ("Jy/pixel", BEAM_AREA)],
)
def test_units_become_jy_per_beam(tmp_path: Path, unit: str, factor: float) -> None:
    np.testing.assert_allclose(read_map(save(tmp_path, BUNIT=unit)).data, pixels() * factor, rtol=1e-5)


def test_a_missing_unit_is_jy_per_beam_with_a_note(tmp_path: Path) -> None:
    found = read_map(save(tmp_path, BUNIT=None))
    np.testing.assert_array_equal(found.data, pixels())
    assert found.notes == ("no BUNIT: taken as Jy/beam",)


def test_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_map(save(tmp_path, BUNIT="K"))
    assert "expected Jy/beam" in one_line(error)


def test_a_missing_beam_is_asked_for(tmp_path: Path) -> None:
    path = save(tmp_path, BMAJ=None, BMIN=None, BPA=None)
    with pytest.raises(InputError) as error:
        read_map(path)
    assert "--beam" in one_line(error)
    assert read_map(path, beam=parse_beam("9")).beam.major_arcsec == 9


def test_the_beam_is_found_in_the_history_of_aips(tmp_path: Path) -> None:
    path = save(tmp_path, BMAJ=None, BMIN=None, BPA=None)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["HISTORY"] = "AIPS   CLEAN BMAJ=  3.0000E-03 BMIN=  2.5000E-03 BPA=  12.00"
    beam = read_map(path).beam
    assert (beam.major_arcsec, beam.minor_arcsec, beam.position_angle_deg) == pytest.approx((10.8, 9.0, 12.0))


def test_the_beam_is_found_in_the_table_of_casa(tmp_path: Path) -> None:
    path = tmp_path / "casa.fits"
    columns = [
        fits.Column(name, "1E", unit=unit, array=[value])
        for name, unit, value in (("BMAJ", "arcsec", 8.0), ("BMIN", "arcsec", 7.0), ("BPA", "deg", 3.0))
    ]
    table = fits.BinTableHDU.from_columns(columns, name="BEAMS")
    image = fits.PrimaryHDU(pixels(), header(BMAJ=None, BMIN=None, BPA=None, CASAMBM=True))
    fits.HDUList([image, table]).writeto(path)
    assert read_map(path).beam.major_arcsec == pytest.approx(8.0)


@pytest.mark.parametrize("beam_arcsec", [1.5, 200.0])
def test_a_beam_that_does_not_fit_the_map_is_refused(tmp_path: Path, beam_arcsec: float) -> None:
    with pytest.raises(InputError) as error:
        read_map(save(tmp_path, BMAJ=beam_arcsec / 3600, BMIN=beam_arcsec / 3600))
    assert "--beam" in one_line(error)


def test_a_badly_sampled_beam_is_noted(tmp_path: Path) -> None:
    (note,) = read_map(save(tmp_path), beam=parse_beam("3")).notes
    assert "1.5 pixels" in note


@pytest.mark.parametrize("text", ["", "x", "1,2", "-3", "nan", "3,5,0"])
def test_what_is_no_beam_is_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse_beam(text)
    assert "MAJOR,MINOR,PA" in one_line(error)


def test_a_cube_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_map(save(tmp_path, np.zeros((3, 24, 32), dtype=np.float32)))
    assert "is a cube" in one_line(error)
    assert "32 x 24 x 3" in str(error.value)


def test_a_file_that_is_no_fits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.fits"
    path.write_text("I am no FITS file.\n" * 400)
    with pytest.raises(InputError) as error:
        read_map(path)
    assert one_line(error) == (
        "map.fits cannot be read as FITS: got no FITS header, expected a whole FITS file with an image"
    )


def test_an_empty_file_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "map.fits").touch()
    with pytest.raises(InputError, match="an empty file"):
        read_map(tmp_path / "map.fits")
    with pytest.raises(InputError, match="no file"):
        read_map(tmp_path / "nothing.fits")


@pytest.mark.parametrize("kept", [100, 3000, 4000])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = save(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError) as error:
        read_map(path)
    assert "whole FITS file" in one_line(error)


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.fits.gz"
    path.write_bytes(gzip.compress(save(tmp_path).read_bytes())[:1500])
    with pytest.raises(InputError, match="whole FITS file"):
        read_map(path)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.full((24, 32), np.nan, dtype=np.float32), "blank pixels only"),
        (np.full((24, 32), 3.0, dtype=np.float32), "the value 3 in every pixel"),
        (np.zeros((24, 32), dtype=np.float32), "blank pixels only"),
        (np.full((96, 96), 3.0, dtype=np.float32), "one value that fills it"),
    ],
)
def test_a_map_without_an_image_is_refused(tmp_path: Path, data: np.ndarray, says: str) -> None:
    with pytest.raises(InputError) as error:
        read_map(save(tmp_path, data))
    assert says in one_line(error)


def test_a_map_of_no_pixels_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path)
    text = path.read_bytes()
    path.write_bytes(text.replace(b"NAXIS1  =                   32", b"NAXIS1  =                    0"))
    with pytest.raises(InputError) as error:
        read_map(path)
    assert "expected" in one_line(error)


def test_a_table_without_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.fits"
    fits.BinTableHDU.from_columns([fits.Column("a", "1E", array=[1.0])]).writeto(path)
    with pytest.raises(InputError, match="holds no image"):
        read_map(path)


@pytest.mark.parametrize(
    "types", [(None, None), ("LINEAR", "LINEAR"), ("RA---SIN", None), ("DEC--SIN", "RA---SIN")]
)
def test_a_map_without_a_place_on_the_sky_is_refused(tmp_path: Path, types: tuple[Any, Any]) -> None:
    with pytest.raises(InputError) as error:
        read_map(save(tmp_path, CTYPE1=types[0], CTYPE2=types[1]))
    assert "expected longitude and latitude" in one_line(error)


def test_oblong_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected square pixels"):
        read_map(save(tmp_path, CDELT2=3 / 3600))


def test_odd_dates_and_cards_make_no_warning(tmp_path: Path) -> None:
    path = save(tmp_path)
    card = b"DATE-OBS= '31/12/99'".ljust(80)
    path.write_bytes(path.read_bytes().replace(b"RADESYS = 'ICRS    '".ljust(80), card))
    assert read_map(path).data.shape == (24, 32)


def test_zeros_around_a_mosaic_are_blank(tmp_path: Path) -> None:
    data = pixels()
    data[:, :5] = 0
    assert np.isnan(read_map(save(tmp_path, data)).data[:, :5]).all()


@pytest.mark.parametrize("fill", [1.0, -1.0, 1e-30, -32768.0, 1e30])
def test_what_fills_a_part_of_a_map_is_blank_in_the_map_and_in_its_windows(
    tmp_path: Path, fill: float
) -> None:
    data = np.random.default_rng(3).normal(0, 1, (96, 128)).astype(np.float32)
    data[:, :40] = data[50:70, 90:99] = data[5, 120] = fill
    path = save(tmp_path, data)
    expected = np.where(data == np.float32(fill), np.nan, data)
    np.testing.assert_array_equal(read_map(path).data, expected)
    with open_map(path) as file:
        np.testing.assert_array_equal(file.window(slice(3, 70), slice(8, 60)), expected[3:70, 8:60])


def test_a_map_of_few_levels_is_no_fill(tmp_path: Path) -> None:
    data = 1e-4 * (np.random.default_rng(3).normal(0, 1, (200, 200)).round() + 7).astype(np.float32)
    assert np.isfinite(read_map(save(tmp_path, data)).data).all()


def test_windows_of_a_file_are_those_of_the_map(tmp_path: Path) -> None:
    path = save(tmp_path, pixels()[None], BUNIT="mJy/beam", CTYPE3="FREQ", CRVAL3=1e9)
    with open_map(path) as file:
        window = file.window(slice(4, 9), slice(10, 30))
    np.testing.assert_array_equal(window, read_map(path).data[4:9, 10:30])


def test_a_written_map_is_read_back(tmp_path: Path) -> None:
    first = read_map(save(tmp_path, CTYPE3="FREQ", CRVAL3=1.4e9), beam=parse_beam("11,9,30"))
    write_map(first, tmp_path / "again.fits")
    again = read_map(tmp_path / "again.fits")
    np.testing.assert_array_equal(again.data, first.data)
    assert again.beam.major_arcsec == pytest.approx(11)
    assert again.beam.position_angle_deg == pytest.approx(30)
    assert again.frequency_hz == 1.4e9
    assert again.wcs.pixel_to_world(0, 0).separation(first.wcs.pixel_to_world(0, 0)).arcsec < 1e-6
    assert [path.name for path in tmp_path.glob("*again*")] == ["again.fits"]
