"""Shapes of radio galaxies with jets and tails; see ``components.py`` for lengths and axes."""

import dataclasses

import numpy as np

from helikon.space.skies.components import Components, blobs, clumpy, core, join, two_sided

__all__ = ["bent", "fr1", "head_tail", "s_shaped"]


def _jet(
    rng: np.random.Generator, length: float, *, curve: float, opening: float, fade: float, start: float
) -> Components:
    """A jet from the host along +x that widens, fades and curves towards +y."""
    n = int(np.clip(length / 1.5, 8, 36))
    s = np.linspace(0.02, 1, n)
    wiggle = 0.04 * length * np.sin(2 * np.pi * (s * rng.uniform(0.5, 1.5) + rng.random()))
    x = length * s * (1 - 0.35 * abs(curve) * s)
    y = curve * length * s**2 + wiggle * s
    sigma = 0.4 + opening * length * s
    flux = np.exp(-0.5 * ((s - start) / fade) ** 2) * np.sqrt(sigma) * clumpy(rng, n, 0.35)
    return blobs(x, y, flux / flux.sum(), sigma)


def fr1(rng: np.random.Generator, length: float) -> Components:
    """Two jets, brightest near the host, fading outwards (Fanaroff-Riley I)."""
    fade, opening = rng.uniform(0.25, 0.6), rng.uniform(0.03, 0.12)

    def side() -> Components:
        reach = length / 2 * rng.uniform(0.75, 1)
        curve = rng.normal(0, 0.15)
        return _jet(rng, reach, curve=curve, opening=opening, fade=fade, start=rng.uniform(0, 0.3))

    return join(two_sided(rng, side), core(rng, 0.15))


def bent(rng: np.random.Generator, length: float) -> Components:
    """Bent tails, wide or narrow: both jets swept to one side by the medium."""
    sweep = rng.uniform(0.3, 1.2)
    half = rng.uniform(0.15, 1.2)  # angle between a jet and the sweep's normal
    start, fade, opening = rng.uniform(0, 0.5), rng.uniform(0.3, 0.7), rng.uniform(0.03, 0.09)
    reach = length * 0.55

    def tail() -> Components:
        jet = _jet(rng, reach * rng.uniform(0.8, 1), curve=sweep, opening=opening, fade=fade, start=start)
        return jet.turned(half)

    one, other = tail(), tail()
    mirrored = dataclasses.replace(other, x=-other.x, xy=-other.xy)
    share = rng.uniform(0.3, 0.7)
    return join(one.scaled(share), mirrored.scaled(1 - share), core(rng, 0.12))


def head_tail(rng: np.random.Generator, length: float) -> Components:
    """A bright head and one fading, curved tail."""
    tail = _jet(
        rng,
        length,
        curve=rng.normal(0, 0.25),
        opening=rng.uniform(0.03, 0.08),
        fade=rng.uniform(0.3, 0.6),
        start=0.0,
    )
    return join(tail, blobs(np.zeros(1), np.zeros(1), np.array([rng.uniform(0.1, 0.5)]), 0.3))


def s_shaped(rng: np.random.Generator, length: float) -> Components:
    """Two jets that curve the opposite way, as if the axis had turned while they grew."""
    curve, opening = rng.uniform(0.4, 0.9), rng.uniform(0.03, 0.09)
    fade, start = rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.9)

    def side() -> Components:
        reach = length / 2 * rng.uniform(0.8, 1)
        return _jet(rng, reach, curve=curve, opening=opening, fade=fade, start=start)

    return join(two_sided(rng, side), core(rng, 0.12))
