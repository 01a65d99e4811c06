"""Made-up radio fields from a second hand: nothing here comes from ``helikon.space.skies``.

The recipe: an array layout through (u, v) coverage and Briggs' weighting to a
true PSF and a fitted clean beam; compact sources from Euclid-normalised counts;
extended ones from real galaxies, cleaned of noise with wavelets, turned and
zoomed; noise drawn in the (u, v) plane; gain errors on the 25 brightest
sources; what lies below 3.5 sigma left uncleaned. A finder that fits one
simulator alone shows here. Only numpy, scipy and astropy are used.
"""

import argparse
import dataclasses
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from scipy import ndimage, optimize

C = 299_792_458.0
FWHM = math.sqrt(8 * math.log(2))
# name: layout file, latitude (deg), frequency (Hz), relative bandwidth, thermal noise (Jy/beam)
ARRAYS: dict[str, tuple[str, float, float, float, float]] = {
    "askap": ("askap.txt", -26.7, 0.95e9, 0.28, 30e-6),
    "meerkat": ("meerkat.txt", -30.7, 1.3e9, 0.5, 10e-6),
    "vla-b": ("vla.b.txt", 34.1, 1.5e9, 0.4, 12e-6),
}
# log10 S/Jy and log10 S^2.5 dN/dS (Jy^1.5 / sr) at 1.4 GHz, read off published compilations
COUNTS = np.array(
    [
        (-5, -4.3, -3.7, -3, -2.5, -2, -1.5, -1, -0.5, 0),
        (0.25, 0.6, 0.72, 0.86, 1.17, 1.57, 1.95, 2.3, 2.48, 2.52),
    ]
)
ALL = np.ones((3, 3))


