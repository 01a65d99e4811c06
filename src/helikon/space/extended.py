"""Measure what is no Gaussian: sums, moments and sizes of masks."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

from helikon.space.gaussians import FWHM, form_of_ellipse

__all__ = ["MaskMeasure", "measure_mask", "polygons"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

N_ANGLES = 36


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MaskMeasure:
    """What a mask's pixels say.

    Attributes
    ----------
    peak : float
        Highest pixel in Jy/beam.
    flux : float
        Integrated flux density in Jy, of the mask and half a beam around it.
    n_summed : int
        Pixels in that sum.
    x, y : float
        Centre of brightness in pixels.
    form : tuple of float
        a, b, c of the ellipse with the mask's second moments.
    las : float
        Largest extent in pixels.
    """

    peak: float
    flux: float
    n_summed: int
    x: float
    y: float
    form: tuple[float, float, float]
    las: float


def measure_mask(
    data: Float, mask: Bool, others: Bool, beam_area_pixels: float, beam_fwhm_pixels: float
) -> MaskMeasure:
    """Measure the pixels of one mask.

    Parameters
    ----------
    data : ndarray of float32, shape (h, w)
        Map less its background; NaN where blank.
    mask, others : ndarray of bool, shape (h, w)
        Pixels of this source, and those of any other.
    """
    around = ndimage.distance_transform_edt(~mask) <= beam_fwhm_pixels / 2
    summed = around & ~others & np.isfinite(data)
    y, x = np.nonzero(mask)
    weights = np.clip(np.nan_to_num(data[y, x].astype(np.float64)), 1e-30, None)
    centre_x, centre_y = np.average(x, weights=weights), np.average(y, weights=weights)
    return MaskMeasure(
        peak=float(data[y, x].max()),
        flux=float(data[summed].sum(dtype=np.float64) / beam_area_pixels),
        n_summed=int(summed.sum()),
        x=float(centre_x),
        y=float(centre_y),
        form=_moments(x - centre_x, y - centre_y, weights),
        las=largest_extent(x, y),
    )


def largest_extent(x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> float:
    """Return the largest extent of pixels in pixels, one pixel's own included (to 0.4 %)."""
    angles = np.arange(N_ANGLES) * math.pi / N_ANGLES
    along = np.outer(np.cos(angles), x) + np.outer(np.sin(angles), y)
    return float(np.max(along.max(axis=1) - along.min(axis=1))) + 1


def polygons(mask: Bool, tolerance: float = 0.4) -> list[Double]:
    """Return the outer borders of a mask as polygons (m, 2) of x and y, not closed."""
    contours = find_contours(np.pad(mask, 1).astype(np.uint8), 0.5, fully_connected="high")
    simple = (approximate_polygon(contour, tolerance)[:-1, ::-1] - 1 for contour in contours)
    return [polygon for polygon in simple if len(polygon) > 2 and _area(polygon) > 0]


def _area(polygon: Double) -> float:
    """Signed area: skimage winds around high values one way and around holes the other."""
    x, y = polygon.T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)


def _moments(dx: Double, dy: Double, weights: Double) -> tuple[float, float, float]:
    """Return the form of the Gaussian with these second moments, at least a pixel wide."""
    pixel = 1 / 12
    xx, yy, xy = (float(np.average(product, weights=weights)) for product in (dx * dx, dy * dy, dx * dy))
    mean, half = (xx + yy) / 2 + pixel, math.hypot((xx - yy) / 2, xy)
    major, minor = (FWHM * math.sqrt(max(value, pixel)) for value in (mean + half, mean - half))
    return form_of_ellipse(major, minor, 0.5 * math.atan2(2 * xy, xx - yy))
