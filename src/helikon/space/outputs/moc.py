"""The map of what was searched: a MOC, as surveys exchange them.

A cell is in it if the middle of one of its samples of the map has a value, so
borders are right to about a cell.
"""

import math
from pathlib import Path

import numpy as np
from mocpy import MOC

from helikon.space.fits import RadioMap
from helikon.space.sky import sky_positions

__all__ = ["moc_order", "searched_area", "write_moc"]

MOST_SAMPLES = 512
"""Along the longer side of the map."""
DEEPEST, SHALLOWEST = 18, 4
"""Orders: cells of 0.8 arcseconds and of 3.7 degrees."""
_ORDER_0_ARCSEC = 58.6323 * 3600
"""Side of a cell of order 0."""


def moc_order(spacing_arcsec: float) -> int:
    """Return the deepest order whose cells are larger than the samples are apart (by half)."""
    order = math.floor(math.log2(_ORDER_0_ARCSEC / (1.5 * spacing_arcsec)))
    return min(max(order, SHALLOWEST), DEEPEST)


def searched_area(radio_map: RadioMap) -> MOC:
    """Return the area where the map has values.

    Parameters
    ----------
    radio_map : RadioMap
        The map, or one of larger pixels (``MapFile.overview``).
    """
    step = -(-max(radio_map.data.shape) // MOST_SAMPLES)
    y, x = (np.arange(min(step // 2, length - 1), length, step) for length in radio_map.data.shape)
    rows, columns = np.nonzero(np.isfinite(radio_map.data[np.ix_(y, x)]))
    sky = sky_positions(radio_map.wcs, x[columns].astype(float), y[rows].astype(float))
    return MOC.from_lonlat(sky.ra, sky.dec, max_norder=moc_order(step * radio_map.pixel_arcsec))


def write_moc(radio_map: RadioMap, path: Path) -> None:
    """Write the searched area as a FITS MOC that readers of the first version understand too."""
    searched_area(radio_map).save(path, format="fits", overwrite=True, v1_compatible=True)
