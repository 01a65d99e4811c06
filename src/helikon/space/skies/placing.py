"""A template put into a field: turned, mirrored, zoomed, seen with the field's beam."""

import math

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy import ndimage

from helikon.space.skies.imaging import FWHM_PER_SIGMA, GaussianBeam
from helikon.space.skies.render import Stamp
from helikon.space.skies.templates import Template

__all__ = ["place_template"]

Image = npt.NDArray[np.float32]

_ZOOM = (0.7, 1.8)
_LARGEST_BEAM = 0.9
"""A zoomed template's own beam may have this share of the field's, at most."""
_FAINTEST = 3e-4
"""Share of the peak below which a stamp is empty."""


def place_template(
    rng: np.random.Generator,
    template: Template,
    beam: GaussianBeam,
    shape: tuple[int, int],
    place: tuple[float, float],
) -> Stamp:
    """Make a template new: turned, mirrored, zoomed, seen with the field's beam.

    Parameters
    ----------
    rng : numpy.random.Generator
    template : Template
    beam : GaussianBeam
        Of the field.
    shape : tuple of int
        Of the field; the stamp is cut at its border.
    place : tuple of float
        x and y of the template's middle in the field, pixels.

    Returns
    -------
    Stamp
        Peak 1. The zoom is 0.7 to 1.8, and less if the zoomed template's own
        beam would come near the field's.
    """
    largest = max(0.3, min(_ZOOM[1], _LARGEST_BEAM * beam.axes[1] / template.beam_pixels))
    zoom = math.exp(rng.uniform(math.log(min(_ZOOM[0], 0.8 * largest)), math.log(largest)))
    angle, mirror = rng.uniform(0, 2 * math.pi), rng.choice([-1.0, 1.0])
    margin = round(2.5 * beam.axes[0])
    n = math.ceil(zoom * math.hypot(*template.data.shape)) + 2 * margin
    n = scipy.fft.next_fast_len(n, real=True)
    x0, y0 = (math.floor(at) - n // 2 for at in place)
    c, s = math.cos(angle) / zoom, math.sin(angle) / zoom
    turn = np.array([[c, s * mirror], [-s, c * mirror]])
    middle = np.array([place[1] - y0, place[0] - x0])
    offset = (np.array(template.data.shape) - 1) / 2 - turn @ middle
    data = ndimage.affine_transform(template.data, turn, offset=offset, output_shape=(n, n), order=1)
    data = np.maximum(_blur(data, beam, zoom * template.beam_pixels), 0)
    return _cut(np.where(data > _FAINTEST * data.max(), data / data.max(), 0), x0, y0, shape)


def _blur(data: Image, beam: GaussianBeam, own_fwhm: float) -> Image:
    """Convolve with the Gaussian that takes a round beam of ``own_fwhm`` to ``beam``."""
    n, own = len(data), (own_fwhm / FWHM_PER_SIGMA) ** 2
    xx, xy, yy = beam.covariance
    ky, kx = scipy.fft.fftfreq(n)[:, None], scipy.fft.rfftfreq(n)[None, :]
    exponent = -2 * math.pi**2 * ((xx - own) * kx * kx + 2 * xy * kx * ky + (yy - own) * ky * ky)
    spectrum = scipy.fft.rfft2(data) * np.exp(exponent).astype(np.float32)
    blurred: Image = scipy.fft.irfft2(spectrum, s=data.shape)
    return blurred


def _cut(data: Image, x0: int, y0: int, shape: tuple[int, int]) -> Stamp:
    """Cut to what shines, then to the field."""
    rows, columns = (np.flatnonzero(data.any(axis=axis)) for axis in (1, 0))
    low, left = max(rows[0], -y0), max(columns[0], -x0)
    high, right = min(rows[-1] + 1, shape[0] - y0), min(columns[-1] + 1, shape[1] - x0)
    y, x = np.indices(data.shape)
    centre = [float(np.average(axis, weights=data)) for axis in (x, y)]
    if high <= low or right <= left:
        low = high = left = right = 0
    inner = np.ascontiguousarray(data[low:high, left:right], dtype=np.float32)
    return Stamp(x0=max(0, left + x0), y0=max(0, low + y0), x=centre[0] + x0, y=centre[1] + y0, data=inner)
