"""Maps are read rightly, or refused in one line that says what was expected."""

import gzip
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

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


@pytest.mark.parametrize("place", [(0, 3), (0, 2), (2, 3)])
def test_axes_of_length_one_are_dropped_wherever_they_are(tmp_path: Path, place: tuple[int, ...]) -> None:
    data = np.expand_dims(pixels(), place)
    x, y = sorted(set(range(4)) - {3 - axis for axis in place})
    others = iter(("FREQ", "STOKES"))
    cards: dict[str, Any] = {
        f"{key}{number}": None for key in ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CUNIT") for number in (1, 2)
    }
    for axis in range(4):
        old = {x: 1, y: 2}.get(axis)
        if old is None:
            cards |= {f"CTYPE{axis + 1}": next(others), f"CRVAL{axis + 1}": 1e9}
        for key in ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CUNIT") if old else ():
            cards[f"{key}{axis + 1}"] = header()[f"{key}{old}"]
    path = save(tmp_path, data, **cards)
    found = read_map(path)
    np.testing.assert_array_equal(found.data, pixels())
    assert found.wcs.wcs_pix2world(15.5, 11.5, 0) == pytest.approx((150.0, -30.0))
    with open_map(path) as file:
        np.testing.assert_array_equal(file.window(slice(3, 9), slice(5, 20)), pixels()[3:9, 5:20])


def test_a_picture_that_is_none_of_the_sky_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "thumbnail.fits"
    fits.HDUList([fits.PrimaryHDU(np.ones((10, 10))), fits.ImageHDU(pixels(), header())]).writeto(path)
    found = read_map(path)
    np.testing.assert_array_equal(found.data, pixels())
    assert found.notes == ("2 images in the file: HDU 1 was read",)


def spectrum(shape: tuple[int, int]) -> fits.ImageHDU:
    return fits.ImageHDU(np.ones(shape), fits.Header([("CTYPE1", "FREQ-LSR"), ("CTYPE2", "STOKES")]))


@pytest.mark.parametrize(
    ("images", "says"),
    [
        ([spectrum((8, 9)), spectrum((9, 8))], "CTYPE 'FREQ-LSR' and 'STOKES' in HDU 1"),
        ([spectrum((8, 9)), fits.ImageHDU(np.ones((3, 8, 9)), header())], "is a cube: got axes of 9 x 8 x 3"),
        ([fits.ImageHDU(np.ones((8, 9, 1)), header())], "1 x 9 x 8 pixels (RA---SIN is axis 1, DEC--SIN is"),
        ([fits.ImageHDU(np.ones((1, 9)), header())], "expected longitude and latitude longer than one pixel"),
    ],
)
def test_files_without_a_flat_image_of_the_sky_are_refused(
    tmp_path: Path, images: list[fits.ImageHDU], says: str
) -> None:
    path = tmp_path / "odd.fits"
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    with pytest.raises(InputError) as error:
        read_map(path)
    assert says in one_line(error)


def test_an_image_of_something_else_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "spectrum.fits"
    fits.HDUList([fits.PrimaryHDU(), spectrum((8, 9)), fits.ImageHDU(pixels(), header())]).writeto(path)
    np.testing.assert_array_equal(read_map(path).data, pixels())


@pytest.mark.parametrize("algorithm", ["RICE_1", "GZIP_2"])
def test_compressed_pixels_that_are_broken_are_refused_when_they_are_read(
    tmp_path: Path, algorithm: str
) -> None:
    path = tmp_path / "broken.fits.fz"
    fits.CompImageHDU(pixels(), header(), compression_type=algorithm, quantize_level=16).writeto(path)
    with fits.open(path, disable_image_compression=True) as hdus:
        start = hdus[1].fileinfo()["datLoc"] + hdus[1].header["NAXIS1"] * hdus[1].header["NAXIS2"]
    content = bytearray(path.read_bytes())
    content[start : start + 400] = b"\xff" * 400
    path.write_bytes(content)
    with open_map(path) as file, pytest.raises(InputError, match="cannot be read as FITS") as error:
        file.window(slice(0, 9), slice(0, 9))
    assert "whole FITS file" in one_line(error)