@dataclasses.dataclass
class Coverage:
    """The filled cells of the (u, v) plane and what fell into them."""

    n: int
    kx: Any
    ky: Any
    cell: Any  # of each visibility, -1 outside
    mirrored: Any
    counts: Any
    weights: Any
    antennas: Any
    shape: Any

    def image(self, values: Any) -> Any:
        """Go from values of the filled cells to an image."""
        plane = np.zeros((self.n, self.n // 2 + 1), dtype=np.complex64)
        plane[self.ky % self.n, self.kx] = values
        return scipy.fft.irfft2(plane, s=(self.n, self.n))

    def errors(self, gains: Any) -> Any:
        """Weighted sum of the visibilities' errors in each cell; gains (times, antennas)."""
        i, j = self.antennas
        error = np.broadcast_to((gains[:, i] * gains[:, j].conj() - 1)[:, None, :], self.shape).ravel()
        used = self.cell >= 0
        cell, sign = self.cell[used], np.where(self.mirrored[used], -1, 1)
        real = np.bincount(cell, error.real[used], len(self.kx))
        return (real + 1j * np.bincount(cell, sign * error.imag[used], len(self.kx))) * self.weights

    def ramp(self, x: float, y: float) -> Any:
        """Transform of a point of one at a pixel."""
        return np.exp(-2j * np.pi / self.n * (self.kx * x + self.ky * y))


def cover(array: str, layouts: Path, declination: float, pixel: float, n: int, n_times: int = 48) -> Coverage:
    """Fill the (u, v) plane: eight hours, 24 channels, Briggs' robust 0; ``pixel`` in radians."""
    name, latitude, frequency, band, _ = ARRAYS[array]
    stations = np.loadtxt(layouts / name)
    east, north, up = np.pad(stations, ((0, 0), (0, max(0, 3 - stations.shape[1]))))[:, :3].T
    lat, dec = np.radians([latitude, declination])
    xyz = (
        np.stack(
            [
                -np.sin(lat) * north + np.cos(lat) * (up - up.mean()),
                east,
                np.cos(lat) * north + np.sin(lat) * (up - up.mean()),
            ]
        )
        / C
    )
    i, j = np.triu_indices(len(east), 1)
    x, y, z = xyz[:, j] - xyz[:, i]
    h = np.radians(np.linspace(-60, 60, n_times))[:, None]
    u = np.sin(h) * x + np.cos(h) * y
    v = -np.sin(dec) * np.cos(h) * x + np.sin(dec) * np.sin(h) * y + np.cos(dec) * z
    nu = frequency * (1 + band * np.linspace(-0.5, 0.5, 24))[None, :, None]
    k, m = (np.rint(part[:, None, :] * nu * (n * pixel)).astype(int) for part in (u, v))
    shape, mirrored = k.shape, (k < 0).ravel()
    k, m = np.where(k < 0, -k, k).ravel(), np.where(k < 0, -m, m).ravel()
    inside = (k < n // 2) & (abs(m) < n // 2)
    cells, inverse = np.unique(((m + n) * n + k)[inside], return_inverse=True)
    cell = np.full(len(k), -1)
    cell[inside] = inverse
    counts = np.bincount(inverse).astype(float)
    weights = 1 / (1 + counts * 25 / ((counts**2).sum() / counts.sum()))
    kx, ky = cells % n, cells // n - n
    return Coverage(n, kx, ky, cell, mirrored, counts, weights, (i, j), shape)


def fit_beam(psf: Any) -> Any:
    """Fit the clean beam's covariance (2, 2) in pixels to a PSF whose peak is at pixel (0, 0)."""
    core = np.roll(psf, (20, 20), (0, 1))[:41, :41]
    lobe, _ = ndimage.label(core > 0.4)
    y, x = np.nonzero(lobe == lobe[20, 20])
    d = np.stack([x, y]) - 20.0

    def model(_: Any, a: float, b: float, c: float) -> Any:
        return np.exp(-0.5 * (a * d[0] ** 2 + 2 * b * d[0] * d[1] + c * d[1] ** 2))

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", optimize.OptimizeWarning
        )  # the first pixels are too coarse for errors
        (a, b, c), _ = optimize.curve_fit(model, None, core[y, x], p0=(0.2, 0.0, 0.2))
    return np.linalg.inv([[a, b], [b, c]])


def beam_image(covariance: Any, x: Any, y: Any) -> Any:
    """Brightness of a source of one per beam, at offsets from it."""
    a, b, _, d = np.linalg.inv(covariance).ravel()
    return np.exp(-0.5 * (a * x * x + 2 * b * x * y + d * y * y))


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


def gains(rng: Any, n_times: int, n_antennas: int) -> Any:
    """Gains left wrong: 3 degrees and a random walk of phase, 1 % of amplitude."""
    phase = rng.normal(0, 3, n_antennas) + rng.normal(0, 2, (n_times, n_antennas)).cumsum(0) / n_times**0.5
    return rng.normal(1, 0.01, n_antennas) * np.exp(1j * np.radians(phase))


def add(image: Any, stamp: Any, x0: int, y0: int) -> None:
    """Add a stamp where it overlaps the image."""
    y1, x1 = min(y0 + stamp.shape[0], image.shape[0]), min(x0 + stamp.shape[1], image.shape[1])
    if y1 > max(y0, 0) and x1 > max(x0, 0):
        image[max(y0, 0) : y1, max(x0, 0) : x1] += stamp[max(-y0, 0) : y1 - y0, max(-x0, 0) : x1 - x0]


def make_field(
    folder: Path, *, array: str, seed: int, size: int, split: str, layouts: Path, first: Path
) -> Path:
    """Make a field and write map, labels and truth to a folder."""
    rng = np.random.default_rng([seed, 20261125])
    _, latitude, frequency, _, rms = ARRAYS[array]
    declination = latitude + rng.uniform(-25, 20)
    wanted = rng.uniform(4.2, 6.0)
    pixel = np.radians(5 / 3600) * 0.4
    for grid in (1024, 1024, 1024, 2 * size):
        coverage = cover(array, layouts, declination, pixel, grid)
        transfer = coverage.counts * coverage.weights
        psf = coverage.image(transfer)
        peak = psf[0, 0]
        covariance = fit_beam(psf / peak)
        fwhm = FWHM * np.linalg.det(covariance) ** 0.25
        if grid == 1024:
            pixel *= fwhm / wanted
    sources = draw_sources(rng, size, pixel, rms, frequency, covariance, templates(first, split))
    n, off = 2 * size, size // 2
    true, model, low = np.zeros((n, n), np.float32), np.zeros((n, n), np.float32), 3.5 * rms
    area = 2 * np.pi * math.sqrt(np.linalg.det(covariance))
    for x, y, peak_flux, stamp, _ in sources:
        x0, y0 = round(x) - stamp.shape[1] // 2, round(y) - stamp.shape[0] // 2
        add(true, stamp * peak_flux, x0 + off, y0 + off)
        if len(stamp) == 41:
            model[(round(y) + off) % n, (round(x) + off) % n] += min(peak_flux, low)
        else:
            add(model, np.minimum(stamp * peak_flux, low) / area, x0 + off, y0 + off)
    wrong = np.zeros(len(coverage.kx), dtype=complex)
    n_antennas = int(coverage.antennas[1].max()) + 1
    common = gains(rng, coverage.shape[0], n_antennas)
    for x, y, peak_flux, stamp, _ in sorted(sources, key=lambda one: -one[2] * one[3].sum())[:25]:
        own = 1 + 0.5 * (common - 1) + 0.85 * (gains(rng, coverage.shape[0], n_antennas) - 1)
        flux = peak_flux * float(stamp.sum()) / area
        wrong += flux * coverage.errors(own) * coverage.ramp(x + off, y + off)
    offset = (np.arange(n) + n // 2) % n - n // 2
    lobes = psf / peak - beam_image(covariance, *np.meshgrid(offset, offset))
    left = scipy.fft.irfft2(scipy.fft.rfft2(model) * scipy.fft.rfft2(lobes.astype(np.float32)), s=(n, n))
    artefacts = coverage.image(wrong) / peak + left
    drawn = rng.normal(size=(2, len(coverage.kx)))
    noise = coverage.image((drawn[0] + 1j * drawn[1]) * np.sqrt(coverage.counts) * coverage.weights)
    middle = slice(off, off + size)
    true, artefacts, noise = (part[middle, middle] for part in (true, artefacts, noise))
    image = true + artefacts + noise * (rms / noise.std())
    local = local_noise(image - true, fwhm)
    rows, labels = label(sources, image, true, artefacts, local, covariance)
    header = make_header(size, pixel, covariance, declination, frequency, seed)
    return write(folder, image.astype(np.float32), header, rows, labels, local)


def draw_sources(
    rng: Any, size: int, pixel: float, rms: float, frequency: float, covariance: Any, galaxies: Any
) -> list[tuple[float, float, float, Any, str]]:
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


def local_noise(rest: Any, fwhm: float) -> Any:
    """Noise in boxes of 12 beams, outliers clipped."""
    box = int(12 * fwhm)
    rms = np.full_like(rest, rest.std())
    for _ in range(3):
        good = abs(rest) < 4 * rms
        power = ndimage.uniform_filter(np.where(good, rest**2, 0), box)
        rms = np.sqrt(power / np.maximum(ndimage.uniform_filter(good.astype(float), box), 0.05))
    return rms.astype(np.float32)


def label(
    sources: Any, image: Any, true: Any, artefacts: Any, local: Any, covariance: Any
) -> tuple[list[dict[str, Any]], Any]:
    """Masks above 2.5 sigma of the noiseless emission, and the classes."""
    (height, width), area = image.shape, 2 * np.pi * math.sqrt(np.linalg.det(covariance))
    labels, best, rows = np.zeros(image.shape, np.int32), np.zeros(image.shape), []
    for x, y, peak, stamp, shape in sorted(sources, key=lambda one: -one[2]):
        x0, y0 = round(x) - stamp.shape[1] // 2, round(y) - stamp.shape[0] // 2
        y1, x1 = min(y0 + stamp.shape[0], height), min(x0 + stamp.shape[1], width)
        if y1 <= max(y0, 0) or x1 <= max(x0, 0):
            continue
        part = slice(max(y0, 0), y1), slice(max(x0, 0), x1)
        own = stamp[part[0].start - y0 : part[0].stop - y0, part[1].start - x0 : part[1].stop - x0] * peak
        at = np.unravel_index(np.argmax(own), own.shape)
        snr = own[at] / local[part][at]
        if snr < 3:
            continue
        if best[part][at] > 0.3 * own[at] and labels[part][at] > 0:  # hidden in a brighter one
            continue
        mask = (own > 2.5 * local[part]) & (own > best[part])
        islands, n = ndimage.label(mask, ALL)
        tops = ndimage.maximum(own / local[part], islands, np.arange(1, n + 1)) if n else np.zeros(0)
        sizes = np.bincount(islands.ravel(), minlength=n + 1)[1:]
        good = np.flatnonzero(((tops >= 3) & (sizes >= 4)) | (tops == tops.max(initial=0))) + 1
        mask = np.isin(islands, good)
        if not mask.any():
            continue
        best[part] = np.maximum(best[part], own)
        labels[part][mask] = len(rows) + 1
        limit = 1.5 * area * math.log(snr / 2.5) + 4
        extended = shape == "galaxy" and mask.sum() > limit
        kind = "extended-multi-island" if len(good) > 1 else "extended" if extended else "compact"
        yy, xx = np.nonzero(mask)
        place = (x, y) if shape == "compact" else (at[1] + part[1].start, at[0] + part[0].start)
        if kind != "compact":
            middle = (np.average(axis, weights=own[mask]) for axis in (xx, yy))
            place = tuple(at + part[i].start for at, i in zip(middle, (1, 0), strict=True))
        rows.append(
            {
                "class": kind,
                "shape": "compact" if kind == "compact" else "galaxy",
                "x": float(place[0]),
                "y": float(place[1]),
                "peak_flux": float(own.max()),
                "int_flux": float(stamp.sum() * peak / area),
                "snr": float(snr),
                "n_islands": len(good),
            }
        )
    add_blends(rows, labels, true, local, area)
    judge_artefacts(rows, labels, image, true, artefacts, local, area)
    return rows, labels


def add_blends(rows: Any, labels: Any, true: Any, local: Any, area: float) -> None:
    """Sources below 3 sigma that together reach it are one compact source."""
    snr = np.where(labels > 0, 0, true / local)
    islands, n = ndimage.label(snr > 2.5, ALL)
    index = np.arange(1, n + 1)
    top, at = ndimage.maximum(snr, islands, index), ndimage.maximum_position(snr, islands, index)
    beside = ndimage.maximum(ndimage.grey_dilation(labels, 3), islands, index)
    for i in np.flatnonzero((top >= 3) & (beside == 0)):
        labels[islands == i + 1] = len(rows) + 1
        peak = float(true[at[i]])
        rows.append(
            {
                "class": "compact",
                "shape": "compact",
                "x": float(at[i][1]),
                "y": float(at[i][0]),
                "peak_flux": peak,
                "int_flux": peak,
                "snr": float(top[i]),
                "n_islands": 1,
            }
        )


def judge_artefacts(
    rows: Any, labels: Any, image: Any, true: Any, artefacts: Any, local: Any, area: float
) -> None:
    """Label artefacts as spurious and the sources that they hang on as flagged."""
    y, x = np.mgrid[-9:10, -9:10]
    beam = np.hypot(x, y) <= math.sqrt(area / 1.133)
    near = ndimage.binary_dilation(true > 3 * local, beam)
    wrong = artefacts > 2 * local
    islands, n = ndimage.label(image > 2.5 * local, ALL)
    index = np.arange(1, n + 1)
    top = ndimage.maximum(image / local, islands, index)
    at = np.array(ndimage.maximum_position(image / local, islands, index))
    bad_peak = wrong[at[:, 0], at[:, 1]] & (top > 4)
    clear = ndimage.maximum(near, islands, index) == 0
    beside = wrong & (image > 4 * local) & ~ndimage.binary_dilation(true > 2.5 * local, ALL, 2)
    boxes = ndimage.find_objects(labels)
    for number, row in enumerate(rows, 1):
        box = boxes[number - 1]
        if box is None:
            continue
        wide = tuple(slice(max(0, part.start - 10), part.stop + 10) for part in box)
        mine = labels[wide] == number
        touched = np.unique(islands[wide][mine])
        hanging = (
            beside[wide] & ndimage.binary_dilation(mine, beam) & np.isin(islands[wide], touched[touched > 0])
        )
        if hanging.sum() > 0.3 * area:
            row["class"] = "flagged"
    for i in np.flatnonzero(bad_peak & clear):
        mask = islands == i + 1
        labels[mask & (labels == 0)] = len(rows) + 1
        if not (labels == len(rows) + 1).any():
            continue
        flux = float(image[mask].sum() / area)
        rows.append(
            {
                "class": "spurious",
                "shape": "artefact",
                "x": float(at[i, 1]),
                "y": float(at[i, 0]),
                "peak_flux": float(image[at[i, 0], at[i, 1]]),
                "int_flux": flux,
                "snr": float(top[i]),
                "n_islands": 1,
            }
        )


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
    parser.add_argument("--layouts", type=Path, required=True, help="folder with askap.txt and others")
    parser.add_argument("--first", type=Path, required=True, help="folder with maps of real galaxies")
    given = vars(parser.parse_args())
    make_field(given.pop("out"), **given)


if __name__ == "__main__":
    main()
