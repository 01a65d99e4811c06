"""Galaxies as sets of Gaussian components, and the parts that several shapes share.

With Gaussians the beam can be applied exactly, and a source can be rendered
at any sampling. Lengths are pixels, the host sits at (0, 0) and the first jet
leaves along +x.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = [
    "Array1D",
    "Components",
    "blobs",
    "clumpy",
    "core",
    "join",
    "make_compact",
    "make_disc",
    "two_sided",
]

Array1D = npt.NDArray[np.float64]
Number = float | Array1D


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

    def rows(self, rows: npt.NDArray[np.int64]) -> "Components":
        """Return those of the given rows, in that order."""
        return Components(**{name: getattr(self, name)[rows] for name in _NAMES})

    def moved(self, dx: Number, dy: Number) -> "Components":
        """Return the same moved by ``dx, dy`` pixels, all alike or each by its own."""
        return dataclasses.replace(self, x=self.x + dx, y=self.y + dy)

    def turned(self, angle: Number, squeeze: float = 1.0) -> "Components":
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


_NAMES = tuple(field.name for field in dataclasses.fields(Components))


def make_compact(flux: Number, major: Number, minor: Number, angle: Number) -> Components:
    """One Gaussian, or many; ``major`` and ``minor`` are sigmas in pixels, 0 for a point."""
    one = np.ones(np.size(flux))
    flat = Components(x=0 * one, y=0 * one, flux=flux * one, xx=one * major**2, xy=0 * one, yy=one * minor**2)
    return flat.turned(angle)


_DISC = ((0.2061, 0.376), (0.7939, 1.0286))
"""Shares of the flux and sigmas, in half-light radii, of the two Gaussians nearest to an exponential disc."""


def make_disc(flux: Number, major: Number, minor: Number, angle: Number) -> Components:
    """Two Gaussians that look like an exponential disc of half-light radii ``major`` and ``minor``.

    Of many discs, first the inner Gaussians of all, then the outer ones.
    """
    parts = (make_compact(flux * share, major * sigma, minor * sigma, angle) for share, sigma in _DISC)
    return join(*parts)


def blobs(x: Array1D, y: Array1D, flux: Array1D, sigma: Array1D | float) -> Components:
    """Return round Gaussians; ``sigma`` in pixels, one for all or each its own."""
    variance = np.broadcast_to(np.asarray(sigma, dtype=np.float64) ** 2, x.shape)
    return Components(x=x, y=y, flux=flux, xx=variance, xy=np.zeros_like(x), yy=variance)


def join(*parts: Components) -> Components:
    """Return all parts as one source."""
    return Components(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES})


def core(rng: np.random.Generator, share: float) -> Components:
    """A point at the host, with ``share`` of a flux of one; sometimes none."""
    strength = share * rng.lognormal(0, 1) * (rng.random() < 0.6)
    return blobs(np.zeros(1), np.zeros(1), np.array([strength]), 0.1)


def clumpy(rng: np.random.Generator, n: int, scatter: float) -> Array1D:
    """Draw ``n`` uneven brightnesses around 1; ``scatter`` is that of their logarithm."""
    return np.asarray(rng.lognormal(0, scatter, n))


def two_sided(rng: np.random.Generator, side: Callable[[], Components]) -> Components:
    """Two lobes or jets, of unlike strength and length, roughly opposite."""
    ratio = 10 ** rng.normal(0, 0.25)
    first = side().scaled(ratio / (1 + ratio))
    return join(first, side().scaled(1 / (1 + ratio)).turned(np.pi + rng.normal(0, 0.12)))
