"""Shapes of radio galaxies with lobes; see ``components.py`` for lengths and axes."""

import numpy as np

from helikon.space.skies.components import Components, blobs, clumpy, core, join, make_compact, two_sided

__all__ = ["core_jet", "double", "double_double", "fr2", "one_sided", "remnant", "x_shaped"]


def _lobe(
    rng: np.random.Generator, reach: float, width: float, *, hotspot: float, bend: float, backflow: float
) -> Components:
    """One lobe along +x: a hotspot at ``reach`` and plasma flowing back towards the host."""
    n = int(rng.integers(8, 20))
    back = np.sort(rng.random(n)) * backflow
    along = reach * (1 - back)
    spread = width * (0.35 + 0.65 * np.sin(np.pi * np.clip(back / max(backflow, 1e-3), 0, 1) * 0.8 + 0.3))
    across = rng.normal(0, 1, n) * spread * 0.5 + bend * reach * (along / reach) ** 2
    plasma = clumpy(rng, n, 0.5) * np.exp(-back * rng.uniform(0, 2.5))
    lobe = blobs(along, across, plasma / plasma.sum() * (1 - hotspot), spread * 0.6 + 0.3)
    head = blobs(np.array([reach]), np.array([bend * reach]), np.array([hotspot]), 0.3 + 0.12 * width)
    return join(lobe, head)


def fr2(rng: np.random.Generator, length: float) -> Components:
    """Edge-brightened double (Fanaroff-Riley II): hotspots, lobes, perhaps a core and a jet."""
    width = length * rng.uniform(0.05, 0.16)
    hotspot, backflow = rng.beta(2, 2), rng.uniform(0.15, 1.0)
    bend = rng.normal(0, 0.08)

    def side() -> Components:
        reach = length / 2 * rng.uniform(0.7, 1.0)
        return _lobe(rng, reach, width, hotspot=hotspot, bend=bend * rng.choice([-1, 1]), backflow=backflow)

    return join(two_sided(rng, side), core(rng, 0.06))


def remnant(rng: np.random.Generator, length: float) -> Components:
    """Faded double: relaxed lobes without hotspots or core."""
    width = length * rng.uniform(0.15, 0.3)

    def side() -> Components:
        reach = length / 2 * rng.uniform(0.7, 0.9)
        return _lobe(rng, reach, width, hotspot=0.0, bend=0.0, backflow=rng.uniform(0.6, 1.0))

    return two_sided(rng, side)


def double_double(rng: np.random.Generator, length: float) -> Components:
    """Restarted: a young double within an old, fainter one."""
    young = fr2(rng, length * rng.uniform(0.2, 0.5)).scaled(rng.uniform(0.3, 0.7))
    return join(young, remnant(rng, length).turned(rng.normal(0, 0.1)).scaled(0.5))


def double(rng: np.random.Generator, length: float) -> Components:
    """Separated double, each lobe hardly resolved: a Fanaroff-Riley II galaxy seen with a coarse beam."""
    share = 1 / (1 + 10 ** abs(rng.normal(0, 0.3)))
    arm = rng.uniform(0.35, 0.65)
    width = length * rng.uniform(0.005, 0.04, 2)
    lobes = [
        make_compact(flux, w * rng.uniform(1, 2.5), w, rng.normal(0, 0.3)).moved(x, 0.0)
        for flux, w, x in ((share, width[0], arm * length), (1 - share, width[1], (arm - 1) * length))
    ]
    tilt = lobes[1].turned(rng.normal(0, 0.1))
    middle = rng.choice([0.0, 0.0, 10 ** rng.uniform(-2.0, -0.1)])
    return join(lobes[0], tilt, blobs(np.zeros(1), np.zeros(1), np.array([middle]), 0.1))


def one_sided(rng: np.random.Generator, length: float) -> Components:
    """A core or inner lobe and one lobe apart from it; the other side is too faint."""
    lobe = _lobe(
        rng,
        length,
        length * rng.uniform(0.04, 0.14),
        hotspot=rng.beta(2, 2),
        bend=rng.normal(0, 0.05),
        backflow=rng.uniform(0.1, 0.5),
    )
    faint = lobe.turned(np.pi).scaled(10 ** rng.uniform(-2.5, -1))
    middle = blobs(np.zeros(1), np.zeros(1), np.array([10 ** rng.uniform(-1, 0.5)]), 0.3)
    return join(lobe, faint, middle)


def core_jet(rng: np.random.Generator, length: float) -> Components:
    """A strong core with knots on one side."""
    n = int(rng.integers(1, 5))
    knots = np.sort(rng.uniform(0.3, 1, n)) * length
    flux = clumpy(rng, n, 0.7) * rng.uniform(0.05, 0.6)
    return join(
        blobs(np.zeros(1), np.zeros(1), np.ones(1), 0.3),
        blobs(knots, rng.normal(0, 0.03, n) * length, flux, 0.5 + 0.04 * length),
    )


def x_shaped(rng: np.random.Generator, length: float) -> Components:
    """A double with a second, fainter pair of wings across it."""
    wings = remnant(rng, length * rng.uniform(0.6, 1.0)).turned(rng.uniform(0.9, 2.2))
    return join(fr2(rng, length * rng.uniform(0.6, 1.0)), wings.scaled(rng.uniform(0.2, 0.7)))
