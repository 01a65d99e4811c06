"""Made-up radio fields from a second hand: nothing here comes from ``helikon.space.skies``.

The recipe: an array layout through (u, v) coverage and Briggs' weighting to a
true PSF and a fitted clean beam; compact sources from Euclid-normalised counts;
extended ones from real galaxies, cleaned of noise with wavelets, turned and
zoomed; noise drawn in the (u, v) plane; gain errors on the 25 brightest
sources; what lies below 3.5 sigma left uncleaned. A finder that fits one
simulator alone shows here. Only numpy, scipy and astropy are used.
"""

import argparse
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from scipy import ndimage
from source_finding_sources import Source, draw_sources, templates
from source_finding_truth import label, local_noise
from source_finding_uv import ARRAYS, FWHM, Coverage, beam_image, cover, fit_beam, gains


def add(image: Any, stamp: Any, x0: int, y0: int) -> None:
    """Add a stamp where it overlaps the image."""
    y1, x1 = min(y0 + stamp.shape[0], image.shape[0]), min(x0 + stamp.shape[1], image.shape[1])
    if y1 > max(y0, 0) and x1 > max(x0, 0):
        image[max(y0, 0) : y1, max(x0, 0) : x1] += stamp[max(-y0, 0) : y1 - y0, max(-x0, 0) : x1 - x0]


