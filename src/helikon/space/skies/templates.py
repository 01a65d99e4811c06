"""Real radio galaxies as templates: cut out of survey maps, cleaned of noise, made new in a field.

The maps are the user's (such as cut-outs of VLA FIRST); none comes with
Helikon. A template is one galaxy with all its islands on an empty sky.
"""

import dataclasses
import functools
import hashlib
import json
import math
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.errors import InputError, NotFound
from helikon.space.skies.options import SPLITS

__all__ = ["Template", "isolate", "load_templates", "sha256_of_templates", "split_of"]

BLOCK_DEG = 3.0
"""Fields in one block of right ascension go into the same split."""
USUAL_EXTENT_ARCSEC = 60.0
ISLAND_SIGMA, PEAK_SIGMA, SKIRT_SIGMA = 3.0, 5.0, 2.0
DYNAMIC_RANGE = 200.0
"""Emission fainter than the peak over this is taken for sidelobes."""
LEAST_PEAK_SIGMA = 15.0

Image = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One real galaxy on an empty sky.

    Attributes
    ----------
    name : str
        Of the file it comes from.
    data : ndarray of float32
        Peak 1, zero outside the galaxy.
    beam_pixels : float
        FWHM of its beam, taken as round.
    snr : float
        Peak over the noise of the map it comes from.
    """

    name: str
    data: Image
    beam_pixels: float
    snr: float


def sha256_of_templates(folder: Path) -> str:
    """Say which files are in a folder of templates, by their names and sizes."""
    files = sorted((path.name, path.stat().st_size) for path in folder.glob("*.fits*"))
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()


def split_of(right_ascension_deg: float) -> str:
    """Return the split of a place on the sky: 70 % train, 15 % validation, 15 % test.

    Whole blocks of three degrees of right ascension go together, so that
    neighbouring fields, which may show the same galaxy, never part.
    """
    block = int(right_ascension_deg % 360 // BLOCK_DEG)
    place = (block * 0.6180339887498949) % 1  # spreads consecutive blocks evenly
    return SPLITS[0] if place < 0.7 else SPLITS[1] if place < 0.85 else SPLITS[2]


@functools.lru_cache(maxsize=4)
def load_templates(folder: str, split: str) -> tuple[Template, ...]:
    """Read and clean the galaxies of a split.

    Parameters
    ----------
    folder : str
        With FITS maps named ``class_position_redshift_extent.fits[.fz]``, as
        ``100_010.451-009.284_0.0529_0080.60.fits.fz``: right ascension and
        declination in degrees, largest extent in arcsec (60 if not a number);
        the galaxy in the middle.
    split : str
        ``train``, ``validation`` or ``test``; see :func:`split_of`.

    Raises
    ------
    NotFound
        If the folder holds no such maps.
    """
    paths = sorted(path for path in Path(folder).glob("*.fits*") if path.is_file())
    mine = [path for path in paths if split_of(_right_ascension(path)) == split]
    templates = tuple(template for path in mine if (template := _read(path)))
    if not templates:
        raise NotFound(
            "no galaxies to take as templates",
            got=f"{len(paths)} FITS files in {folder}, none usable for {split}",
            expected="maps named class_position_redshift_extent.fits",
            next_step="give the folder of the maps, or no templates at all",
        )
    return templates


def _right_ascension(path: Path) -> float:
    try:
        return float(path.name.split("_")[1][:7])
    except (IndexError, ValueError):
        expected = "class_position_redshift_extent.fits, as 100_010.451-009.284_0.0529_0080.60.fits"
        raise InputError("the name of a template's map", got=path.name, expected=expected) from None


def _extent_arcsec(path: Path) -> float:
    text = path.name.split(".fits")[0].split("_")[-1].strip('"')
    try:
        return float(text) or USUAL_EXTENT_ARCSEC
    except ValueError:
        return USUAL_EXTENT_ARCSEC


def _read(path: Path) -> Template | None:
    from astropy.io import fits

    with warnings.catch_warnings(), fits.open(path) as hdus:
        warnings.simplefilter("ignore")
        hdu = next(hdu for hdu in hdus if hdu.header.get("NAXIS", 0) >= 2 and hdu.data is not None)
        data = np.nan_to_num(np.squeeze(hdu.data).astype(np.float32))
        pixel = abs(float(hdu.header["CDELT1"]))
        beam = float(hdu.header.get("BMAJ", 3 * pixel)) / pixel
    return isolate(data, extent_pixels=_extent_arcsec(path) / 3600 / pixel, beam_pixels=beam, name=path.name)


def isolate(data: Image, *, extent_pixels: float, beam_pixels: float, name: str = "") -> Template | None:
    """Keep the galaxy in the middle of a map, all its islands, and nothing else.

    Parameters
    ----------
    data : ndarray
        The map; any unit.
    extent_pixels : float
        The galaxy's largest extent. Islands above 3 sigma belong to it that
        have a peak of 5 sigma within 0.6 extents of the middle.
    beam_pixels : float

    Returns
    -------
    Template or None
        None if nothing reaches 15 sigma there. Pixels above 2 sigma around an
        island are kept and fade out smoothly.
    """
    rms = _robust_rms(data[::3, ::3])
    radius = math.ceil(extent_pixels + 4 * beam_pixels)
    rows, columns = (slice(max(0, n // 2 - radius), n // 2 + radius) for n in data.shape)
    data = data[rows, columns]
    height, width = data.shape
    y, x = np.indices(data.shape)
    near = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2) < 0.6 * extent_pixels + 2 * beam_pixels
    peak = float(data[near].max())
    if peak < LEAST_PEAK_SIGMA * rms:
        return None
    floor = max(rms, peak / DYNAMIC_RANGE / ISLAND_SIGMA)
    islands, n_islands = ndimage.label(data > ISLAND_SIGMA * floor, structure=np.ones((3, 3)))
    peaks = ndimage.maximum(np.where(near, data, 0), islands, np.arange(1, n_islands + 1))
    own = np.isin(islands, np.flatnonzero(peaks > PEAK_SIGMA * floor) + 1)
    reach = ndimage.binary_dilation(own, iterations=max(1, round(beam_pixels / 2)))
    fade = np.clip((data / floor - SKIRT_SIGMA / 2) / (ISLAND_SIGMA - SKIRT_SIGMA / 2), 0, 1)
    clean = np.where(reach, data * fade * fade * (3 - 2 * fade), 0).astype(np.float32)
    clean = clean[ndimage.find_objects((clean > 0).astype(np.int8))[0]]
    return Template(name=name, data=clean / clean.max(), beam_pixels=beam_pixels, snr=peak / rms)


def _robust_rms(data: Image) -> float:
    inside = data[data != 0]
    for _ in range(4):
        rms = 1.4826 * float(np.median(np.abs(inside - np.median(inside))))
        inside = inside[np.abs(inside) < 3.5 * rms]
    return rms
