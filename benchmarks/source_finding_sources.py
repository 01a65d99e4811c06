"""The sources of a field of ``source_finding_fields.py``: counts, and real galaxies without their noise."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft
from astropy.io import fits
from scipy import ndimage
from source_finding_uv import FWHM, beam_image

# log10 S/Jy and log10 S^2.5 dN/dS (Jy^1.5 / sr) at 1.4 GHz, read off published compilations
COUNTS = np.array(
    [
        (-5, -4.3, -3.7, -3, -2.5, -2, -1.5, -1, -0.5, 0),
        (0.25, 0.6, 0.72, 0.86, 1.17, 1.57, 1.95, 2.3, 2.48, 2.52),
    ]
)
ALL = np.ones((3, 3))
Source = tuple[float, float, float, Any, str]
"""x, y, peak, image with a peak of one, shape."""


def draw_fluxes(rng: Any, area_sr: float, least: float, most: float, frequency: float) -> Any:
    """Draw flux densities (Jy) of all sources in an area from the counts."""
    s = np.geomspace(least, most, 4000)
    at_1400 = s * (1.4e9 / frequency) ** -0.75
    rate = 10 ** np.interp(np.log10(at_1400), *COUNTS) * at_1400**-2.5 * (at_1400 / s)
    total = np.concatenate([[0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(s))]) * area_sr
    return np.interp(rng.uniform(0, total[-1], rng.poisson(total[-1])), total, s)


def split_of(right_ascension: float) -> str:
    """Blocks of three degrees go together: 70 % train, 15 % validation, 15 % test."""
    place = int(right_ascension % 360 // 3) * 0.6180339887498949 % 1
    return "train" if place < 0.7 else "validation" if place < 0.85 else "test"


def templates(folder: Path, split: str) -> list[tuple[Any, float]]:
    """Real galaxies of a split without their noise: images with a peak of one, and their S/N."""
    found = []
    for path in sorted(folder.glob("*.fits*")):
        _, place, _, extent = path.name.split(".fits")[0].split("_")
        if split_of(float(place[:7])) == split:
            size = float(extent.strip('"')) if extent.strip('"').replace(".", "").isdigit() else 60.0
            found.append(clean_galaxy(path, size or 60.0))
    return [one for one in found if one is not None]


def clean_galaxy(path: Path, extent: float) -> tuple[Any, float] | None:
    """Keep what starlet wavelets find above 4 sigma, in islands near the middle; ``extent`` in arcsec."""
    with fits.open(path) as hdus:
        data = np.nan_to_num(np.squeeze(hdus[-1].data).astype(np.float32))
        pixel = abs(hdus[-1].header["CDELT1"]) * 3600
    sigma = 1.4826 * np.median(abs(data - np.median(data)))
    clean, coarse, kernel = np.zeros_like(data), data, np.array([1, 4, 6, 4, 1]) / 16
    for scale, share in enumerate((0.89, 0.2, 0.086, 0.041)):
        spread = np.zeros(4 * 2**scale + 1)
        spread[:: 2**scale] = kernel
        smooth = ndimage.convolve1d(ndimage.convolve1d(coarse, spread, axis=0), spread, axis=1)
        detail = coarse - smooth  # noise is correlated over the beam: higher thresholds at coarse scales
        level = sigma * max(share, 0.35) * 4
        clean += np.where(ndimage.binary_dilation(detail > level, ALL), detail, 0)
        coarse = smooth
    clean = np.maximum(clean + np.where(coarse > 0.5 * sigma, coarse, 0), 0)
    middle = (np.array(data.shape) - 1) / 2
    y, x = np.indices(data.shape)
    near = np.hypot(y - middle[0], x - middle[1]) * pixel < 0.55 * extent + 8
    islands, n = ndimage.label(clean > 2.5 * sigma, ALL)
    peaks = ndimage.maximum(data * near, islands, np.arange(1, n + 1)) if n else np.zeros(0)
    keep = np.isin(islands, np.flatnonzero(peaks > max(5 * sigma, data[near].max() / 150)) + 1)
    if not keep.any() or data[near].max() < 20 * sigma:
        return None
    clean = np.where(ndimage.binary_dilation(keep, ALL, 2), clean, 0)
    box = ndimage.find_objects(keep.astype(int))[0]
    box = tuple(slice(max(0, part.start - 3), part.stop + 3) for part in box)
    return clean[box] / clean.max(), float(data[near].max() / sigma)


def turn(rng: Any, galaxy: Any, covariance: Any) -> Any:
    """Turn, mirror and zoom a galaxy and give it the field's beam; peak one."""
    least = FWHM * math.sqrt(np.linalg.eigvalsh(covariance)[0])
    zoom = rng.uniform(0.7, max(0.75, min(1.6, 0.95 * least / 3)))
    image = ndimage.zoom(galaxy[:, :: rng.choice([-1, 1])], zoom, order=1)
    image = np.pad(ndimage.rotate(image, rng.uniform(0, 360), order=1), 16)
    a, b, _, d = (covariance - np.eye(2) * (3 * zoom / FWHM) ** 2).ravel()
    ky, kx = scipy.fft.fftfreq(image.shape[0])[:, None], scipy.fft.rfftfreq(image.shape[1])
    blur = np.exp(-2 * np.pi**2 * (a * kx * kx + 2 * b * kx * ky + d * ky * ky))
    image = np.maximum(scipy.fft.irfft2(scipy.fft.rfft2(image) * blur, s=image.shape), 0)
    return np.where(image > 1e-3 * image.max(), image / image.max(), 0).astype(np.float32)


def draw_sources(
    rng: Any, size: int, pixel: float, rms: float, frequency: float, covariance: Any, galaxies: Any
) -> list[Source]:
    """Draw (x, y, peak, image with a peak of one, shape) of all sources, also a little outside the field."""
    margin = size // 8
    side = size + 2 * margin
    flux = draw_fluxes(rng, (side * pixel) ** 2, 0.6 * rms, 8000 * rms, frequency)
    y, x = np.mgrid[-20:21, -20:21]
    sources = []
    for one in flux:
        px, py = rng.uniform(-margin, size + margin, 2)
        width = min(rng.lognormal(math.log(1.0), 0.6), 4) / (math.degrees(pixel) * 3600) / FWHM  # about 1"
        width = min(width, 0.3 * math.sqrt(np.linalg.eigvalsh(covariance)[0]))
        seen = covariance + np.eye(2) * width**2
        loss = math.sqrt(np.linalg.det(covariance) / np.linalg.det(seen))
        stamp = beam_image(seen, x - (px - round(px)), y - (py - round(py)))
        sources.append((px, py, one * loss, stamp.astype(np.float32), "compact"))
    for _ in range(rng.poisson(110 * (size / 2048) ** 2)):
        galaxy, snr = galaxies[rng.integers(len(galaxies))]
        sigma = math.exp(rng.uniform(math.log(6), math.log(300)))
        px, py = rng.uniform(0, size, 2)
        stamp = turn(rng, galaxy, covariance)
        sources.append((px, py, min(sigma, 1.5 * snr) * rms, stamp, "galaxy"))
    return sources
