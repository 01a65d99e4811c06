"""The crop of the SKA Science Data Challenge 1 (560 MHz, 1000 h) as a field with its truth.

The challenge's own simulation: nobody's finder here was made on it. Columns of
its truth: id, right ascension and declination of the core and of the centroid
(deg), flux density (Jy), core fraction, major and minor axis (arcsec), position
angle (deg, clockwise from the map's first axis), size type (1 largest angular
size, 2 Gaussian FWHM, 3 exponential), class. Sources are drawn as Gaussians behind
the primary beam, on the flux scale of the map (0.83 of the truth's, by its
bright compact sources), and labelled with the rules of ``source_finding_fields.py``.
"""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy import ndimage
from source_finding_fields import add, write
from source_finding_truth import label, local_noise
from source_finding_uv import FWHM, beam_image

NAMES = {"image": "B1_1000h_0.3tr.fits", "truth": "truth_B1_0.3tr.cat", "beam": "PrimaryBeam_B1.fits"}
TO_FWHM = {1: 0.3, 2: 1.0, 3: 0.9}  # largest size and exponential scale to about a Gaussian's FWHM


def make_sdc1(cache: Path, folder: Path) -> Path:
    """Write map, labels and truth to the cache, if they are not there."""
    out = cache / "fields" / "sdc1"
    if (out / "truth.vot").exists():
        return out
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image, header = fits.getdata(folder / "images" / NAMES["image"], header=True)
        image, wcs = np.squeeze(image).astype(np.float32), WCS(header).celestial
        response = primary_beam(folder, wcs, image.shape)
    pixel = abs(header["CDELT2"])
    covariance = np.eye(2) * (header["BMAJ"] / pixel / FWHM) ** 2
    sources = draw(folder, wcs, response, pixel, covariance, image.shape)
    scale = flux_scale(sources, image)
    sources = [(x, y, scale * peak, stamp, shape) for x, y, peak, stamp, shape in sources]
    true = np.zeros_like(image)
    for x, y, peak, stamp, _ in sources:
        add(true, stamp * peak, round(x) - stamp.shape[1] // 2, round(y) - stamp.shape[0] // 2)
    local = local_noise(image - np.median(image), header["BMAJ"] / pixel)
    rows, labels = label(sources, image, true, np.zeros_like(image), local, covariance)
    clean = wcs.to_header()
    clean["BMAJ"], clean["BMIN"], clean["BPA"] = header["BMAJ"], header["BMIN"], 0.0
    clean["BUNIT"], clean["RESTFRQ"], clean["FREQ"] = "Jy/beam", header["CRVAL3"], header["CRVAL3"]
    return write(out, image, clean, rows, labels, local)


def flux_scale(sources: list[Any], image: Any) -> float:
    """Median of the map over the truth at bright compact sources."""
    bright = sorted((one for one in sources if one[4] == "compact"), key=lambda one: -one[2])[:400]
    ratio = [image[round(y), round(x)] / (peak * stamp[20, 20]) for x, y, peak, stamp, _ in bright]
    return float(np.median(ratio))


def primary_beam(folder: Path, wcs: Any, shape: tuple[int, int]) -> Any:
    """Response at each pixel of the crop."""
    data, header = fits.getdata(folder / "images" / NAMES["beam"], header=True)
    y, x = np.indices(shape)
    bx, by = WCS(header).celestial.all_world2pix(*wcs.all_pix2world(x, y, 0), 0)
    return ndimage.map_coordinates(np.squeeze(data).astype(float), [by, bx], order=1, mode="nearest")


def draw(folder: Path, wcs: Any, response: Any, pixel: float, covariance: Any, shape: Any) -> list[Any]:
    """Return (x, y, peak, image with a peak of one, shape) of all sources in the crop."""
    truth = np.loadtxt(folder / "cat" / NAMES["truth"])
    x, y = wcs.all_world2pix(truth[:, 3], truth[:, 4], 0)
    found = []
    for px, py, row in zip(x, y, truth, strict=True):
        if not (0 <= px < shape[1] - 1 and 0 <= py < shape[0] - 1):
            continue
        scale = TO_FWHM[int(row[10])] / FWHM / 3600 / pixel
        size = np.array([row[7], row[8]]) * scale
        turn = math.radians(row[9])
        axes = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        seen = covariance + axes @ np.diag(size**2) @ axes.T
        half = int(min(200, max(20, 4 * math.sqrt(np.trace(seen)))))
        yy, xx = np.mgrid[-half : half + 1, -half : half + 1]
        stamp = beam_image(seen, xx - (px - round(px)), yy - (py - round(py))).astype(np.float32)
        loss = math.sqrt(np.linalg.det(covariance) / np.linalg.det(seen))
        extended = size[0] > 0.5 * math.sqrt(covariance[0, 0])
        peak = row[5] * loss * float(response[round(py), round(px)])
        found.append((float(px), float(py), peak, stamp, "galaxy" if extended else "compact"))
    return found