def test_what_goes_wrong_with_an_open_map_is_not_said_of_its_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="something else"), open_map(save(tmp_path)):
        raise ValueError("something else")


@pytest.mark.parametrize(("projection", "declination"), [("CAR", 60.0), ("CAR", -45.0), ("MER", 45.0)])
def test_pixels_are_as_large_as_they_are_on_the_sky(
    tmp_path: Path, projection: str, declination: float
) -> None:
    names = {"CTYPE1": f"RA---{projection}", "CTYPE2": f"DEC--{projection}", "CRVAL1": 20.0, "CRVAL2": 0.0}
    wcs = WCS(header(**names))
    row = float(wcs.all_world2pix(20.0, declination, 1)[1])
    found = read_map(save(tmp_path, **names, CRPIX2=12.5 - row + wcs.wcs.crpix[1]))
    narrow = 2 * np.cos(np.radians(declination))
    assert found.pixel_arcsec == pytest.approx(
        narrow if projection == "MER" else np.sqrt(2 * narrow), rel=1e-3
    )


@pytest.mark.parametrize("turned_by", [0.0, 45.0])
def test_pixels_that_are_oblong_on_the_sky_are_said_to_be(tmp_path: Path, turned_by: float) -> None:
    centre = {"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR", "CRVAL1": 20.0, "CRVAL2": 0.0, "CROTA2": turned_by}
    wcs = WCS(header(**centre))
    x, y = wcs.all_world2pix(20.0, 60.0, 1)
    crpix = {"CRPIX1": 16.5 - x + wcs.wcs.crpix[0], "CRPIX2": 12.5 - y + wcs.wcs.crpix[1]}
    found = read_map(save(tmp_path, **centre, **crpix))
    assert found.pixel_arcsec == pytest.approx(np.sqrt(2), rel=1e-3)
    assert found.notes == ("pixels of 2 by 1 arcsec on the sky: extents are less sure",)


@pytest.mark.parametrize("projection", ["SIN", "TAN", "ZEA", "STG", "ARC"])
def test_pixels_near_the_reference_have_the_size_in_the_header(tmp_path: Path, projection: str) -> None:
    cards = {"CTYPE1": f"RA---{projection}", "CTYPE2": f"DEC--{projection}", "CRPIX1": 16.5 + 1800}
    path = save(tmp_path, **cards)
    found = read_map(path)
    assert found.pixel_arcsec == pytest.approx(2, rel=1e-12)
    assert found.notes == ()


def test_pixels_that_the_projection_stretches_too_much_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, CTYPE1="RA---CAR", CTYPE2="DEC--CAR", CRVAL2=0.0, CRPIX2=12.5 - 75 * 1800)
    with pytest.raises(InputError) as error:
        read_map(path)
    assert "not square" in one_line(error)
    assert "reproject" in one_line(error)


def test_a_place_where_the_projection_is_not_defined_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_map(save(tmp_path, CRPIX1=16.5 + 100 * 1800))
    assert "no usable sky coordinates at its centre" in one_line(error)


@pytest.mark.parametrize(
    ("projection", "says"),
    [
        ("NCP", "blows up on the equator"),
        ("TPV", "at its centre: got no place on the sky there from RA---TPV"),
    ],
)
def test_a_projection_that_gives_no_place_is_named(tmp_path: Path, projection: str, says: str) -> None:
    path = save(tmp_path, CTYPE1=f"RA---{projection}", CTYPE2=f"DEC--{projection}", CRVAL2=0.0)
    with pytest.raises(InputError) as error:
        read_map(path)
    assert "has no usable sky coordinates" in one_line(error)
    assert says in str(error.value)
    assert f"RA---{projection}" in str(error.value)


@pytest.mark.parametrize(
    ("cards", "sizes", "note"),
    [
        ({"BMIN": None, "BPA": 20.0}, (10, 10, 20), "no BMIN: the beam is taken as round"),
        ({"BMIN": 14 / 3600, "BPA": 20.0}, (14, 10, 110), "BMIN is larger than BMAJ"),
        ({"BMIN": "0.004", "BPA": 120.0}, (14.4, 10, 30), "BMIN is larger than BMAJ"),
    ],
)
def test_what_is_assumed_of_the_beam_is_said(
    tmp_path: Path, cards: dict[str, Any], sizes: tuple[float, ...], note: str
) -> None:
    found = read_map(save(tmp_path, **cards))
    beam = found.beam
    assert (beam.major_arcsec, beam.minor_arcsec, beam.position_angle_deg) == pytest.approx(sizes)
    assert len(found.notes) == 1
    assert found.notes[0].startswith(note)
    assert read_map(save(tmp_path, name="given.fits", **cards), beam=parse_beam("9")).notes == ()


