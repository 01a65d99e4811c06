"""What goes wrong in a map: gain errors around bright sources, sidelobes left uncleaned."""

import numpy as np
import numpy.typing as npt

from helikon.space.skies.imaging import Imager, forward

__all__ = ["CLEAN_DEPTH_SIGMA", "draw_gains", "gain_error_spectrum", "residual_spectrum"]

CLEAN_DEPTH_SIGMA = 3.5
"""Emission below this many sigma is left with the PSF's sidelobes."""

Image = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]


def draw_gains(
    rng: np.random.Generator, n_times: int, n_antennas: int, *, phase_deg: float, amplitude: float
) -> npt.NDArray[np.complex64]:
    """Draw antenna gains that self-calibration left wrong.

    A static phase error, a random walk of half its size, a static amplitude
    error; at times one antenna is ten times worse for a part of the track,
    which makes the rays seen around bright sources.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_times, n_antennas : int
    phase_deg : float
        RMS of the static phase errors, degrees.
    amplitude : float
        RMS of the relative amplitude errors.

    Returns
    -------
    ndarray
        Complex, (n_times, n_antennas).
    """
    size = np.deg2rad(phase_deg)
    walk = np.cumsum(rng.normal(0, 1, (n_times, n_antennas)), axis=0) / np.sqrt(n_times)
    phase = rng.normal(0, size, n_antennas) + 0.5 * size * walk
    log_amplitude = np.broadcast_to(rng.normal(0, amplitude, n_antennas), phase.shape).copy()
    if rng.random() < 0.35:
        antenna, start = int(rng.integers(n_antennas)), int(rng.integers(n_times))
        stop = start + max(1, n_times // int(rng.integers(2, 10)))
        phase[start:stop, antenna] += 10 * size * rng.choice([-1, 1])
        log_amplitude[start:stop, antenna] -= 5 * amplitude
    gains: npt.NDArray[np.complex64] = np.exp(log_amplitude + 1j * phase).astype(np.complex64)
    return gains


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
    n_times = len(imager.tracks.u)
    total = np.zeros(imager.transfer.shape, dtype=np.complex64)
    for model in models:
        gains = draw_gains(rng, n_times, imager.tracks.n_antennas, phase_deg=phase_deg, amplitude=amplitude)
        total += forward(model) * imager.error_transfer(gains)
    return total


def residual_spectrum(imager: Imager, model: Image) -> Spectrum:
    """Fourier transform of the sidelobes of what was not cleaned (``model``, Jy/pixel)."""
    spectrum: Spectrum = forward(model) * (imager.transfer - imager.beam_transfer())
    return spectrum
