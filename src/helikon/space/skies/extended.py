"""The extended sources of a made-up field: which shapes, how large, how bright, and where."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from helikon.space.skies.imaging import Imager
from helikon.space.skies.morphology import draw_shape, make_galaxy
from helikon.space.skies.options import SceneOptions
from helikon.space.skies.placing import place_template
from helikon.space.skies.render import Stamp, render
from helikon.space.skies.templates import load_templates

__all__ = ["draw_extended"]

Image = npt.NDArray[np.float32]

_PEAK_SIGMA = (5.0, 300.0)
_SMALL_SHARE = 0.45
"""Share of the galaxies of 1.5 to 5 beams; the rest have 4 to 30."""
_TEMPLATE_DEPTH = 2.0
"""Its own map's signal to noise times this caps a template's peak: brighter, its cut edge would show."""
_TRIES = 6


def draw_extended(
    rng: np.random.Generator, options: SceneOptions, imager: Imager, *, rms: float, response: Image
) -> list[tuple[str, Stamp]]:
    """Draw the extended sources of a field; as many of them as asked are kept apart from the others.

    Parameters
    ----------
    rng : numpy.random.Generator
    options : SceneOptions
    imager : Imager
        Gives grid and beam.
    rms : float
        Thermal noise, Jy/beam.
    response : ndarray
        Of the primary beam, shape (n, n).

    Returns
    -------
    list of (str, Stamp)
        Shapes and noiseless images, Jy/beam, seen through the primary beam.
    """
    templates = load_templates(options.templates, options.split) if options.templates else ()
    stamps: list[tuple[str, Stamp]] = []
    taken: list[tuple[float, float, float]] = []
    for _ in range(rng.poisson(options.n_extended * (imager.n / 1024) ** 2)):
        peak = rms * math.exp(rng.uniform(*np.log(_PEAK_SIGMA)))
        if templates and rng.random() < options.template_share:
            template = templates[int(rng.integers(len(templates)))]
            place = _place(rng, options.apart, imager.n, math.hypot(*template.data.shape), taken)
            drawn = place and ("template", place_template(rng, template, imager.beam, (imager.n,) * 2, place))
            peak = min(peak, _TEMPLATE_DEPTH * template.snr * rms)
        else:
            drawn = _made_up(rng, options, imager, taken)
        if drawn:
            stamps.append((drawn[0], _scaled(drawn[1], peak, response)))
    return stamps


def _made_up(
    rng: np.random.Generator,
    options: SceneOptions,
    imager: Imager,
    taken: list[tuple[float, float, float]],
) -> tuple[str, Stamp] | None:
    shape = draw_shape(rng, options.split)
    length = min(imager.beam.fwhm * _draw_length(rng, shape), 0.4 * imager.n)
    galaxy = make_galaxy(rng, shape, length)
    place = _place(rng, options.apart, imager.n, length, taken)
    if place is None:
        return None
    grid = (imager.n, imager.n)
    return shape, render(galaxy.moved(*place), imager.beam, grid, 3e-4, relative=True)


def _draw_length(rng: np.random.Generator, shape: str) -> float:
    """Draw a largest extent in beams: many are small, a few very large."""
    low, high = (1.5, 5.0) if rng.random() < _SMALL_SHARE else (4.0, 30.0)
    if shape == "double":
        low, high = 2.5, 16.0
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _place(
    rng: np.random.Generator, apart: float, n: int, length: float, taken: list[tuple[float, float, float]]
) -> tuple[float, float] | None:
    """Draw a place and take it; the share ``apart`` keeps off all ``taken`` (x, y, length), or has none."""
    keeps_off = rng.random() < apart
    for _ in range(_TRIES):
        x, y = rng.uniform(0, n, 2)
        if not keeps_off or all(math.hypot(x - a, y - b) > 0.55 * (length + c) + 8 for a, b, c in taken):
            taken.append((x, y, length))
            return x, y
    return None


def _scaled(stamp: Stamp, peak: float, response: Image) -> Stamp:
    """Give the stamp a peak in Jy/beam, and the primary beam's attenuation."""
    if not stamp.data.size or stamp.data.max() <= 0:
        return stamp
    data = stamp.data * np.float32(peak / stamp.data.max()) * response[stamp.where]
    return dataclasses.replace(stamp, data=data)
