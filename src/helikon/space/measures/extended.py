"""Measure what is no Gaussian: sums and moments of masks."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.measures.footprints import SourceMasks
from helikon.space.measures.gaussians import FWHM, form_of_ellipse

__all__ = ["MaskMeasure", "measure_mask", "measure_masks"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


GROWTH = 1.0
"""How far around a wide mask its flux density is summed, in beam widths: as far as the beam spreads it."""
WIDE = 2.0
"""A mask is wide that has this many times the pixels of a point source's of the same height."""
RIM = 0.5
"""How wide the outermost part of that is, in beam widths: it tells what may still be missing."""
NOISE_RISE = 1.5
"""How much noisier sums over many beams are than beams apart would make them: sources below the
threshold make noise that correlates over more than a beam (on made-up fields twice the area)."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MaskMeasure:
    """What a mask's pixels say.

    Attributes
    ----------
    peak : float
        Highest pixel in Jy/beam.
    flux : float
        Integrated flux density in Jy, of the mask and half a beam around it; of a beam
        around a wide one, where no other source is nearer than that.
    rim : float
        What the outermost half beam has of it, in Jy.
    n_summed : int
        Pixels in that sum.
    sum_error : float
        Its error for a noise of 1 Jy/beam, in Jy, without the rim.
    x, y : float
        Centre of brightness in pixels.
    scatter : ndarray, shape (2, 2)
        Covariance of the centre in squared pixels, for a noise of 1.
    form : tuple of float
        a, b, c of the ellipse with the mask's second moments.
    """

    peak: float
    flux: float
    rim: float
    n_summed: int
    sum_error: float
    x: float
    y: float
    scatter: Double
    form: tuple[float, float, float]


def measure_masks(
    data: Float, masks: SourceMasks, chosen: Bool, *, beam_area_pixels: float, beam_fwhm_pixels: float
) -> list[MaskMeasure]:
    """Measure the pixels of the sources that are ``chosen``, in their order."""
    pad = math.ceil(2 * GROWTH * beam_fwhm_pixels) + 1  # others reach a beam into what is summed
    found = []
    for source in np.flatnonzero(chosen).tolist():
        rows, columns = (
            slice(max(0, side.start - pad), min(length, side.stop + pad))
            for side, length in zip(masks.slices[source], data.shape, strict=True)
        )
        labels = masks.labels[rows, columns]
        mask = labels == source + 1
        one = measure_mask(
            data[rows, columns], mask, (labels > 0) & ~mask, beam_area_pixels, beam_fwhm_pixels
        )
        found.append(dataclasses.replace(one, x=one.x + columns.start, y=one.y + rows.start))
    return found


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
    away = _distance(mask) / beam_fwhm_pixels
    is_rim, far_from_others = away > GROWTH - RIM, np.zeros(mask.shape, dtype=bool)
    if _is_wide(data[mask], beam_area_pixels):
        far_from_others = _distance(others) > GROWTH * beam_fwhm_pixels
    summed = ~others & (away <= GROWTH) & (far_from_others | ~is_rim) & np.isfinite(data)
    doubtful = summed & ~mask & (is_rim | ~far_from_others)
    y, x = np.nonzero(mask)
    weights = np.clip(np.nan_to_num(data[y, x].astype(np.float64)), 1e-30, None)
    centre_x, centre_y = np.average(x, weights=weights), np.average(y, weights=weights)
    n_summed = int(summed.sum())
    offsets = np.stack([x - centre_x, y - centre_y])
    return MaskMeasure(
        peak=float(data[y, x].max()),
        flux=float(data[summed].sum(dtype=np.float64) / beam_area_pixels),
        rim=float(data[doubtful].sum(dtype=np.float64) / beam_area_pixels),
        n_summed=n_summed,
        sum_error=NOISE_RISE * math.sqrt(n_summed / beam_area_pixels),
        x=float(centre_x),
        y=float(centre_y),
        scatter=offsets @ offsets.T * beam_area_pixels / weights.sum() ** 2,
        form=_moments(offsets[0], offsets[1], weights),
    )


def _is_wide(values: Float, beam_area_pixels: float) -> bool:
    """Say of the pixels of a mask whether they are more than those of two points as high."""
    lowest = max(float(values.min()), 1e-3 * float(values.max()))
    n_of_point = beam_area_pixels * max(1.0, math.log(float(values.max()) / lowest))
    return len(values) > WIDE * n_of_point


def _distance(mask: Bool) -> Double:
    """Return how far each pixel is from the mask; infinitely far from an empty one."""
    if not mask.any():
        return np.full(mask.shape, math.inf)
    return np.asarray(ndimage.distance_transform_edt(~mask), dtype=np.float64)


def _moments(dx: Double, dy: Double, weights: Double) -> tuple[float, float, float]:
    """Return the form of the Gaussian with these second moments, at least a pixel wide."""
    pixel = 1 / 12
    xx, yy, xy = (float(np.average(product, weights=weights)) for product in (dx * dx, dy * dy, dx * dy))
    mean, half = (xx + yy) / 2 + pixel, math.hypot((xx - yy) / 2, xy)
    major, minor = (FWHM * math.sqrt(max(value, pixel)) for value in (mean + half, mean - half))
    return form_of_ellipse(major, minor, 0.5 * math.atan2(2 * xy, xx - yy))
