"""Gaussian components onto pixels, with the clean beam applied exactly."""

import dataclasses
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
    whole : float, optional
        Sum of ``data`` before it was cut at the border of the map.
    """

    x0: int
    y0: int
    x: float
    y: float
    data: Image
    whole: float | None = None

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
    first = np.zeros(1, dtype=np.int64)
    return render_each(source, first, beam, shape, faintest, relative=relative)[0]


def render_each(
    sources: Components,
    first: Int,
    beam: GaussianBeam,
    shape: tuple[int, int],
    faintest: float,
    *,
    relative: bool = False,
) -> list[Stamp]:
    """Draw many small sources, each as :func:`render` does, in a fraction of the time.

    Parameters
    ----------
    sources : Components
        Of all sources, one source after the other.
    first : ndarray of int
        Row of each source's first component, ascending from 0.
    beam, shape, faintest, relative
        See :func:`render`.
    """
    bxx, bxy, byy = beam.covariance
    xx, xy, yy = sources.xx + bxx, sources.xy + bxy, sources.yy + byy
    determinant = xx * yy - xy * xy
    peak = sources.flux * beam.area / (2 * math.pi * np.sqrt(determinant))
    n_components = np.diff(first, append=len(peak))
    least = faintest * np.repeat(np.maximum.reduceat(peak, first), n_components) if relative else faintest
    reach = np.sqrt(2 * np.log(np.maximum(peak / least, 1.6)))
    columns = _spans(sources.x, reach * np.sqrt(xx), shape[1])
    rows = _spans(sources.y, reach * np.sqrt(yy), shape[0])
    a, b, c = yy / determinant, -xy / determinant, xx / determinant
    by_flux = [place * sources.flux for place in (sources.x, sources.y)]
    pixels = np.arange(max(shape))
    stamps = []
    for start, end in zip(first.tolist(), (first + n_components).tolist(), strict=True):
        left, right = _around(columns[start:end])
        low, high = _around(rows[start:end])
        data = np.zeros((high - low, right - left), dtype=np.float32)
        for i in range(start, end):
            (x0, x1), (y0, y1) = columns[i], rows[i]
            if x1 <= x0 or y1 <= y0 or peak[i] <= 0:
                continue
            dx = (pixels[x0:x1] - sources.x[i]).astype(np.float32)
            dy = (pixels[y0:y1] - sources.y[i]).astype(np.float32)[:, None]
            exponent = (-0.5 * a[i] * dx * dx) - dy * (b[i] * dx + 0.5 * c[i] * dy)
            data[y0 - low : y1 - low, x0 - left : x1 - left] += peak[i] * np.exp(exponent)
        total = sources.flux[start:end].sum()
        x, y = (float(part[start:end].sum() / total) for part in by_flux)
        stamps.append(Stamp(x0=left, y0=low, x=x, y=y, data=data))
    return stamps


def _spans(place: Array1D, half: Array1D, n: int) -> list[tuple[int, int]]:
    """Return first and end pixel of components that reach half a width to both sides, within 0 and n."""
    first = np.clip(np.floor(place - half), 0, n).astype(int)
    end = np.clip(np.ceil(place + half) + 1, 0, n).astype(int)
    return list(zip(first.tolist(), end.tolist(), strict=True))


def _around(spans: list[tuple[int, int]]) -> tuple[int, int]:
    return min(first for first, _ in spans), max(end for _, end in spans)


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
