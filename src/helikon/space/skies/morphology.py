"""Shapes of radio galaxies, drawn from a few numbers.

Every shape is a set of Gaussian components, so that the beam can be applied
exactly and a source can be rendered at any sampling. Lengths are pixels, the
host sits at (0, 0) and the first jet leaves along +x; :func:`make_galaxy`
turns the whole by a random angle.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["HELD_OUT", "SHAPES", "Components", "draw_shape", "make_compact", "make_galaxy"]

Array1D = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Gaussian components of one source.

    Attributes
    ----------
    x, y : ndarray
        Centres, pixels.
    flux : ndarray
        Integrated flux densities; any unit.
    xx, xy, yy : ndarray
        Covariances, pixels squared, without the beam.
    """

    x: Array1D
    y: Array1D
    flux: Array1D
    xx: Array1D
    xy: Array1D
    yy: Array1D

    def scaled(self, factor: float) -> "Components":
        """Return the same with all fluxes times ``factor``."""
        return dataclasses.replace(self, flux=self.flux * factor)

    def moved(self, dx: float, dy: float) -> "Components":
        """Return the same moved by ``dx, dy`` pixels."""
        return dataclasses.replace(self, x=self.x + dx, y=self.y + dy)

    def turned(self, angle: float, squeeze: float = 1.0) -> "Components":
        """Return the same squeezed along y (seen from aside), then turned by ``angle`` radians."""
        c, s = np.cos(angle), np.sin(angle)
        x, y = self.x, self.y * squeeze
        xx, xy, yy = self.xx, self.xy * squeeze, self.yy * squeeze**2
        return Components(
            x=c * x - s * y,
            y=s * x + c * y,
            flux=self.flux,
            xx=c * c * xx - 2 * c * s * xy + s * s * yy,
            xy=c * s * (xx - yy) + (c * c - s * s) * xy,
            yy=s * s * xx + 2 * c * s * xy + c * c * yy,
        )


def make_compact(flux: float, major: float, minor: float, angle: float) -> Components:
    """One Gaussian; ``major`` and ``minor`` are sigmas in pixels, 0 for a point."""
    one = np.ones(1)
    flat = Components(x=0 * one, y=0 * one, flux=flux * one, xx=one * major**2, xy=0 * one, yy=one * minor**2)
    return flat.turned(angle)


def _blobs(x: Array1D, y: Array1D, flux: Array1D, sigma: Array1D | float) -> Components:
    variance = np.broadcast_to(np.asarray(sigma, dtype=np.float64) ** 2, x.shape)
    return Components(x=x, y=y, flux=flux, xx=variance, xy=np.zeros_like(x), yy=variance)


