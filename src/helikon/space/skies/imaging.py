"""From (u, v) points to an image: gridding, weighting, the point-spread function, the clean beam."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
import scipy.fft

from helikon.space.skies.arrays import Tracks

__all__ = ["FWHM_PER_SIGMA", "GaussianBeam", "Imager", "fit_beam", "make_imager"]

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))

Image = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GaussianBeam:
    """An elliptical Gaussian beam in pixels.

    Attributes
    ----------
    covariance : tuple of float
        Variance along x, covariance, variance along y; pixels squared.
    """

    covariance: tuple[float, float, float]

    @property
    def area(self) -> float:
        """Beam solid angle, pixels."""
        xx, xy, yy = self.covariance
        return 2 * math.pi * math.sqrt(xx * yy - xy * xy)

    @property
    def axes(self) -> tuple[float, float, float]:
        """Major and minor FWHM in pixels, position angle in degrees from +y towards -x."""
        xx, xy, yy = self.covariance
        mean, half = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
        angle = math.degrees(0.5 * math.atan2(-2 * xy, yy - xx))
        return FWHM_PER_SIGMA * math.sqrt(mean + half), FWHM_PER_SIGMA * math.sqrt(mean - half), angle

    @property
    def fwhm(self) -> float:
        """Geometric mean of the two axes, pixels."""
        major, minor, _ = self.axes
        return math.sqrt(major * minor)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Imager:
    """What turns a sky into a map, on one grid.

    Attributes
    ----------
    n : int
        Pixels along each side of the grid.
    pixel_rad : float
    transfer : ndarray
        Fourier transform of the PSF (peak 1), shape (n, n // 2 + 1).
    noise_amplitude : ndarray
        Standard deviation of the noise in each Fourier cell.
    beam : GaussianBeam
        Fitted to the PSF's main lobe.
    tracks : Tracks
    """

    n: int
    pixel_rad: float
    transfer: Image
    noise_amplitude: Image
    beam: GaussianBeam
    tracks: Tracks

    @property
    def pixel_arcsec(self) -> float:
        """Side of a pixel, arcsec."""
        return math.degrees(self.pixel_rad) * 3600

    def beam_transfer(self) -> Image:
        """Return the Fourier transform of the clean beam (peak 1)."""
        xx, xy, yy = self.beam.covariance
        ky, kx = scipy.fft.fftfreq(self.n)[:, None], scipy.fft.rfftfreq(self.n)[None, :]
        exponent = -2 * math.pi**2 * (xx * kx * kx + 2 * xy * kx * ky + yy * ky * ky)
        return np.asarray(self.beam.area * np.exp(exponent), dtype=np.float32)

    def noise(self, rng: np.random.Generator) -> Image:
        """Draw thermal noise in the (u, v) plane; unit standard deviation in the image."""
        shape = self.noise_amplitude.shape
        white = rng.standard_normal((2, *shape), dtype=np.float32)
        image = inverse((white[0] + 1j * white[1]) * self.noise_amplitude, self.n)
        return np.asarray(image / image.std(), dtype=np.float32)

    def error_transfer(self, gains: npt.NDArray[np.complex64]) -> Spectrum:
        """Return the Fourier transform of the error of the PSF under antenna gains.

        Parameters
        ----------
        gains : ndarray
            Complex, (n_times, n_antennas); 1 is perfect.

        Returns
        -------
        ndarray
            Complex, (n, n // 2 + 1): ``transfer`` times the mean of
            (g_i g_j* - 1) over the visibilities of each cell.
        """
        error = gains[:, self.tracks.first] * gains[:, self.tracks.second].conj() - 1
        cells, mirrored = _cells(self.tracks, self.n, self.pixel_rad)
        error = np.broadcast_to(error[:, None, :], self.tracks.u.shape).ravel()
        sums = _sum_in_cells(cells, self.n, error.real) + 1j * _sum_in_cells(
            cells, self.n, np.where(mirrored, -error.imag, error.imag)
        )
        counts = np.maximum(_sum_in_cells(cells, self.n, None), 1)
        return (self.transfer * (sums / counts)).astype(np.complex64)


def forward(image: Image) -> Spectrum:
    """Real FFT of an image."""
    result: Spectrum = scipy.fft.rfft2(image)
    return result


def inverse(spectrum: npt.NDArray[np.complexfloating], n: int) -> Image:
    """Inverse of :func:`forward`."""
    image: Image = scipy.fft.irfft2(spectrum.astype(np.complex64, copy=False), s=(n, n))
    return image


def make_imager(
    tracks: Tracks, *, n: int, beam_pixels: float, robust: float = 0.0, taper: float = 0.0
) -> Imager:
    """Choose the pixel size that samples the beam as asked, and grid the observation.

    Parameters
    ----------
    tracks : Tracks
    n : int
        Pixels along each side.
    beam_pixels : float
        FWHM of the clean beam wanted, pixels.
    robust : float
        Briggs' weighting, -2 uniform to 2 natural.
    taper : float
        Gaussian taper: its sigma in the (u, v) plane is 1 / ``taper`` times
        the longest baseline; 0 for none.
    """
    longest = float(np.hypot(tracks.u, tracks.v).max())
    pixel = 1.0 / (longest * beam_pixels) * 1.3
    for _ in range(3):
        transfer, noise = _weigh(tracks, n, pixel, robust, taper / longest)
        beam = fit_beam(scipy.fft.fftshift(inverse(transfer + 0j, n)))
        if abs(beam.fwhm / beam_pixels - 1) < 0.02:
            break
        pixel *= beam.fwhm / beam_pixels
    return Imager(n=n, pixel_rad=pixel, transfer=transfer, noise_amplitude=noise, beam=beam, tracks=tracks)


def _cells(tracks: Tracks, n: int, pixel_rad: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return each visibility's cell of the half plane (-1 outside), and whether it was mirrored into it."""
    kx = np.rint(tracks.u.ravel() * (n * pixel_rad)).astype(np.int64)
    ky = np.rint(tracks.v.ravel() * (n * pixel_rad)).astype(np.int64)
    mirrored = kx < 0
    kx, ky = np.where(mirrored, -kx, kx), np.where(mirrored, -ky, ky)
    inside = (kx < n // 2) & (np.abs(ky) < n // 2)
    return np.where(inside, (ky % n) * (n // 2 + 1) + kx, -1), mirrored


def _sum_in_cells(
    cells: npt.NDArray[np.int64], n: int, values: npt.NDArray[np.floating] | None
) -> npt.NDArray[np.float64]:
    shape = (n, n // 2 + 1)
    sums = np.bincount(cells + 1, weights=values, minlength=shape[0] * shape[1] + 1)
    return sums[1:].reshape(shape).astype(np.float64)


def _weigh(tracks: Tracks, n: int, pixel_rad: float, robust: float, taper: float) -> tuple[Image, Image]:
    cells, _ = _cells(tracks, n, pixel_rad)
    counts = _sum_in_cells(cells, n, None)
    counts[1:, 0] += counts[:0:-1, 0]  # the u = 0 column holds both halves
    briggs = (5 * 10.0**-robust) ** 2 / (np.square(counts).sum() / counts.sum())
    each = 1 / (1 + counts * briggs)
    ky, kx = scipy.fft.fftfreq(n)[:, None] / pixel_rad, scipy.fft.rfftfreq(n)[None, :] / pixel_rad
    each *= np.exp(-0.5 * (kx * kx + ky * ky) * taper**2)
    transfer = (counts * each).astype(np.float32)
    noise = (np.sqrt(counts) * each).astype(np.float32)
    return transfer / np.float32(inverse(transfer + 0j, n)[0, 0]), noise


def fit_beam(psf: Image) -> GaussianBeam:
    """Fit an elliptical Gaussian to the main lobe of a PSF with its peak of 1 at the centre.

    A weighted linear fit to the logarithm of the pixels above 0.35 that hang
    together with the peak.

    Parameters
    ----------
    psf : ndarray
        Shape (n, n), peak at (n // 2, n // 2).
    """
    from scipy import ndimage

    c, half = len(psf) // 2, 24
    core = psf[c - half : c + half + 1, c - half : c + half + 1].astype(np.float64)
    islands, _ = ndimage.label(core > 0.35)
    y, x = np.nonzero(islands == islands[half, half])
    value = core[y, x]
    dy, dx = y - half, x - half
    design = np.stack([dx * dx, 2 * dx * dy, dy * dy], axis=1) * value[:, None]
    (a, b, d), *_ = np.linalg.lstsq(design, -2 * np.log(value) * value, rcond=None)
    determinant = a * d - b * b
    return GaussianBeam(covariance=(d / determinant, -b / determinant, a / determinant))
