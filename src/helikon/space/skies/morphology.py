"""Which shapes of extended sources there are, how often each is drawn, and for which split.

Shapes with lobes are in ``lobes.py``, with jets in ``jets.py``, all others here.
"""

from collections.abc import Callable

import numpy as np

from helikon.space.skies.components import Components, blobs, clumpy, join, make_compact
from helikon.space.skies.jets import bent, fr1, head_tail, s_shaped
from helikon.space.skies.lobes import core_jet, double, double_double, fr2, one_sided, remnant, x_shaped

__all__ = ["HELD_OUT", "SHAPES", "draw_shape", "make_galaxy"]


def halo(rng: np.random.Generator, length: float) -> Components:
    """Diffuse, roughly round emission with irregular brightness."""
    n = int(rng.integers(12, 30))
    radius = np.abs(rng.normal(0, 0.22, n)) * length
    angle = rng.uniform(0, 2 * np.pi, n)
    sigma = length * rng.uniform(0.06, 0.16, n)
    squeezed = blobs(radius * np.cos(angle), radius * np.sin(angle), clumpy(rng, n, 0.5), sigma)
    return squeezed.turned(0.0, rng.uniform(0.5, 1))


def ring(rng: np.random.Generator, length: float) -> Components:
    """A shell or part of one: supernova remnant, odd radio circle, relic arc."""
    n = int(rng.integers(20, 40))
    span = rng.choice([2 * np.pi, rng.uniform(0.6, 3.5)])
    angle = np.linspace(0, span, n)
    radius = length / 2 * (1 + 0.04 * rng.normal(0, 1, n))
    brightness = 1 + rng.uniform(0, 0.9) * np.cos(angle - rng.uniform(0, 2 * np.pi))
    flux = brightness * clumpy(rng, n, 0.3)
    shell = blobs(radius * np.cos(angle), radius * np.sin(angle), flux, length * rng.uniform(0.03, 0.08))
    return shell.turned(0.0, rng.uniform(0.6, 1))


def disc(rng: np.random.Generator, length: float) -> Components:
    """A resolved star-forming galaxy: one or two elliptical Gaussians."""
    sigma = min(length / 4, 12.0) * rng.uniform(0.5, 1)  # discs are small beside radio galaxies
    outer = make_compact(1.0, sigma, sigma * rng.uniform(0.25, 1), 0.0)
    inner = make_compact(rng.uniform(0, 0.6), sigma * 0.3, sigma * 0.25, 0.0)
    return join(outer, inner)


SHAPES: dict[str, tuple[Callable[[np.random.Generator, float], Components], float]] = {
    "fr2": (fr2, 0.24),
    "double": (double, 0.20),
    "one-sided": (one_sided, 0.04),
    "fr1": (fr1, 0.12),
    "bent": (bent, 0.10),
    "head-tail": (head_tail, 0.06),
    "double-double": (double_double, 0.05),
    "core-jet": (core_jet, 0.06),
    "remnant": (remnant, 0.04),
    "halo": (halo, 0.03),
    "ring": (ring, 0.03),
    "disc": (disc, 0.10),
    "s-shaped": (s_shaped, 0.05),
    "x-shaped": (x_shaped, 0.05),
}
"""Shape name to (function, share of all extended sources)."""
HELD_OUT = {"s-shaped": ("validation", "test"), "x-shaped": ("test",)}
"""Shapes that appear in these splits only: what a network trained here has never seen."""


def draw_shape(rng: np.random.Generator, split: str = "test") -> str:
    """Draw the name of a shape that may appear in a split."""
    names = [name for name in SHAPES if split in HELD_OUT.get(name, (split,))]
    shares = np.array([SHAPES[name][1] for name in names])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def make_galaxy(rng: np.random.Generator, shape: str, length: float) -> Components:
    """Draw an extended source.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : str
        One of :data:`SHAPES`.
    length : float
        Largest extent, pixels, roughly.

    Returns
    -------
    Components
        Their fluxes sum to one.
    """
    galaxy = SHAPES[shape][0](rng, length).turned(rng.uniform(0, 2 * np.pi))
    return galaxy.scaled(1 / galaxy.flux.sum())
