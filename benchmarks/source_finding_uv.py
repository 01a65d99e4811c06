"""From an array's layout to the filled (u, v) plane, the PSF and the clean beam of a made-up field."""

import dataclasses
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft
from scipy import ndimage, optimize

C = 299_792_458.0
FWHM = math.sqrt(8 * math.log(2))
# name: layout file, latitude (deg), frequency (Hz), relative bandwidth, thermal noise (Jy/beam)
ARRAYS: dict[str, tuple[str, float, float, float, float]] = {
    "askap": ("askap.txt", -26.7, 0.95e9, 0.28, 30e-6),
    "meerkat": ("meerkat.txt", -30.7, 1.3e9, 0.5, 10e-6),
    "vla-b": ("vla.b.txt", 34.1, 1.5e9, 0.4, 12e-6),
}


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


def gains(rng: Any, n_times: int, n_antennas: int) -> Any:
    """Gains left wrong: 3 degrees and a random walk of phase, 1 % of amplitude."""
    phase = rng.normal(0, 3, n_antennas) + rng.normal(0, 2, (n_times, n_antennas)).cumsum(0) / n_times**0.5
    return rng.normal(1, 0.01, n_antennas) * np.exp(1j * np.radians(phase))
