"""Outlines of sources: polygons in pixels, and as text on the sky."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord
from scipy import ndimage
from skimage.measure import find_contours

from helikon.space.measures.footprints import Footprints, SourceMasks
from helikon.space.measures.gaussians import FWHM, ellipse_of_form
from helikon.space.names import read_outline, sky_words, stc_text
from helikon.space.outputs.polylines import simplified

__all__ = ["Outlines", "outlines_in_pixels", "polygons", "source_outlines", "stc_texts"]

Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

OUTLINE_SIGMA = 2.5
"""Local sigma at which a Gaussian source's outline is drawn."""
N_CORNERS = 12
"""Of the polygon that stands for an ellipse."""
TOLERANCE = 0.4
"""How far in pixels a simplified border may lie from the true one."""
ROUND_BEAMS = 0.8
"""Width, over that of the beam, of the Gaussian that rounds the border of a source's pixels."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outlines:
    """Polygons of all sources, ordered as the parts of their footprints are.

    Attributes
    ----------
    corners : list of ndarray, shape (m, 2)
        x and y of each polygon, not closed.
    part, source : ndarray of int
        Whose polygons they are, from 0.
    n_sources : int
    """

    corners: list[Double]
    part: Int
    source: Int
    n_sources: int


def source_outlines(
    parameters: Double,
    rms: Double,
    is_gaussian: Bool,
    masks: SourceMasks,
    prints: Footprints,
    beam_fwhm_pixels: float,
) -> Outlines:
    """Outline all sources.

    A Gaussian source's outline is where it falls to :data:`OUTLINE_SIGMA`, which
    follows the source more closely than the noise lets its pixels do; the
    others' is the border of their pixels, rounded: what is inside has, within a
    beam or so, more of them around it than not.

    Parameters
    ----------
    parameters : ndarray, shape (n, 6)
        Peak, x, y, a, b, c.
    rms : ndarray, shape (n,)
        Noise at the peaks, in the unit of the peaks.
    """
    ellipses = _ellipses(parameters, _isophote_areas(parameters, rms))
    rounding = ROUND_BEAMS * beam_fwhm_pixels / FWHM
    corners: list[Double] = []
    part: list[int] = []
    for number, source in enumerate(prints.source_of_part.tolist()):
        found = [ellipses[source]] if is_gaussian[source] else _part_polygons(prints, number, rounding)
        corners += found
        part += [number] * len(found)
    of_part = np.array(part, dtype=np.int64)
    return Outlines(
        corners=corners, part=of_part, source=prints.source_of_part[of_part], n_sources=len(masks.pieces)
    )


def polygons(mask: Bool, rounding: float = 0.0) -> list[Double]:
    """Return the outer borders of a mask as polygons (m, 2) of x and y, not closed.

    Parameters
    ----------
    rounding : float
        Standard deviation, in pixels, of a Gaussian: what is inside has more of
        the mask around it than not, weighted so. A mask so thin that nothing
        would be inside, or that would fall apart, keeps its border as it is.
    """
    margin = math.ceil(rounding) + 1
    inside = np.pad(mask, margin).astype(np.float64)
    rounded = _borders(ndimage.gaussian_filter(inside, rounding, mode="constant"), margin)
    as_it_is = _borders(inside, margin)
    return rounded if len(rounded) == len(as_it_is) else as_it_is


def _borders(inside: Double, margin: int) -> list[Double]:
    contours = find_contours(inside, 0.5, fully_connected="high")
    simple = (simplified(contour, TOLERANCE)[:-1, ::-1] - margin for contour in contours)
    return [polygon for polygon in simple if len(polygon) > 2 and _area(polygon) > 0]


def stc_texts(wcs: Any, outlines: Outlines) -> list[str]:
    """Write each source's polygons as STC-S in ICRS; several are a Union."""
    words = sky_words(wcs, outlines.corners)
    texts: list[list[str]] = [[] for _ in range(outlines.n_sources)]
    for source, word in zip(outlines.source.tolist(), words, strict=True):
        texts[source].append(word)
    return [stc_text(parts) for parts in texts]


def outlines_in_pixels(texts: Sequence[str], wcs: Any) -> list[list[Double]]:
    """Return the polygons (m, 2) of each outline in pixels of a map, all transformed in one go."""
    outlines = [read_outline(text) for text in texts]
    flat = [polygon for polygons in outlines for polygon in polygons]
    if not flat:
        return [[] for _ in texts]
    ra, dec = np.concatenate(flat).T
    corners = np.stack(wcs.world_to_pixel(SkyCoord(ra, dec, unit="deg", frame="icrs")), axis=1)
    pieces = iter(np.split(corners, np.cumsum([len(polygon) for polygon in flat])[:-1]))
    return [[next(pieces) for _ in polygons] for polygons in outlines]


def _part_polygons(prints: Footprints, part: int, rounding: float) -> list[Double]:
    pixels = slice(prints.part_starts[part], prints.part_starts[part + 1])
    x, y = prints.x[pixels], prints.y[pixels]
    corner = x.min(), y.min()
    mask = np.zeros((y.max() - corner[1] + 1, x.max() - corner[0] + 1), dtype=bool)
    mask[y - corner[1], x - corner[0]] = True
    return [polygon + corner for polygon in polygons(mask, rounding)]


def _isophote_areas(parameters: Double, rms: Double) -> Double:
    """Areas in pixels within which Gaussians are brighter than OUTLINE_SIGMA; at least four pixels."""
    major, minor, _ = ellipse_of_form(parameters[:, 3:])
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.log(np.maximum(parameters[:, 0] / (OUTLINE_SIGMA * rms), 1.0))
    return np.maximum(math.pi / (4 * math.log(2)) * major * minor * depth, 4.0)


def _ellipses(parameters: Double, areas: Double) -> Double:
    """Return polygons (n, 12, 2) around ellipses of these areas in pixels."""
    major, minor, angle = ellipse_of_form(parameters[:, 3:])
    inscribed = N_CORNERS / 2 * math.sin(2 * math.pi / N_CORNERS)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.sqrt(areas / (inscribed * major * minor))
    turn = np.arange(N_CORNERS) * 2 * math.pi / N_CORNERS
    along, across = (length[:, None] * wave for length, wave in
                     ((size * major, np.cos(turn)), (size * minor, np.sin(turn))))  # fmt: skip
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x = parameters[:, 1:2] + along * cos - across * sin
    y = parameters[:, 2:3] + along * sin + across * cos
    return np.stack([x, y], axis=2)


def _area(polygon: Double) -> float:
    """Signed area: skimage winds around high values one way and around holes the other."""
    x, y = polygon.T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)
