"""One made-up field as arrays: sources, point-spread function, noise, artefacts, labels."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
import scipy.fft

from helikon.space.skies.arrays import load_array, observe
from helikon.space.skies.artefact_labels import add_artefact_labels
from helikon.space.skies.artefacts import draw_stripes, gain_error_spectrum, residual_spectrum
from helikon.space.skies.diffuse import draw_diffuse
from helikon.space.skies.imaging import GaussianBeam, Imager, forward, inverse, make_imager
from helikon.space.skies.labels import TrueSource, label_sources
from helikon.space.skies.options import SceneOptions
from helikon.space.skies.render import Stamp
from helikon.space.skies.sources import DrawnSky, draw_sky

__all__ = ["Scene", "SceneOptions", "make_scene"]

Image = npt.NDArray[np.float32]

_STRIPES_LOG = (math.log(0.3), math.log(2.0))
"""Logarithms of the least and largest RMS of stripes, in units of the thermal noise."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A field and its truth; images in Jy/beam, all (size, size).

    Attributes
    ----------
    image : ndarray
        The map as an astronomer gets it.
    true_image : ndarray
        Noiseless emission of all sources drawn one by one.
    artefacts : ndarray
        What calibration and cleaning left wrong.
    local_rms : ndarray
        Noise where there are no sources: thermal, confusion and artefacts.
    labels : ndarray of int32
        Number of the source that owns the pixel, 0 for none.
    sources : tuple of TrueSource
    beam : GaussianBeam
    pixel_arcsec, frequency_hz, declination_deg : float
    """

    image: Image
    true_image: Image
    artefacts: Image
    local_rms: Image
    labels: npt.NDArray[np.int32]
    sources: tuple[TrueSource, ...]
    beam: GaussianBeam
    pixel_arcsec: float
    frequency_hz: float
    declination_deg: float


def make_scene(rng: np.random.Generator, options: SceneOptions) -> Scene:
    """Make a field.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance: the same state gives the same field.
    options : SceneOptions

    Returns
    -------
    Scene
    """
    array = load_array(options.array)
    n = scipy.fft.next_fast_len(options.size + max(96, options.size // 6), real=True)
    declination = options.declination_deg
    if declination is None:
        declination = float(array.latitude_deg + rng.uniform(-25, 25))
    imager = _imager(rng, options, declination, n)
    sky = draw_sky(rng, options, imager)
    spectrum = gain_error_spectrum(
        rng, imager, sky.bright, phase_deg=options.phase_error_deg, amplitude=options.amplitude_error
    )
    spectrum += residual_spectrum(imager, sky.uncleaned)
    artefacts = inverse(spectrum, n)
    if rng.random() < options.stripes:
        artefacts += np.float32(sky.rms * math.exp(rng.uniform(*_STRIPES_LOG))) * draw_stripes(rng, imager)
    confusion = inverse(forward(sky.faint) * imager.beam_transfer(), n)
    image = sky.drawn + artefacts + confusion + np.float32(sky.rms) * imager.noise(rng)
    if options.diffuse > 0:
        image += np.float32(options.diffuse * sky.rms) * draw_diffuse(rng, imager)
    return _finish(options, imager, sky, image=image, artefacts=artefacts, declination_deg=declination)


def _imager(rng: np.random.Generator, options: SceneOptions, declination: float, n: int) -> Imager:
    array = load_array(options.array)
    half = math.radians(options.hours * 7.5)
    n_times = int(np.clip(options.hours * 4, 2, 30))
    start = rng.uniform(-0.1, 0.1)
    tracks = observe(
        array, declination_deg=declination, hour_angles=np.linspace(start - half, start + half, n_times)
    )
    return make_imager(
        tracks, n=n, beam_pixels=options.beam_pixels, robust=options.robust, taper=options.taper
    )


def _finish(
    options: SceneOptions,
    imager: Imager,
    sky: DrawnSky,
    *,
    image: Image,
    artefacts: Image,
    declination_deg: float,
) -> Scene:
    """Correct for the primary beam, cut the middle out, and label it."""
    start = (imager.n - options.size) // 2
    middle = slice(start, start + options.size)
    cut = [
        np.ascontiguousarray((part / sky.response)[middle, middle]) for part in (image, sky.drawn, artefacts)
    ]
    local_rms = _noise_of(cut[0] - cut[1])
    stamps = [
        (shape, inner)
        for shape, stamp in sky.stamps
        if (inner := _crop(stamp, start, options.size, sky.response)).data.size
    ]
    sources, labels = label_sources(stamps, local_rms, imager.beam)
    sources, labels = add_artefact_labels(
        sources,
        labels,
        image=cut[0],
        true_image=cut[1],
        artefacts=cut[2],
        local_rms=local_rms,
        beam=imager.beam,
    )
    return Scene(
        image=cut[0],
        true_image=cut[1],
        artefacts=cut[2],
        local_rms=local_rms,
        labels=labels,
        sources=tuple(sources),
        beam=imager.beam,
        pixel_arcsec=imager.pixel_arcsec,
        frequency_hz=load_array(options.array).frequency_hz,
        declination_deg=declination_deg,
    )


def _noise_of(source_free: Image) -> Image:
    """Local standard deviation of a map without sources, on meshes of 64 pixels."""
    import sep

    mesh = min(64, len(source_free) // 4)
    background = sep.Background(np.ascontiguousarray(source_free), bw=mesh, bh=mesh, fw=3, fh=3)
    rms: Image = background.rms().astype(np.float32)
    return rms


def _crop(stamp: Stamp, start: int, size: int, response: Image) -> Stamp:
    """Cut a stamp to the middle of the grid; may leave no pixels."""
    height, width = stamp.data.shape
    y0, x0 = max(stamp.y0, start), max(stamp.x0, start)
    y1, x1 = min(stamp.y0 + height, start + size), min(stamp.x0 + width, start + size)
    if y1 <= y0 or x1 <= x0:
        return dataclasses.replace(stamp, x0=0, y0=0, data=np.zeros((0, 0), dtype=np.float32))
    corrected = stamp.data / response[stamp.where]
    return Stamp(
        x0=x0 - start,
        y0=y0 - start,
        x=stamp.x - start,
        y=stamp.y - start,
        data=corrected[y0 - stamp.y0 : y1 - stamp.y0, x0 - stamp.x0 : x1 - stamp.x0],
        whole=float(corrected.sum(dtype=np.float64)),
    )