def test_the_beam_is_found_in_the_primary_header(tmp_path: Path) -> None:
    path = tmp_path / "extension.fits"
    first = fits.PrimaryHDU(header=header())
    fits.HDUList([first, fits.ImageHDU(pixels(), header(BMAJ=None, BMIN=None, BPA=None))]).writeto(path)
    found = read_map(path)
    assert found.beam == Beam(major_arcsec=10, minor_arcsec=10)
    assert found.notes == ("the beam is that of the primary header",)
    assert read_map(path, beam=parse_beam("9")).notes == ()


def test_the_first_image_of_several_is_read_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "several.fits"
    images = [fits.ImageHDU(pixels() * factor, header()) for factor in (1, 2)]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    found = read_map(path)
    np.testing.assert_array_equal(found.data, pixels())
    assert found.notes == ("2 images in the file: HDU 1 was read",)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("JY/BEAM", 1),
        ("Jy beam-1", 1),
        ("Jy.beam**-1", 1),
        ("Jy*beam^-1", 1),
        ("Jy beam**(-1)", 1),
        ("beam-1 Jy", 1),
        ("BEAM-1.UJY", 1e-6),
        ("10**-3 Jy/beam", 1e-3),
        ("pix-1 Jy", BEAM_AREA),
        ("mJy/beam", 1e-3),
        ("uJy/beam", 1e-6),
        ("Jy/pixel", BEAM_AREA),
    ],
)
def test_units_become_jy_per_beam(tmp_path: Path, unit: str, factor: float) -> None:
    np.testing.assert_allclose(read_map(save(tmp_path, BUNIT=unit)).data, pixels() * factor, rtol=1e-5)


def test_a_capital_m_is_milli_and_said_to_be(tmp_path: Path) -> None:
    found = read_map(save(tmp_path, BUNIT="MJy/beam"))
    np.testing.assert_allclose(found.data, pixels() * 1e-3, rtol=1e-5)
    assert found.notes == ("MJy/beam taken as milli, not mega, and turned to Jy/beam",)


def test_a_missing_unit_is_jy_per_beam_with_a_note(tmp_path: Path) -> None:
    found = read_map(save(tmp_path, BUNIT=None))
    np.testing.assert_array_equal(found.data, pixels())
    assert found.notes == ("no BUNIT: taken as Jy/beam",)


@pytest.mark.parametrize("unit", ["K", "Jy", "MJy/sr", "Jy*beam", "beam Jy**-1", "counts"])
def test_an_unknown_unit_is_refused(tmp_path: Path, unit: str) -> None:
    with pytest.raises(InputError) as error:
        read_map(save(tmp_path, BUNIT=unit))
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


@pytest.mark.parametrize("step", [0.02, 0.3, 1.0])
def test_zeros_of_a_map_in_steps_are_values(tmp_path: Path, step: float) -> None:
    noise = np.random.default_rng(2).normal(size=(200, 300))
    data = (step * np.rint(noise / step)).astype(np.float32)
    assert np.isfinite(read_map(save(tmp_path, data)).data).all()
    data[:, :40] = 0
    blank = np.isnan(read_map(save(tmp_path, data, name="part.fits")).data)
    assert blank[:, :40].all()


def test_lone_zeros_are_values_and_patches_of_them_blank(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    data = rng.normal(size=(200, 300)).astype(np.float32)
    scattered = np.where(rng.random(data.shape) < 0.05, np.float32(0), data)
    assert np.isfinite(read_map(save(tmp_path, scattered)).data).all()
    data[60:90, 100:180] = data[0] = data[:, -1] = 0
    np.testing.assert_array_equal(np.isnan(read_map(save(tmp_path, data, name="part.fits")).data), data == 0)


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
