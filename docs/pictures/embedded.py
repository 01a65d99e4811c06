"""Draw ``embedded.png``: points on a shell and a halo, and what the finder makes of them.

Run it in this folder: ``python embedded.py``.
"""

import matplotlib

matplotlib.use("Agg")

import numpy as np
from astropy.wcs import WCS
from PIL import Image
from scipy import ndimage

from helikon.space.finder import find_sources
from helikon.space.fits import Beam, RadioMap
from helikon.space.measures.gaussians import FWHM
from helikon.space.model import load_model
from helikon.space.outputs.picture import draw

SIZE, BEAM, PIXEL, RMS = 512, 5.0, 2.0, 1e-5
N_POINTS, SEED = 60, 4


def main() -> None:
    """Draw the picture."""
    radio_map = sky(np.random.default_rng(SEED))
    figure = draw(find_sources(radio_map, load_model()), radio_map)
    figure.savefig("embedded.png", dpi=90)
    picture = Image.open("embedded.png").convert("RGB").quantize(240, method=Image.Quantize.MAXCOVERAGE)
    picture.save("embedded.png", optimize=True)


def sky(rng: np.random.Generator) -> RadioMap:
    """Make the map: a shell of 40 beams, a halo of 24, and points that know nothing of them."""
    y, x = np.indices((SIZE, SIZE), dtype=float)
    from_shell, from_halo = np.hypot(x - 180, y - 320) / 100, np.hypot(x - 370, y - 150) / 60
    thickness = np.sqrt(np.clip(1 - from_shell**2, 0, None)) - np.sqrt(np.clip(0.6 - from_shell**2, 0, None))
    data = 16 * thickness + 9 * np.exp(-(from_halo**2))
    for _ in range(N_POINTS):
        x0, y0 = rng.uniform(10, SIZE - 10, 2)
        peak = 10 ** rng.uniform(0.95, 2.0)
        data += peak * np.exp(-4 * np.log(2) * ((x - x0) ** 2 + (y - y0) ** 2) / BEAM**2)
    smooth = ndimage.gaussian_filter(rng.normal(size=data.shape), BEAM / FWHM / np.sqrt(2))
    data = RMS * (ndimage.gaussian_filter(data, 1) + smooth / smooth.std())
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---SIN", "DEC--SIN"], [83.6, 22.0]
    wcs.wcs.cdelt, wcs.wcs.crpix = [-PIXEL / 3600, PIXEL / 3600], [SIZE / 2, SIZE / 2]
    width = np.hypot(BEAM, FWHM) * PIXEL
    beam = Beam(major_arcsec=width, minor_arcsec=width)
    return RadioMap(
        data=data.astype(np.float32), wcs=wcs, beam=beam, pixel_arcsec=PIXEL, name="a shell and a halo"
    )


if __name__ == "__main__":
    main()
