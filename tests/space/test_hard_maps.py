"""Maps that are hard: a right answer or a clear refusal."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from scipy import ndimage

from helikon.errors import InputError
from helikon.space.finder import FinderSettings, find_sources
from helikon.space.fits import Beam, RadioMap, read_map, write_map
from helikon.space.model import load_model

RMS, PIXEL = 1e-4, 2.0
Place = tuple[float, float]


def noise(shape: tuple[int, int], fwhm: float, seed: int = 4) -> np.ndarray:
    """Noise correlated as the beam is."""
    smooth = ndimage.gaussian_filter(
        np.random.default_rng(seed).normal(size=shape), fwhm / 2.355 / np.sqrt(2)
    )
    return RMS * smooth / smooth.std()


def source(shape: tuple[int, int], place: Place, peak: float, fwhm: float) -> np.ndarray:
    """A round Gaussian at (y, x)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    return peak * np.exp(-4 * np.log(2) * ((y - place[0]) ** 2 + (x - place[1]) ** 2) / fwhm**2)


def as_map(data: np.ndarray, fwhm: float = 5.0) -> RadioMap:
    """Pixels with a place on the sky and a beam of ``fwhm`` pixels."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---SIN", "DEC--SIN"], [150.0, -30.0]
    wcs.wcs.cdelt, wcs.wcs.crpix = [-PIXEL / 3600, PIXEL / 3600], [data.shape[1] / 2, data.shape[0] / 2]
    beam = Beam(major_arcsec=fwhm * PIXEL, minor_arcsec=fwhm * PIXEL)
    return RadioMap(data=data.astype(np.float32), wcs=wcs, beam=beam, pixel_arcsec=PIXEL)


def places(catalogue: QTable) -> set[Place]:
    """Positions (y, x) to ten pixels, artefacts left out."""
    real = catalogue[[str(name) != "spurious" for name in catalogue["class"]]]
    return {(round(float(row["y"].value), -1), round(float(row["x"].value), -1)) for row in real}


@pytest.mark.parametrize("shape", [(40, 40), (24, 130)])
@pytest.mark.parametrize("by_network", [False, True])
def test_tiny_maps(shape: tuple[int, int], by_network: bool) -> None:
    data = noise(shape, 5) + source(shape, (12, 20), 30 * RMS, 5)
    (row,) = find_sources(as_map(data), load_model() if by_network else None)
    assert row["x"].value == pytest.approx(20, abs=0.5)
    assert row["int_flux"].value == pytest.approx(30 * RMS, rel=0.15)


@pytest.mark.parametrize("fwhm", [2.0, 3.0, 12.0, 30.0])
def test_beams_of_two_to_thirty_pixels(fwhm: float) -> None:
    side = int(60 * max(fwhm, 4))
    true = [(side * i // 5 + 3, side * j // 5 + 2) for i in range(1, 5) for j in range(1, 5)]
    data = noise((side, side), fwhm)
    for place in true:
        data += source(data.shape, place, 12 * RMS, fwhm)
    catalogue = find_sources(as_map(data, fwhm), load_model())
    real = catalogue[[str(name) == "compact" for name in catalogue["class"]]]
    offsets = [np.hypot(real["y"].value - y, real["x"].value - x).min() for y, x in true]
    assert max(offsets) < 0.4 * fwhm
    assert len(catalogue) <= len(true) + 1
    assert np.median(real["int_flux"].value) == pytest.approx(12 * RMS, rel=0.1)


def test_blank_regions_and_borders_make_no_sources() -> None:
    shape = (300, 340)
    data = noise(shape, 5) + source(shape, (150, 200), 40 * RMS, 5) + source(shape, (150, 60), 40 * RMS, 5)
    data[:40] = data[:, :50] = data[100:200, 190:] = np.nan
    assert places(find_sources(as_map(data), None)) == {(150.0, 60.0)}


@pytest.mark.parametrize("seed", range(3))
def test_noise_that_grows_tenfold_across_a_mosaic_makes_no_sources(seed: int) -> None:
    shape = (600, 600)
    growth = np.linspace(1, 10, 600)
    data = noise(shape, 5, seed) * growth + source(shape, (300, 550), 10 * RMS * growth[550], 5)
    data[:, 580:] = np.nan
    found = find_sources(as_map(data), None, FinderSettings(seed_sigma=5.5))
    assert places(found) == {(300.0, 550.0)}
    assert found["local_rms"][0].value == pytest.approx(RMS * growth[550], rel=0.15)


def test_sources_in_a_negative_bowl_are_measured_above_it() -> None:
    shape = (700, 700)
    bowl = -4 * RMS * source(shape, (350, 350), 1.0, 400)
    data = (
        noise(shape, 5)
        + bowl
        + source(shape, (350, 350), 40 * RMS, 5)
        + source(shape, (350, 500), 9 * RMS, 5)
    )
    found = find_sources(as_map(data), None)
    assert places(found) == {(350.0, 350.0), (350.0, 500.0)}
    assert found["peak_flux"].value == pytest.approx([40 * RMS, 9 * RMS], rel=0.12)
    assert found["background"].value[0] < -2.5 * RMS


def save(path: Path, **cards: Any) -> Path:
    """Write a map of one source with other header cards; None removes a card."""
    shape = (120, 120)
    write_map(as_map(noise(shape, 5) + source(shape, (60, 40), 50 * RMS, 5)), path)
    with fits.open(path, mode="update") as hdus:
        for name, value in cards.items():
            if value is None:
                hdus[0].header.remove(name, ignore_missing=True)
            else:
                hdus[0].header[name] = value
    return path


def test_jansky_per_pixel_become_jansky_per_beam(tmp_path: Path) -> None:
    path = save(tmp_path / "map.fits", BUNIT="Jy/pixel")
    radio_map = read_map(path)
    (row,) = find_sources(radio_map, None)
    assert row["int_flux"].value == pytest.approx(50 * RMS * radio_map.beam_area_pixels, rel=0.1)


def test_a_map_without_its_beam_is_refused_with_what_to_type(tmp_path: Path) -> None:
    path = save(tmp_path / "map.fits", BMAJ=None, BMIN=None, BPA=None)
    with pytest.raises(InputError, match="--beam") as error:
        read_map(path)
    assert "\n" not in str(error.value)
