"""What goes wrong in a map: gain errors around bright sources, sidelobes left uncleaned."""

import numpy as np
import numpy.typing as npt

from helikon.space.skies.imaging import Imager, forward, inverse

__all__ = ["CLEAN_DEPTH_SIGMA", "draw_gains", "draw_stripes", "gain_error_spectrum", "residual_spectrum"]

CLEAN_DEPTH_SIGMA = 3.5
"""Emission below this many sigma is left with the PSF's sidelobes."""

_ALONE, _SCREEN = 0.6, 0.1
"""What each antenna errs alone, and each term of the ionosphere, in units of the phase error asked for."""
_COMMON = 3.0
"""Amplitude errors that all antennas share are this many times those of single ones."""

_NO_RIPPLE = 1e-4
"""Spread of a ripple over its height below which it is wider than the map and only rounding makes it."""

Image = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]


def draw_gains(
    rng: np.random.Generator,
    n_times: int,
    n_antennas: int,
    *,
    phase_deg: float,
    amplitude: float,
    places: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.complex64]:
    """Draw antenna gains that self-calibration left wrong.

    A static phase error, a random walk of half its size, a static amplitude
    error; amplitudes that drift or jump for all antennas together, as with a
    changing sky, which makes spokes and rings; at times one antenna is ten
    times worse for a part of the track, which makes stripes through bright
    sources.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_times, n_antennas : int
    phase_deg : float
        RMS of the static phase errors, degrees.
    amplitude : float
        RMS of the relative amplitude errors.
    places : ndarray, optional
        Of the antennas as seen from the source, (n_times, n_antennas, 2),
        from -2 to 2. With them, phases also err as the ionosphere
        makes them: smoothly over the array, so that the artefacts stay near
        the source.

    Returns
    -------
    ndarray
        Complex, (n_times, n_antennas).
    """
    size = np.deg2rad(phase_deg)
    walk = np.cumsum(rng.normal(0, 1, (n_times, n_antennas)), axis=0) / np.sqrt(n_times)
    phase = rng.normal(0, size, n_antennas) + 0.5 * size * walk
    log_amplitude = rng.normal(0, amplitude, n_antennas) + _common_drift(rng, n_times, amplitude)[:, None]
    if rng.random() < 0.35:
        antenna, start = int(rng.integers(n_antennas)), int(rng.integers(n_times))
        stop = start + max(1, n_times // int(rng.integers(2, 10)))
        phase[start:stop, antenna] += 10 * size * rng.choice([-1, 1])
        log_amplitude[start:stop, antenna] -= 5 * amplitude
    if places is not None:
        phase = _ALONE * phase + _screen(rng, places, size)
    gains: npt.NDArray[np.complex64] = np.exp(log_amplitude + 1j * phase).astype(np.complex64)
    return gains


def _screen(
    rng: np.random.Generator, places: npt.NDArray[np.float64], size: float
) -> npt.NDArray[np.float64]:
    """Draw phases that are a drifting polynomial of the antenna's place; radians, (n_times, n_antennas)."""
    x, y = places[..., 0], places[..., 1]
    terms = np.stack([x, y, x * x - y * y, x * y, x * x + y * y - 1])
    shape = (len(terms), len(places), 1)
    drift = rng.normal(0, 1, (len(terms), 1, 1)) + np.cumsum(
        rng.normal(0, 2 / np.sqrt(shape[1]), shape), axis=1
    )
    return np.asarray(_SCREEN * size * rng.lognormal(0, 0.5) * (drift * terms).sum(axis=0))


def _places(imager: Imager) -> npt.NDArray[np.float64]:
    """Return where the antennas stand as seen from the source: from -2 to 2, the middle at 0."""
    tracks = imager.tracks
    first = tracks.first == 0
    u, v = (part[:, part.shape[1] // 2, first] for part in (tracks.u, tracks.v))
    places = np.pad(np.stack([u, v], axis=-1), ((0, 0), (1, 0), (0, 0)))
    places -= places.mean(axis=1, keepdims=True)
    return np.asarray(np.tanh(places / (2 * np.sqrt(np.square(places).mean()))) * 2)


def _common_drift(rng: np.random.Generator, n_times: int, amplitude: float) -> npt.NDArray[np.float64]:
    """Draw the logarithm of the amplitude that all antennas share, (n_times,); its mean is 0."""
    walk = np.cumsum(rng.normal(0, 1, n_times)) / np.sqrt(n_times)
    jump = rng.normal(0, 1, n_times) * (rng.random(n_times) < 0.3)
    drift = _COMMON * amplitude * rng.lognormal(0, 0.7) * (walk + jump)
    return np.asarray(drift - drift.mean())


def gain_error_spectrum(
    rng: np.random.Generator, imager: Imager, models: list[Image], *, phase_deg: float, amplitude: float
) -> Spectrum:
    """Fourier transform of the artefacts that gain errors leave after cleaning.

    Parameters
    ----------
    models : list of ndarray
        Sky in Jy/pixel; each has gains of its own, as in directions that are
        calibrated apart.
    """
    n_times, places = len(imager.tracks.u), _places(imager)
    total = np.zeros(imager.transfer.shape, dtype=np.complex64)
    for model in models:
        gains = draw_gains(
            rng, n_times, imager.tracks.n_antennas, phase_deg=phase_deg, amplitude=amplitude, places=places
        )
        total += forward(model) * imager.error_transfer(gains)
    return total


def residual_spectrum(imager: Imager, model: Image) -> Spectrum:
    """Fourier transform of the sidelobes of what was not cleaned (``model``, Jy/pixel)."""
    spectrum: Spectrum = forward(model) * (imager.transfer - imager.beam_transfer())
    return spectrum


def draw_stripes(rng: np.random.Generator, imager: Imager) -> Image:
    """Draw what one bad baseline leaves all over a map: a ripple that comes and goes.

    Returns
    -------
    ndarray of float32, shape (n, n)
        Standard deviation 1; 0 everywhere for a baseline so short that one ripple is wider than the map.
    """
    n_times, n_channels, n_baselines = imager.tracks.u.shape
    baseline, channel = int(rng.integers(n_baselines)), int(rng.integers(n_channels))
    start = int(rng.integers(n_times))
    times = slice(start, start + int(rng.integers(1, 6)))
    n, scale = imager.n, imager.n * imager.pixel_rad
    u, v = (np.rint(part[times, channel, baseline] * scale) for part in (imager.tracks.u, imager.tracks.v))
    sign = np.where(u < 0, -1, 1)
    kx, ky = np.minimum((u * sign).astype(int), n // 2 - 1), (v * sign).astype(int) % n
    spectrum = np.zeros(imager.transfer.shape, dtype=np.complex64)
    spectrum[ky, kx] = np.exp(1j * rng.uniform(0, 2 * np.pi)) * rng.lognormal(0, 0.3, len(kx))
    image = inverse(spectrum, n)
    spread = image.std()
    if spread <= _NO_RIPPLE * np.abs(image).max():
        return np.zeros_like(image)
    return np.asarray(image / spread, dtype=np.float32)
