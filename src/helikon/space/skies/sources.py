"""The sources of a made-up field: how many, how bright, where, and their noiseless images."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from helikon.space.skies.arrays import load_array
from helikon.space.skies.artefacts import CLEAN_DEPTH_SIGMA
from helikon.space.skies.clustering import draw_positions
from helikon.space.skies.components import Components, make_compact, make_disc
from helikon.space.skies.counts import draw_fluxes
from helikon.space.skies.extended import draw_extended
from helikon.space.skies.imaging import GaussianBeam, Imager
from helikon.space.skies.options import SceneOptions
from helikon.space.skies.render import Stamp, deposit, render
from helikon.space.skies.response import draw_response

__all__ = ["DrawnSky", "draw_sky"]

Image = npt.NDArray[np.float32]

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
    stamps = [
        _compact(rng, options.source_width, imager, rms, (x[i], y[i], flux[i])) for i in np.flatnonzero(~weak)
    ]
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
    place: tuple[float, float, float],
) -> tuple[str, Stamp]:
    """Draw one source of x, y, flux; ``width`` is the median one in beams, 0 for half an arcsecond or so."""
    x, y, flux = place
    if width > 0:
        one = _resolved(rng, float(flux), width, imager.beam.fwhm)
    else:  # half an arcsecond or so, at most a third of the beam
        major = min(rng.lognormal(math.log(0.5), 0.6) / imager.pixel_arcsec, 0.35 * imager.beam.fwhm)
        one = make_compact(float(flux), major, major * rng.uniform(0.4, 1), rng.uniform(0, np.pi))
    return "compact", render(one.moved(x, y), imager.beam, (imager.n, imager.n), 0.1 * rms)


def _resolved(rng: np.random.Generator, flux: float, width: float, beam: float) -> Components:
    """Draw a Gaussian or an exponential disc, seen from any side."""
    half = 0.5 * beam * min(rng.lognormal(math.log(width), _WIDTH_SCATTER), _WIDEST_BEAMS)
    angle, minor = rng.uniform(0, np.pi), half * rng.uniform(0.2, 1)
    if rng.random() < 0.5:
        return make_disc(flux, half, minor, angle)
    return make_compact(flux, half / _HALF_LIGHT, minor / _HALF_LIGHT, angle)


def _spread(
    stamps: list[tuple[str, Stamp]],
    *,
    left: npt.NDArray[np.float64],
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
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
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