def make_field(
    folder: Path,
    *,
    array: str,
    seed: int,
    size: int,
    split: str,
    layouts: Path,
    first: Path,
    beam: float | None = None,
) -> Path:
    """Make a field and write map, labels and truth to a folder; a beam is in pixels."""
    rng = np.random.default_rng([seed, 20261125])
    _, latitude, frequency, _, rms = ARRAYS[array]
    declination = latitude + rng.uniform(-25, 20)
    usual = rng.uniform(4.2, 6.0)
    coverage, pixel = observe(array, layouts, declination, beam or usual, size)
    psf = coverage.image(coverage.counts * coverage.weights)
    covariance = fit_beam(psf / psf[0, 0])
    sources = draw_sources(rng, size, pixel, rms, frequency, covariance, templates(first, split))
    middle = slice(size // 2, size // 2 + size)
    true, model = restored(sources, size, rms, covariance)
    artefacts = gain_errors(rng, coverage, sources, covariance, size) / psf[0, 0]
    artefacts = (artefacts + sidelobes(model, psf / psf[0, 0], covariance))[middle, middle]
    drawn = rng.normal(size=(2, len(coverage.kx)))
    noise = coverage.image((drawn[0] + 1j * drawn[1]) * np.sqrt(coverage.counts) * coverage.weights)
    true, noise = true[middle, middle], noise[middle, middle]
    image = true + artefacts + noise * (rms / noise.std())
    local = local_noise(image - true, FWHM * np.linalg.det(covariance) ** 0.25)
    rows, labels = label(sources, image, true, artefacts, local, covariance)
    header = make_header(size, pixel, covariance, declination, frequency, seed)
    return write(folder, image.astype(np.float32), header, rows, labels, local)


def observe(
    array: str, layouts: Path, declination: float, beam_pixels: float, size: int
) -> tuple[Coverage, float]:
    """Choose the pixel (radians) that samples the clean beam as wanted; the grid is twice the field."""
    pixel = np.radians(5 / 3600) * 0.4
    for _ in range(3):
        coverage = cover(array, layouts, declination, pixel, 1024)
        psf = coverage.image(coverage.counts * coverage.weights)
        covariance = fit_beam(psf / psf[0, 0])
        pixel *= FWHM * np.linalg.det(covariance) ** 0.25 / beam_pixels
    return cover(array, layouts, declination, pixel, 2 * size), pixel


def restored(sources: list[Source], size: int, rms: float, covariance: Any) -> tuple[Any, Any]:
    """Return the cleaned sky in Jy/beam, and what cleaning to 3.5 sigma leaves of it, in Jy/pixel."""
    n, off, low = 2 * size, size // 2, 3.5 * rms
    true, model = np.zeros((n, n), np.float32), np.zeros((n, n), np.float32)
    area = 2 * np.pi * math.sqrt(np.linalg.det(covariance))
    for x, y, peak, stamp, shape in sources:
        x0, y0 = round(x) - stamp.shape[1] // 2, round(y) - stamp.shape[0] // 2
        add(true, stamp * peak, x0 + off, y0 + off)
        if shape == "compact":
            model[(round(y) + off) % n, (round(x) + off) % n] += min(peak, low)
        else:
            add(model, np.minimum(stamp * peak, low) / area, x0 + off, y0 + off)
    return true, model


def gain_errors(rng: Any, coverage: Coverage, sources: list[Source], covariance: Any, size: int) -> Any:
    """Artefacts of the 25 brightest sources: gains of the whole field and of each direction are wrong."""
    wrong = np.zeros(len(coverage.kx), dtype=complex)
    n_antennas = int(coverage.antennas[1].max()) + 1
    area = 2 * np.pi * math.sqrt(np.linalg.det(covariance))
    common = gains(rng, coverage.shape[0], n_antennas)
    for x, y, peak, stamp, _ in sorted(sources, key=lambda one: -one[2] * one[3].sum())[:25]:
        own = 1 + 0.5 * (common - 1) + 0.85 * (gains(rng, coverage.shape[0], n_antennas) - 1)
        flux = peak * float(stamp.sum()) / area
        wrong += flux * coverage.errors(own) * coverage.ramp(x + size // 2, y + size // 2)
    return coverage.image(wrong)


def sidelobes(model: Any, psf: Any, covariance: Any) -> Any:
    """What was not cleaned has the PSF's sidelobes."""
    n = len(model)
    offset = (np.arange(n) + n // 2) % n - n // 2
    lobes = (psf - beam_image(covariance, *np.meshgrid(offset, offset))).astype(np.float32)
    return scipy.fft.irfft2(scipy.fft.rfft2(model) * scipy.fft.rfft2(lobes), s=(n, n))


def make_header(
    size: int, pixel: float, covariance: Any, declination: float, frequency: float, seed: int
) -> Any:
    """FITS header of a map, north up and east left."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN"]
    wcs.wcs.crval = [(seed * 7.3) % 360, declination]
    wcs.wcs.crpix = [size / 2 + 0.5] * 2
    wcs.wcs.cdelt = [-math.degrees(pixel), math.degrees(pixel)]
    header = wcs.to_header()
    values, vectors = np.linalg.eigh(covariance)
    major, minor = FWHM * math.degrees(pixel) * np.sqrt(values[::-1])
    header["BMAJ"], header["BMIN"] = major, minor
    header["BPA"] = math.degrees(math.atan2(-vectors[0, 1], vectors[1, 1])) % 180
    header["BUNIT"], header["RESTFRQ"], header["FREQ"] = "Jy/beam", frequency, frequency
    return header


def write(folder: Path, image: Any, header: Any, rows: Any, labels: Any, local: Any) -> Path:
    """Write ``map.fits``, ``labels.fits`` and, last, ``truth.vot``."""
    folder.mkdir(parents=True, exist_ok=True)
    fits.writeto(folder / "map.fits", image, header, overwrite=True)
    parts = [
        fits.CompImageHDU(labels, name="LABELS", compression_type="GZIP_1"),
        fits.CompImageHDU(local, name="LOCAL_RMS", compression_type="GZIP_1", quantize_level=0),
    ]
    fits.HDUList([fits.PrimaryHDU(), *parts]).writeto(folder / "labels.fits", overwrite=True)
    truth = Table(rows)
    truth["id"] = np.arange(1, len(rows) + 1, dtype=np.int32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sky = WCS(header)
    truth["ra"], truth["dec"] = sky.all_pix2world(truth["x"], truth["y"], 0)
    boxes = ndimage.find_objects(labels, max_label=len(rows))
    truth["bbox"] = [
        (0, 0, 0, 0) if b is None else (b[1].start, b[0].start, b[1].stop, b[0].stop) for b in boxes
    ]
    truth[[box is not None for box in boxes]].write(folder / "truth.vot", format="votable", overwrite=True)
    return folder


def main() -> None:
    """Make one field."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--array", choices=ARRAYS, default="askap")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--split", choices=("train", "validation", "test"), default="validation")
    parser.add_argument("--beam", type=float, help="pixels to a beam, instead of 4.2 to 6")
    parser.add_argument("--layouts", type=Path, required=True, help="folder with askap.txt and others")
    parser.add_argument("--first", type=Path, required=True, help="folder with maps of real galaxies")
    given = vars(parser.parse_args())
    make_field(given.pop("out"), **given)


if __name__ == "__main__":
    main()
