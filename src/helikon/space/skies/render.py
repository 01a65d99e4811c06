"""Gaussian components onto pixels, with the clean beam applied exactly."""

import dataclasses
import itertools
import math

import numpy as np
import numpy.typing as npt

from helikon.space.skies.components import Array1D, Components
from helikon.space.skies.imaging import GaussianBeam

__all__ = ["Stamp", "deposit", "render", "render_each"]

Image = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The noiseless image of one source, cut to where it shines.

    Attributes
    ----------
    x0, y0 : int
        Pixel of the stamp's corner in the large image.
    x, y : float
        Centre of all its flux, pixels of the large image; may lie outside.
    data : ndarray
        Jy/beam, float32.
    """

    x0: int
    y0: int
    x: float
    y: float
    data: Image

    @property
    def where(self) -> tuple[slice, slice]:
        """The stamp's place in the large image."""
        height, width = self.data.shape
        return slice(self.y0, self.y0 + height), slice(self.x0, self.x0 + width)


def render(
    source: Components,
    beam: GaussianBeam,
    shape: tuple[int, int],
    faintest: float,
    *,
    relative: bool = False,
) -> Stamp:
    """Draw one source.

    Parameters
    ----------
    source : Components
        Fluxes in Jy.
    beam : GaussianBeam
    shape : tuple of int
        Of the large image; the stamp is cut at its border.
    faintest : float
        Components are drawn out to this brightness, Jy/beam.
    relative : bool
        ``faintest`` is in units of the brightest component's peak instead.

    Returns
    -------
    Stamp
        Its data has no pixels if the source lies outside.
    """
    seen = _Seen.through(beam, source)
    faintest = faintest * float(seen.peak.max()) if relative else faintest
    return _draw(source, seen, np.zeros(1, dtype=np.int64), shape, faintest)[0]


def render_each(
    sources: Components, first: Int, beam: GaussianBeam, shape: tuple[int, int], faintest: float
) -> list[Stamp]:
    """Draw many small sources, each as :func:`render` does, in a fraction of the time.

    Parameters
    ----------
    sources : Components
        Of all sources, one source after the other.
    first : ndarray of int
        Row of each source's first component, ascending.
    beam, shape, faintest
        See :func:`render`.
    """
    return _draw(sources, _Seen.through(beam, sources), first, shape, faintest)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Components seen with the beam: covariances in pixels squared, peaks in Jy/beam."""

    xx: Array1D
    xy: Array1D
    yy: Array1D
    determinant: Array1D
    peak: Array1D

    @classmethod
    def through(cls, beam: GaussianBeam, source: Components) -> "_Seen":
        bxx, bxy, byy = beam.covariance
        xx, xy, yy = source.xx + bxx, source.xy + bxy, source.yy + byy
        determinant = xx * yy - xy * xy
        peak = source.flux * beam.area / (2 * math.pi * np.sqrt(determinant))
        return cls(xx=xx, xy=xy, yy=yy, determinant=determinant, peak=peak)


def _draw(
    source: Components, seen: _Seen, first: Int, shape: tuple[int, int], faintest: float
) -> list[Stamp]:
    """Draw the components from each first one to the next onto a stamp."""
    reach = np.sqrt(2 * np.log(np.maximum(seen.peak / faintest, 1.6)))
    low, high = [], []
    for place, variance, n in ((source.x, seen.xx, shape[1]), (source.y, seen.yy, shape[0])):
        half = reach * np.sqrt(variance)
        low.append(np.clip(np.floor(place - half), 0, n).astype(int))
        high.append(np.clip(np.ceil(place + half) + 1, 0, n).astype(int))
    (x0, y0), (x1, y1) = low, high
    a, b, c = seen.yy / seen.determinant, -seen.xy / seen.determinant, seen.xx / seen.determinant
    shines = ((x1 > x0) & (y1 > y0) & (seen.peak > 0)).tolist()
    by_flux = [place * source.flux for place in (source.x, source.y)]
    columns, rows = np.arange(shape[1]), np.arange(shape[0])
    lefts, rights, bottoms, tops = (edge.tolist() for edge in (x0, x1, y0, y1))
    stamps = []
    for start, end in itertools.pairwise([*first.tolist(), len(source.x)]):
        left, bottom = min(lefts[start:end]), min(bottoms[start:end])
        data = np.zeros((max(tops[start:end]) - bottom, max(rights[start:end]) - left), dtype=np.float32)
        for i in range(start, end):
            if not shines[i]:
                continue
            dx = (columns[lefts[i] : rights[i]] - source.x[i]).astype(np.float32)
            dy = (rows[bottoms[i] : tops[i]] - source.y[i]).astype(np.float32)[:, None]
            exponent = (-0.5 * a[i] * dx * dx) - dy * (b[i] * dx + 0.5 * c[i] * dy)
            here = data[bottoms[i] - bottom : tops[i] - bottom, lefts[i] - left : rights[i] - left]
            here += seen.peak[i] * np.exp(exponent)
        total = source.flux[start:end].sum()
        x, y = (float(part[start:end].sum() / total) for part in by_flux)
        stamps.append(Stamp(x0=left, y0=bottom, x=x, y=y, data=data))
    return stamps


def deposit(
    image: Image, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], flux: npt.NDArray[np.float64]
) -> None:
    """Share point fluxes among the four nearest pixels of ``image``, in place."""
    ix, iy = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - ix, y - iy
    height, width = image.shape
    for dx, dy, share in (
        (0, 0, (1 - fx) * (1 - fy)),
        (1, 0, fx * (1 - fy)),
        (0, 1, (1 - fx) * fy),
        (1, 1, fx * fy),
    ):
        inside = (ix + dx >= 0) & (ix + dx < width) & (iy + dy >= 0) & (iy + dy < height)
        np.add.at(image, (iy[inside] + dy, ix[inside] + dx), (flux * share)[inside].astype(np.float32))
