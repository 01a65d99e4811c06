"""The islands of sources: sums, centres and boxes of what each has in one island."""

import json

import numpy as np
import numpy.typing as npt

from helikon.space.background import Background
from helikon.space.columns import ISLAND_COLUMNS, packed_names
from helikon.space.fits import RadioMap
from helikon.space.measures.footprints import Footprints, borders
from helikon.space.measures.outlines import Outlines
from helikon.space.sky import icrs

__all__ = ["island_rows"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]


def island_rows(
    data: Float,
    background: Background,
    prints: Footprints,
    outlines: Outlines,
    radio_map: RadioMap,
    x: Double,
    y: Double,
) -> list[str]:
    """Pack the islands of each source into a text (see ``columns.packed_names``).

    Parameters
    ----------
    data : ndarray of float32, shape (ny, nx)
        Map less its background.
    outlines : Outlines
        Of the same footprints.
    x, y : ndarray, shape (n_sources,)
        Of the sources: packed places are relative to them, those of pixels to
        the pixel below.
    """
    starts, source = prints.part_starts[:-1], prints.source_of_part
    values = data[prints.y, prints.x].astype(np.float64)
    weights = np.clip(values, 1e-30, None)
    n_pixels = np.diff(prints.part_starts)
    total = np.add.reduceat(weights, starts)
    centre = [np.add.reduceat(weights * axis, starts) / total for axis in (prints.x, prints.y)]
    mean_rms = np.add.reduceat(background.rms[prints.y, prints.x].astype(np.float64), starts) / n_pixels
    ra, dec = icrs(radio_map.wcs, *centre)
    area = radio_map.beam_area_pixels
    low = {name: np.minimum.reduceat(axis, starts) for name, axis in (("x", prints.x), ("y", prints.y))}
    high = {name: np.maximum.reduceat(axis, starts) for name, axis in (("x", prints.x), ("y", prints.y))}
    floor_x, floor_y = (np.floor(axis[source]).astype(np.int64) for axis in (x, y))
    columns = {
        "n_polygons": np.bincount(outlines.part, minlength=len(source)),
        "n_pixels": n_pixels,
        "x": centre[0] - x[source],
        "y": centre[1] - y[source],
        "ra": ra,
        "dec": dec,
        "x_min": low["x"] - floor_x,
        "x_max": high["x"] - floor_x,
        "y_min": low["y"] - floor_y,
        "y_max": high["y"] - floor_y,
        "sum": np.add.reduceat(values, starts),
        "peak": np.maximum.reduceat(values, starts),
        "int_flux": np.add.reduceat(values, starts) / area,
        "int_flux_err": mean_rms * np.sqrt(n_pixels / area),
        "background": np.add.reduceat(background.level[prints.y, prints.x].astype(np.float64), starts)
        / n_pixels,
        "local_rms": mean_rms,
        "edge": np.maximum.reduceat(borders(radio_map.data)[prints.y, prints.x], starts).astype(np.int64),
    }
    rows = list(zip(*(columns[name].tolist() for name in packed_names(ISLAND_COLUMNS)), strict=True))
    ends = np.searchsorted(source, np.arange(len(x)), side="right").tolist()
    return [json.dumps(rows[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
