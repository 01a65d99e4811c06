"""One made-up field as arrays: sources, point-spread function, noise, artefacts, labels."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
import scipy.fft

from helikon.space.arrays import load_array, observe
from helikon.space.artefacts import CLEAN_DEPTH_SIGMA, gain_error_spectrum, residual_spectrum
from helikon.space.counts import draw_fluxes
from helikon.space.imaging import FWHM_PER_SIGMA, GaussianBeam, Imager, forward, inverse, make_imager
from helikon.space.labels import TrueSource, add_artefact_labels, label_sources
from helikon.space.morphology import Components, make_compact, make_galaxy
from helikon.space.render import Stamp, deposit, render

__all__ = ["Scene", "SceneOptions", "make_scene"]

Image = npt.NDArray[np.float32]

_BRIGHT_SIGMA = 60.0  # sources above it get gain errors; below, these drown in the noise
_DRAWN_SIGMA = 1.0  # compact sources above it are drawn one by one, the rest as a blur


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SceneOptions:
    """How a field is made.

    Attributes
    ----------
    size : int
        Pixels along each side.
    array : str
        One of ``helikon.space.arrays.ARRAY_NAMES``.
    beam_pixels : float
        FWHM of the clean beam, pixels.
    declination_deg, hours, robust, taper : float
        Of the observation: field centre, track length, weighting.
    rms_jy : float
        Thermal noise, Jy/beam; 0 takes the array's usual one.
    density : float
        Multiplies the 1.4 GHz source counts.
    n_extended : float
        Expected number of extended sources per 1024 x 1024 pixels.
    phase_error_deg, amplitude_error : float
        What self-calibration left wrong (RMS per antenna).
    brightest_sigma : float
        Cap on compact sources, in units of the thermal noise.
    n_bright : float
        Expected number, per 1024 x 1024 pixels, of further compact sources
        between 300 sigma and the cap: more artefacts than the counts give.
    primary_beam : float
        FWHM of the primary beam in units of the field's side, for a map
        corrected for it (noise rises outwards); 0 for a flat response.
    """

    size: int = 1024
    array: str = "askap"
    beam_pixels: float = 5.0
    declination_deg: float | None = None
    hours: float = 8.0
    robust: float = 0.0
    taper: float = 0.0
    rms_jy: float = 0.0
    density: float = 1.0
    n_extended: float = 24.0
    phase_error_deg: float = 3.0
    amplitude_error: float = 0.01
    brightest_sigma: float = 6000.0
    n_bright: float = 0.0
    primary_beam: float = 0.0


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
    sky = _draw_sky(rng, options, imager)
    spectrum = gain_error_spectrum(
        rng, imager, sky.bright, phase_deg=options.phase_error_deg, amplitude=options.amplitude_error
    )
    spectrum += residual_spectrum(imager, sky.uncleaned)
    artefacts = inverse(spectrum, n)
    confusion = inverse(forward(sky.faint) * imager.beam_transfer(), n)
    image = sky.drawn + artefacts + confusion + np.float32(sky.rms) * imager.noise(rng)
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _DrawnSky:
    rms: float
    stamps: list[tuple[str, Stamp]]
    drawn: Image  # all stamps, Jy/beam
    faint: Image  # Jy/pixel, to be blurred by the beam
    uncleaned: Image  # Jy/pixel
    bright: list[Image]  # Jy/pixel, one a direction
    response: Image  # of the primary beam


def _draw_sky(rng: np.random.Generator, options: SceneOptions, imager: Imager) -> _DrawnSky:
    n, beam = imager.n, imager.beam
    rms = options.rms_jy or load_array(options.array).rms_jy
    response = _primary_beam(n, options)
    drawn, faint, uncleaned = (np.zeros((n, n), dtype=np.float32) for _ in range(3))
    bright = [np.zeros((n, n), dtype=np.float32) for _ in range(3)]
    stamps: list[tuple[str, Stamp]] = []
    galaxies = _extended(rng, options, imager, rms)
    x, y, flux = _compact_positions(rng, options, imager, rms)
    flux = flux * response[y.astype(int), x.astype(int)]
    weak = flux < _DRAWN_SIGMA * rms
    deposit(faint, x[weak], y[weak], flux[weak])
    deposit(uncleaned, x, y, np.minimum(flux, CLEAN_DEPTH_SIGMA * rms))
    for i in np.flatnonzero(~weak):
        major = min(rng.lognormal(math.log(0.5), 0.6) / _arcsec(imager), 0.35 * beam.fwhm)
        one = make_compact(float(flux[i]), major, major * rng.uniform(0.4, 1), rng.uniform(0, np.pi))
        stamps.append(("compact", render(one.moved(x[i], y[i]), beam, (n, n), 0.1 * rms)))
    for shape, galaxy, peak in galaxies:
        stamps.append((shape, _scaled(render(galaxy, beam, (n, n), 3e-4, relative=True), peak, response)))
    _spread(stamps, drawn=drawn, uncleaned=uncleaned, bright=bright, beam=beam, rms=rms)
    return _DrawnSky(
        rms=rms,
        stamps=stamps,
        drawn=drawn,
        faint=faint,
        uncleaned=uncleaned,
        bright=[model for model in bright if model.any()],
        response=response,
    )


def _spread(
    stamps: list[tuple[str, Stamp]],
    *,
    drawn: Image,
    uncleaned: Image,
    bright: list[Image],
    beam: GaussianBeam,
    rms: float,
) -> None:
    """Add the stamps to the maps; the two brightest go to directions of their own."""
    per_pixel = np.float32(1 / beam.area)
    order = sorted((s for s in stamps if s[1].data.size), key=lambda s: -float(s[1].data.max()))
    for rank, (shape, stamp) in enumerate(order):
        drawn[stamp.where] += stamp.data
        if shape != "compact":
            uncleaned[stamp.where] += np.minimum(stamp.data, CLEAN_DEPTH_SIGMA * rms) * per_pixel
        if stamp.data.max() > _BRIGHT_SIGMA * rms:
            bright[min(rank, len(bright) - 1)][stamp.where] += stamp.data * per_pixel


def _arcsec(imager: Imager) -> float:
    return math.degrees(imager.pixel_rad) * 3600


def _compact_positions(
    rng: np.random.Generator, options: SceneOptions, imager: Imager, rms: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    flux = draw_fluxes(
        rng,
        area_sr=(imager.n * imager.pixel_rad) ** 2,
        faintest_jy=0.2 * rms,
        brightest_jy=options.brightest_sigma * rms,
        frequency_hz=load_array(options.array).frequency_hz,
        density=options.density,
    )
    n_bright = rng.poisson(options.n_bright * (imager.n / 1024) ** 2)
    loud = rms * np.exp(rng.uniform(math.log(300), math.log(options.brightest_sigma), n_bright))
    flux = np.concatenate([loud, flux])
    return rng.uniform(0, imager.n - 1, len(flux)), rng.uniform(0, imager.n - 1, len(flux)), flux


def _extended(
    rng: np.random.Generator, options: SceneOptions, imager: Imager, rms: float
) -> list[tuple[str, Components, float]]:
    """Draw shapes, places and peaks (Jy/beam) of the extended sources, kept apart from each other."""
    n = imager.n
    galaxies: list[tuple[str, Components, float]] = []
    taken: list[tuple[float, float, float]] = []
    for _ in range(rng.poisson(options.n_extended * (n / 1024) ** 2)):
        length = min(imager.beam.fwhm * math.exp(rng.uniform(math.log(2.0), math.log(24))), 0.4 * n)
        shape, galaxy = make_galaxy(rng, length)
        peak = rms * math.exp(rng.uniform(math.log(5), math.log(300)))
        for _ in range(6):
            x, y = rng.uniform(0, n, 2)
            if all(math.hypot(x - a, y - b) > 0.55 * (length + c) + 8 for a, b, c in taken):
                taken.append((x, y, length))
                galaxies.append((shape, galaxy.moved(x, y), peak))
                break
    return galaxies


def _scaled(stamp: Stamp, peak: float, response: Image) -> Stamp:
    """Give the stamp a peak in Jy/beam, and the primary beam's attenuation."""
    if not stamp.data.size or stamp.data.max() <= 0:
        return stamp
    data = stamp.data * np.float32(peak / stamp.data.max()) * response[stamp.where]
    return dataclasses.replace(stamp, data=data)


def _primary_beam(n: int, options: SceneOptions) -> Image:
    if options.primary_beam <= 0:
        return np.ones((n, n), dtype=np.float32)
    sigma = options.primary_beam * options.size / FWHM_PER_SIGMA
    axis = np.exp(-0.5 * ((np.arange(n) - n / 2) / sigma) ** 2)
    return np.maximum(np.outer(axis, axis), 0.05).astype(np.float32)


def _finish(
    options: SceneOptions,
    imager: Imager,
    sky: _DrawnSky,
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
        pixel_arcsec=_arcsec(imager),
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
    data = (stamp.data / response[stamp.where])[y0 - stamp.y0 : y1 - stamp.y0, x0 - stamp.x0 : x1 - stamp.x0]
    return Stamp(x0=x0 - start, y0=y0 - start, x=stamp.x - start, y=stamp.y - start, data=data)
