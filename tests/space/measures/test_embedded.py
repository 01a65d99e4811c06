"""Points on wide emission are sources of their own, and what is beneath them is measured without them."""

import numpy as np
import pytest
from astropy.table import QTable
from astropy.wcs import WCS
from scipy import ndimage

from helikon.space.detect import find_pieces
from helikon.space.finder import find_sources
from helikon.space.fits import Beam, RadioMap
from helikon.space.measures.embedded import find_embedded
from helikon.space.measures.gaussians import FWHM, evaluate, form_of_ellipse
from helikon.space.model import load_model

SIZE, BEAM, PIXEL = 256, 5.0, 2.0
MIDDLE = 127.0
ROUND = form_of_ellipse(BEAM, BEAM, 0.0)


def noise() -> np.ndarray:
    rng = np.random.default_rng(5)
    smooth = ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), BEAM / FWHM / np.sqrt(2), mode="wrap")
    return smooth / smooth.std()


def point(peak: float, dx: float, dy: float, form: tuple[float, float, float] = ROUND) -> np.ndarray:
    """A point, offsets from the middle in pixels."""
    y, x = np.indices((SIZE, SIZE), dtype=float)
    return evaluate(np.array([[peak, MIDDLE + dx, MIDDLE + dy, *form]]), x, y)


def disc(level: float, radius: float) -> np.ndarray:
    """A disc around the middle, seen with the beam."""
    y, x = np.indices((SIZE, SIZE), dtype=float)
    inside = (np.hypot(x - MIDDLE, y - MIDDLE) < radius).astype(float)
    return level * ndimage.gaussian_filter(inside, BEAM / FWHM)


def bar(level: float, length: float, width: float) -> np.ndarray:
    return point(level, 0, 0, form_of_ellipse(length, width, 0.3))


def places(data: np.ndarray, form: tuple[float, float, float] = ROUND, beam: float = BEAM) -> list[tuple]:
    """Offsets from the middle of the points on the one wide source of a map whose noise is 1."""
    image = data.astype(np.float32)
    pieces = find_pieces(image, seed_sigma=5, flood_sigma=3, beam_fwhm_pixels=beam)
    found = find_embedded(
        image,
        np.ones_like(image),
        image,
        pieces,
        np.unique(pieces.island, return_inverse=True)[1],
        np.ones(int(pieces.island.max()), dtype=bool),
        np.zeros(int(pieces.island.max()), dtype=bool),
        form=form,
        beam_fwhm_pixels=beam,
        seed_sigma=5,
        flood_sigma=3,
    )
    return [] if found is None else list(zip(found.x - MIDDLE, found.y - MIDDLE, strict=True))


@pytest.mark.parametrize("peak", [9.0, 30.0, 120.0])
@pytest.mark.parametrize("level", [6.0, 15.0])
def test_a_point_on_even_ground_stands_on_it(peak: float, level: float) -> None:
    ((x, y),) = places(noise() + disc(level, 50) + point(peak, 10, -6))
    assert (x, y) == pytest.approx((10, -6), abs=1.5)


def test_the_ground_alone_has_no_points() -> None:
    assert places(noise() + disc(10, 50)) == []


@pytest.mark.parametrize("seed", range(6))
def test_knots_of_the_ground_are_its_own(seed: int) -> None:
    texture = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(SIZE, SIZE)), 0.6 * BEAM)
    assert places(noise() + disc(12, 60) * (1 + 0.35 * texture / texture.std())) == []


@pytest.mark.parametrize(
    "sky",
    [
        point(60, 0, 0),
        bar(20, 60, 10) + point(60, 0, 0),
        bar(20, 60, 10) + point(60, 22, 6),
        disc(10, 14) + point(60, 0, 0),
        disc(10, 50) + point(60, 48, 0),
        disc(10, 50) + point(40, 0, 0, form_of_ellipse(14, 14, 0.0)),
    ],
    ids=["alone", "core of a jet", "hot spot", "halo of three beams", "on the rim", "three beams wide"],
)
def test_what_belongs_to_a_galaxy_does_not(sky: np.ndarray) -> None:
    assert places(noise() + sky) == []


def test_two_points_near_each_other_are_one_at_most() -> None:
    assert len(places(noise() + disc(10, 50) + point(60, 0, 0) + point(50, 6, 0))) <= 1


def test_beams_that_are_not_round() -> None:
    form = form_of_ellipse(10, 4, 0.6)
    y, x = np.indices((SIZE, SIZE), dtype=float)
    ground = 12 * np.exp(-(((x - MIDDLE) ** 2 + (y - MIDDLE) ** 2) / 2 / 60**2))
    smooth = noise()
    ((dx, dy),) = places(smooth + ground + point(40, 8, 3, form), form, np.sqrt(40))
    assert (dx, dy) == pytest.approx((8, 3), abs=2)


@pytest.fixture(scope="module", params=["shape", "network"])
def catalogue(request: pytest.FixtureRequest) -> QTable:
    """What is found of a disc of 10 sigma with three points of 50 on it and one beside it."""
    data = noise() + disc(10, 50) + point(50, 12, 20) + point(50, -18, -9) + point(50, 15, -22)
    data = 1e-4 * (data + point(50, 95, 95))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---SIN", "DEC--SIN"], [150.0, -30.0]
    wcs.wcs.cdelt, wcs.wcs.crpix = [-PIXEL / 3600, PIXEL / 3600], [SIZE / 2, SIZE / 2]
    beam = Beam(major_arcsec=BEAM * PIXEL, minor_arcsec=BEAM * PIXEL)
    radio_map = RadioMap(data=data.astype(np.float32), wcs=wcs, beam=beam, pixel_arcsec=PIXEL, name="disc")
    return find_sources(radio_map, load_model() if request.param == "network" else None)


def near(catalogue: QTable, dx: float, dy: float) -> QTable:
    x, y = catalogue["x"].value - MIDDLE - dx, catalogue["y"].value - MIDDLE - dy
    rows = np.flatnonzero(np.hypot(x, y) < 1)
    assert len(rows) == 1
    return catalogue[rows[0]]


def test_points_have_their_own_flux_densities_and_say_what_they_stand_on(catalogue: QTable) -> None:
    for offset in ((12, 20), (-18, -9), (15, -22)):
        row = near(catalogue, *offset)
        assert row["class"] == "compact"
        assert "embedded" in str(row["flags"])
        assert row["int_flux"].value == pytest.approx(50e-4, rel=0.06)
        assert row["peak_flux"].value == pytest.approx(50e-4, rel=0.06)
        assert row["background"].value == pytest.approx(10e-4, abs=2.5e-4)
    assert "embedded" not in str(near(catalogue, 95, 95)["flags"])


def test_the_ground_is_measured_without_the_points(catalogue: QTable) -> None:
    wide = catalogue[np.argmax(catalogue["las"])]
    beam_area = np.pi / 4 / np.log(2) * BEAM**2
    assert wide["class"] == "extended"
    assert wide["int_flux"].value == pytest.approx(10e-4 * np.pi * 50**2 / beam_area, rel=0.05)
    assert wide["peak_flux"].value < 16e-4
    assert len(catalogue) == 5
