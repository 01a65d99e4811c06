"""A map of point sources and objects that cross the borders of its windows."""

from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS
from scipy import ndimage

from helikon.space.finder import FinderSettings
from helikon.space.fits import Beam, RadioMap, write_map

RMS, FWHM, PIXEL, SHAPE = 1e-4, 5.0, 2.0, (480, 600)
DISC, DISC_RADIUS = (390.0, 300.0), 55.0
ON_DISC = (412.0, 290.0), (400.0, 313.0)
"""y and x of points on the disc, on either side of where windows meet."""
SETTINGS = FinderSettings(window_pixels=300)


def gaussian(y0: float, x0: float, peak: float, tall: float = FWHM, wide: float = FWHM) -> np.ndarray:
    """A Gaussian along the axes."""
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return peak * np.exp(-4 * np.log(2) * (((y - y0) / tall) ** 2 + ((x - x0) / wide) ** 2))


def sky() -> np.ndarray:
    """Eighty points, a bar wider than any window, an object across four windows, a disc with points on it."""
    rng = np.random.default_rng(8)
    smooth = ndimage.gaussian_filter(rng.normal(size=SHAPE), FWHM / 2.355 / np.sqrt(2))
    data = RMS * smooth / smooth.std()
    for y, x, decades in zip(
        rng.uniform(5, SHAPE[0] - 5, 80),
        rng.uniform(5, SHAPE[1] - 5, 80),
        rng.uniform(0.9, 2.5, 80),
        strict=True,
    ):
        data += gaussian(y, x, RMS * 10**decades)
    data += gaussian(90, 300, 12 * RMS, 9, 260) + gaussian(260, 220, 15 * RMS, 50, 40)
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    disc = np.hypot(y - DISC[0], x - DISC[1]) < DISC_RADIUS
    data += 8 * RMS * ndimage.gaussian_filter(disc.astype(float), FWHM / 2.355)
    return data + sum(gaussian(*place, 40 * RMS) for place in ON_DISC)


@pytest.fixture(scope="session")
def map_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The map as a file."""
    path = tmp_path_factory.mktemp("survey") / "map.fits"
    write_map(as_map(sky()), path)
    return path


def as_map(data: np.ndarray) -> RadioMap:
    """Pixels with a place on the sky."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---SIN", "DEC--SIN"], [150.0, -30.0]
    wcs.wcs.cdelt, wcs.wcs.crpix = [-PIXEL / 3600, PIXEL / 3600], [SHAPE[1] / 2, SHAPE[0] / 2]
    beam = Beam(major_arcsec=FWHM * PIXEL, minor_arcsec=FWHM * PIXEL)
    return RadioMap(data=data.astype(np.float32), wcs=wcs, beam=beam, pixel_arcsec=PIXEL, name="map.fits")