def _join(*parts: Components) -> Components:
    names = [field.name for field in dataclasses.fields(Components)]
    return Components(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _core(rng: np.random.Generator, share: float) -> Components:
    """A point at the host, with ``share`` of a flux of one; sometimes none."""
    strength = share * rng.lognormal(0, 1) * (rng.random() < 0.6)
    return _blobs(np.zeros(1), np.zeros(1), np.array([strength]), 0.1)


def _clumpy(rng: np.random.Generator, n: int, scatter: float) -> Array1D:
    return np.asarray(rng.lognormal(0, scatter, n))


def _lobe(
    rng: np.random.Generator, reach: float, width: float, *, hotspot: float, bend: float, backflow: float
) -> Components:
    """One lobe along +x: a hotspot at ``reach`` and plasma flowing back towards the host."""
    n = int(rng.integers(8, 20))
    back = np.sort(rng.random(n)) * backflow
    along = reach * (1 - back)
    spread = width * (0.35 + 0.65 * np.sin(np.pi * np.clip(back / max(backflow, 1e-3), 0, 1) * 0.8 + 0.3))
    across = rng.normal(0, 1, n) * spread * 0.5 + bend * reach * (along / reach) ** 2
    plasma = _clumpy(rng, n, 0.5) * np.exp(-back * rng.uniform(0, 2.5))
    lobe = _blobs(along, across, plasma / plasma.sum() * (1 - hotspot), spread * 0.6 + 0.3)
    head = _blobs(np.array([reach]), np.array([bend * reach]), np.array([hotspot]), 0.3 + 0.12 * width)
    return _join(lobe, head)


def _two_sided(rng: np.random.Generator, side: Callable[[], Components]) -> Components:
    """Two lobes or jets, of unlike strength and length, roughly opposite."""
    ratio = 10 ** rng.normal(0, 0.25)
    first = side().scaled(ratio / (1 + ratio))
    return _join(first, side().scaled(1 / (1 + ratio)).turned(np.pi + rng.normal(0, 0.12)))


def fr2(rng: np.random.Generator, length: float) -> Components:
    """Edge-brightened double (Fanaroff-Riley II): hotspots, lobes, perhaps a core and a jet."""
    width = length * rng.uniform(0.05, 0.16)
    hotspot, backflow = rng.beta(2, 2), rng.uniform(0.15, 1.0)
    bend = rng.normal(0, 0.08)

    def side() -> Components:
        reach = length / 2 * rng.uniform(0.7, 1.0)
        return _lobe(rng, reach, width, hotspot=hotspot, bend=bend * rng.choice([-1, 1]), backflow=backflow)

    return _join(_two_sided(rng, side), _core(rng, 0.06))


def remnant(rng: np.random.Generator, length: float) -> Components:
    """Faded double: relaxed lobes without hotspots or core."""
    width = length * rng.uniform(0.15, 0.3)

    def side() -> Components:
        reach = length / 2 * rng.uniform(0.7, 0.9)
        return _lobe(rng, reach, width, hotspot=0.0, bend=0.0, backflow=rng.uniform(0.6, 1.0))

    return _two_sided(rng, side)


def double_double(rng: np.random.Generator, length: float) -> Components:
    """Restarted: a young double within an old, fainter one."""
    young = fr2(rng, length * rng.uniform(0.2, 0.5)).scaled(rng.uniform(0.3, 0.7))
    return _join(young, remnant(rng, length).turned(rng.normal(0, 0.1)).scaled(0.5))


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
    flux = np.exp(-0.5 * ((s - start) / fade) ** 2) * np.sqrt(sigma) * _clumpy(rng, n, 0.35)
    return _blobs(x, y, flux / flux.sum(), sigma)


def fr1(rng: np.random.Generator, length: float) -> Components:
    """Two jets, brightest near the host, fading outwards (Fanaroff-Riley I)."""
    fade, opening = rng.uniform(0.25, 0.6), rng.uniform(0.03, 0.12)

    def side() -> Components:
        reach = length / 2 * rng.uniform(0.75, 1)
        curve = rng.normal(0, 0.15)
        return _jet(rng, reach, curve=curve, opening=opening, fade=fade, start=rng.uniform(0, 0.3))

    return _join(_two_sided(rng, side), _core(rng, 0.15))


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
    return _join(one.scaled(share), mirrored.scaled(1 - share), _core(rng, 0.12))


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
    return _join(tail, _blobs(np.zeros(1), np.zeros(1), np.array([rng.uniform(0.1, 0.5)]), 0.3))


def core_jet(rng: np.random.Generator, length: float) -> Components:
    """A strong core with knots on one side."""
    n = int(rng.integers(1, 5))
    knots = np.sort(rng.uniform(0.3, 1, n)) * length
    flux = _clumpy(rng, n, 0.7) * rng.uniform(0.05, 0.6)
    return _join(
        _blobs(np.zeros(1), np.zeros(1), np.ones(1), 0.3),
        _blobs(knots, rng.normal(0, 0.03, n) * length, flux, 0.5 + 0.04 * length),
    )


def halo(rng: np.random.Generator, length: float) -> Components:
    """Diffuse, roughly round emission with irregular brightness."""
    n = int(rng.integers(12, 30))
    radius = np.abs(rng.normal(0, 0.22, n)) * length
    angle = rng.uniform(0, 2 * np.pi, n)
    sigma = length * rng.uniform(0.06, 0.16, n)
    squeezed = _blobs(radius * np.cos(angle), radius * np.sin(angle), _clumpy(rng, n, 0.5), sigma)
    return squeezed.turned(0.0, rng.uniform(0.5, 1))


def ring(rng: np.random.Generator, length: float) -> Components:
    """A shell or part of one: supernova remnant, odd radio circle, relic arc."""
    n = int(rng.integers(20, 40))
    span = rng.choice([2 * np.pi, rng.uniform(0.6, 3.5)])
    angle = np.linspace(0, span, n)
    radius = length / 2 * (1 + 0.04 * rng.normal(0, 1, n))
    brightness = 1 + rng.uniform(0, 0.9) * np.cos(angle - rng.uniform(0, 2 * np.pi))
    flux = brightness * _clumpy(rng, n, 0.3)
    shell = _blobs(radius * np.cos(angle), radius * np.sin(angle), flux, length * rng.uniform(0.03, 0.08))
    return shell.turned(0.0, rng.uniform(0.6, 1))


def disc(rng: np.random.Generator, length: float) -> Components:
    """A resolved star-forming galaxy: one or two elliptical Gaussians."""
    sigma = min(length / 4, 12.0) * rng.uniform(0.5, 1)  # discs are small beside radio galaxies
    outer = make_compact(1.0, sigma, sigma * rng.uniform(0.25, 1), 0.0)
    inner = make_compact(rng.uniform(0, 0.6), sigma * 0.3, sigma * 0.25, 0.0)
    return _join(outer, inner)


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
    core = rng.choice([0.0, 0.0, 10 ** rng.uniform(-2.0, -0.1)])
    return _join(lobes[0], tilt, _blobs(np.zeros(1), np.zeros(1), np.array([core]), 0.1))


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
    core = _blobs(np.zeros(1), np.zeros(1), np.array([10 ** rng.uniform(-1, 0.5)]), 0.3)
    return _join(lobe, faint, core)


def s_shaped(rng: np.random.Generator, length: float) -> Components:
    """Two jets that curve the opposite way, as if the axis had turned while they grew."""
    curve, opening = rng.uniform(0.4, 0.9), rng.uniform(0.03, 0.09)
    fade, start = rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.9)

    def side() -> Components:
        reach = length / 2 * rng.uniform(0.8, 1)
        return _jet(rng, reach, curve=curve, opening=opening, fade=fade, start=start)

    return _join(_two_sided(rng, side), _core(rng, 0.12))


def x_shaped(rng: np.random.Generator, length: float) -> Components:
    """A double with a second, fainter pair of wings across it."""
    wings = remnant(rng, length * rng.uniform(0.6, 1.0)).turned(rng.uniform(0.9, 2.2))
    return _join(fr2(rng, length * rng.uniform(0.6, 1.0)), wings.scaled(rng.uniform(0.2, 0.7)))


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
