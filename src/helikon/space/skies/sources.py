"""The sources of a made-up field: how many, how bright, where, and their noiseless images."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from helikon.space.skies.arrays import load_array
from helikon.space.skies.artefacts import CLEAN_DEPTH_SIGMA
from helikon.space.skies.clustering import draw_positions
from helikon.space.skies.components import Components, join, make_compact, make_disc
from helikon.space.skies.counts import draw_fluxes
from helikon.space.skies.extended import draw_extended
from helikon.space.skies.imaging import GaussianBeam, Imager
from helikon.space.skies.options import SceneOptions
from helikon.space.skies.render import Stamp, deposit, render_each
from helikon.space.skies.response import draw_response

__all__ = ["DrawnSky", "draw_sky"]

Image = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

_BRIGHT_SIGMA = 60.0  # sources above it get gain errors; below, these drown in the noise
_DRAWN_SIGMA = 1.0  # compact sources above it are drawn one by one, the rest as a blur

_WIDTH_SCATTER = 0.6  # of the logarithm of the widths of resolved sources
_WIDEST_BEAMS = 4.0
_HALF_LIGHT = math.sqrt(2 * math.log(2))  # half-light radius of a Gaussian in sigmas


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DrawnSky:
    """The sources of a field on its whole grid, before the array has looked at them.

    Attributes
    ----------
    rms : float
        Thermal noise, Jy/beam.
    stamps : list of (str, Stamp)
        Shape and noiseless image of each source worth drawing.
    drawn : ndarray
        All stamps, Jy/beam.
    faint : ndarray
        The rest, Jy/pixel, to be blurred by the beam.
    uncleaned : ndarray
        What CLEAN does not reach, Jy/pixel.
    bright : list of ndarray
        What gain errors act on, Jy/pixel, one map a direction.
    response : ndarray
        Of the primary beam, 1 in the middle.
    """

    rms: float
    stamps: list[tuple[str, Stamp]]
    drawn: Image
    faint: Image
    uncleaned: Image
    bright: list[Image]
    response: Image


def draw_sky(rng: np.random.Generator, options: SceneOptions, imager: Imager) -> DrawnSky:
    """Draw the sources of a field.

    Parameters
    ----------
    rng : numpy.random.Generator
    options : SceneOptions
    imager : Imager
        Gives grid, pixel size and beam.
    """
    n, beam = imager.n, imager.beam
    rms = options.rms_jy or load_array(options.array).rms_jy
    response = draw_response(rng, n, options)
    drawn, faint, uncleaned = (np.zeros((n, n), dtype=np.float32) for _ in range(3))
    bright = [np.zeros((n, n), dtype=np.float32) for _ in range(3)]
    extended = draw_extended(rng, options, imager, rms=rms, response=response)
    x, y, flux = _compact_places(rng, options, imager, rms, extended)
    flux = flux * response[y.astype(int), x.astype(int)]
    weak = flux < _DRAWN_SIGMA * rms
    deposit(faint, x[weak], y[weak], flux[weak])
    deposit(uncleaned, x, y, np.minimum(flux, CLEAN_DEPTH_SIGMA * rms))
    stamps = _compact(rng, options.source_width, imager, rms, (x[~weak], y[~weak], flux[~weak]))
    stamps += extended
    _spread(
        stamps,
        left=rng.normal(0, options.uncleaned_share, len(stamps)),
        drawn=drawn,
        uncleaned=uncleaned,
        bright=bright,
        beam=beam,
        rms=rms,
    )
    return DrawnSky(
        rms=rms,
        stamps=stamps,
        drawn=drawn,
        faint=faint,
        uncleaned=uncleaned,
        bright=[model for model in bright if model.any()],
        response=response,
    )


def _compact(
    rng: np.random.Generator,
    width: float,
    imager: Imager,
    rms: float,
    places: tuple[Double, Double, Double],
) -> list[tuple[str, Stamp]]:
    """Draw sources of x, y, flux; ``width`` is the median one in beams, 0 for points."""
    x, y, flux = places
    if width > 0:
        sources, owners = _resolved(rng, flux, width, imager.beam.fwhm)
    else:
        sources, owners = _points(rng, flux, imager), np.arange(len(flux))
    sources = sources.moved(x[owners], y[owners])
    first = np.searchsorted(owners, np.arange(len(flux)))
    stamps = render_each(sources, first, imager.beam, (imager.n, imager.n), 0.1 * rms)
    return [("compact", stamp) for stamp in stamps]


def _points(rng: np.random.Generator, flux: Double, imager: Imager) -> Components:
    """Draw Gaussians of half an arcsecond or so, at most a third of the beam."""
    most, shapes = 0.35 * imager.beam.fwhm, []
    for _ in flux:
        major = min(rng.lognormal(math.log(0.5), 0.6) / imager.pixel_arcsec, most)
        shapes.append((major, major * rng.uniform(0.4, 1), rng.uniform(0, np.pi)))
    return make_compact(flux, *_columns(shapes))


def _resolved(rng: np.random.Generator, flux: Double, width: float, beam: float) -> tuple[Components, Int]:
    """Draw Gaussians and exponential discs, seen from any side; their components and whose each is."""
    shapes, disc = [], np.zeros(len(flux), dtype=bool)
    for i in range(len(flux)):
        half = 0.5 * beam * min(rng.lognormal(math.log(width), _WIDTH_SCATTER), _WIDEST_BEAMS)
        angle, minor = rng.uniform(0, np.pi), half * rng.uniform(0.2, 1)
        disc[i] = rng.random() < 0.5
        shapes.append((half, minor, angle))
    half, minor, angle = _columns(shapes)
    one = ~disc
    drawn = join(
        make_disc(flux[disc], half[disc], minor[disc], angle[disc]),
        make_compact(flux[one], half[one] / _HALF_LIGHT, minor[one] / _HALF_LIGHT, angle[one]),
    )
    owners = np.concatenate([*[np.flatnonzero(disc)] * 2, np.flatnonzero(one)])
    order = np.argsort(owners, kind="stable")
    return drawn.rows(order), owners[order]


def _columns(shapes: list[tuple[float, float, float]]) -> Double:
    return np.array(shapes, dtype=np.float64).reshape(-1, 3).T


def _spread(
    stamps: list[tuple[str, Stamp]],
    *,
    left: Double,
    drawn: Image,
    uncleaned: Image,
    bright: list[Image],
    beam: GaussianBeam,
    rms: float,
) -> None:
    """Add the stamps to the maps; the two brightest go to directions of their own.

    ``left`` is the share of each bright source that keeps its sidelobes.
    """
    per_pixel = np.float32(1 / beam.area)
    order = sorted((s for s in stamps if s[1].data.size), key=lambda s: -float(s[1].data.max()))
    for rank, (shape, stamp) in enumerate(order):
        drawn[stamp.where] += stamp.data
        if shape != "compact":
            uncleaned[stamp.where] += np.minimum(stamp.data, CLEAN_DEPTH_SIGMA * rms) * per_pixel
        if stamp.data.max() > _BRIGHT_SIGMA * rms:
            bright[min(rank, len(bright) - 1)][stamp.where] += stamp.data * per_pixel
            uncleaned[stamp.where] += stamp.data * (per_pixel * np.float32(left[rank]))


def _compact_places(
    rng: np.random.Generator,
    options: SceneOptions,
    imager: Imager,
    rms: float,
    extended: list[tuple[str, Stamp]],
) -> tuple[Double, Double, Double]:
    """Draw x, y and flux of the compact sources."""
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
    x, y = draw_positions(
        rng,
        flux,
        n=imager.n,
        beam_fwhm=imager.beam.fwhm,
        pairs=options.pairs,
        beside=options.beside,
        extended=extended,
    )
    return x, y, flux
