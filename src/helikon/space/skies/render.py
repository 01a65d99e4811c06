"""Gaussian components onto pixels, with the clean beam applied exactly."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from helikon.space.skies.components import Components
from helikon.space.skies.imaging import GaussianBeam

__all__ = ["Stamp", "deposit", "render"]

Image = npt.NDArray[np.float32]


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
    bxx, bxy, byy = beam.covariance
    xx, xy, yy = source.xx + bxx, source.xy + bxy, source.yy + byy
    determinant = xx * yy - xy * xy
    peak = source.flux * beam.area / (2 * math.pi * np.sqrt(determinant))
    faintest = faintest * float(peak.max()) if relative else faintest
    reach = np.sqrt(2 * np.log(np.maximum(peak / faintest, 1.6)))
    half_x, half_y = reach * np.sqrt(xx), reach * np.sqrt(yy)
    x0 = np.clip(np.floor(source.x - half_x), 0, shape[1]).astype(int)
    x1 = np.clip(np.ceil(source.x + half_x) + 1, 0, shape[1]).astype(int)
    y0 = np.clip(np.floor(source.y - half_y), 0, shape[0]).astype(int)
    y1 = np.clip(np.ceil(source.y + half_y) + 1, 0, shape[0]).astype(int)
    left, low = int(x0.min()), int(y0.min())
    data = np.zeros((int(y1.max()) - low, int(x1.max()) - left), dtype=np.float32)
    a, b, c = yy / determinant, -xy / determinant, xx / determinant
    for i in range(len(peak)):
        if x1[i] <= x0[i] or y1[i] <= y0[i] or peak[i] <= 0:
            continue
        dx = (np.arange(x0[i], x1[i]) - source.x[i]).astype(np.float32)
        dy = (np.arange(y0[i], y1[i]) - source.y[i]).astype(np.float32)[:, None]
        exponent = (-0.5 * a[i] * dx * dx) - dy * (b[i] * dx + 0.5 * c[i] * dy)
        data[y0[i] - low : y1[i] - low, x0[i] - left : x1[i] - left] += peak[i] * np.exp(exponent)
    x, y = (float(np.average(place, weights=source.flux)) for place in (source.x, source.y))
    return Stamp(x0=left, y0=low, x=x, y=y, data=data)


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
