"""Points on wide emission: sources of their own where the ground around them is even.

A point that stands on a lobe is mostly a hot spot or a core, a part of its
galaxy. What stands on even ground, as far as four beams around it, is not: the
remnant of a supernova, the halo of a cluster or a shell goes on beneath it as
if it were not there. It is taken off, so that both are measured: the point
above its ground, and the ground as if nobody stood on it.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.detect import EIGHT, Pieces
from helikon.space.groups import grouped
from helikon.space.measures.gaussians import FWHM, in_beams

__all__ = ["Embedded", "find_embedded"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int32]
Form = tuple[float, float, float]

RINGS = (2.0, 3.0, 4.0)
"""Where the ground is looked at, in beam widths from the point."""
N_ANGLES = 32
BLANK = -1e9
"""Sigma of what is blank or off the map: far below any ground."""
HALF, HALF_WITHIN = 0.5, 0.2
MOST_OUTSIDE = 0.3
"""What a point has of its height half a beam beside its peak, and at most a whole one beside."""
LEAST_GROUND, LOWEST = 1.0, 0.3
"""The first ring lies nowhere below this many sigma, nor below this part of its median."""
HIGHEST, HIGHEST_BEYOND = 2.0, 2.5
"""How many times its median the first ring may have anywhere, and the others."""
LEVEL = 0.6
"""What the medians of the other rings have at least of it."""
PROMINENCE = 0.7
"""The point's peak is so many seed thresholds above the highest of the first ring."""
RIPPLES = 4.0
"""How many times as high as the ground's own ripples, the scatter on all rings, a point is: knots are not."""
OUTLIERS = 2, 3
"""Of the angles of the first ring, and of the others, so many may be as they like on either side."""
GROUND_FROM, GROUND_TO = 1.5, 2.5
"""The ground beneath a point is the plane through what lies between, in beam widths."""
N_CLIPS, CLIP_SIGMA = 3, 2.5
TO_SIGMA = 1.4826
"""From a median deviation to the standard deviation of a normal distribution."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Points on wide emission, and the map without them.

    Attributes
    ----------
    x, y : ndarray of int, shape (n,)
        Highest pixels.
    was : ndarray of int, shape (n,)
        Which of the sources before each was, or was a part of.
    ground_of : ndarray of int, shape (n,)
        On which source each stands.
    source_of_piece : ndarray of int, shape (n_pieces,)
        Sources of the pieces, where those of points are a part of their ground.
    labels : ndarray of int32, shape (ny, nx)
        Pixels of the points, from 1; 0 elsewhere.
    points : ndarray of float32, shape (ny, nx)
        Map less its background and less the ground beneath the points.
    ground : ndarray of float32, shape (ny, nx)
        Map less its background, with the ground in the points' places.
    """

    x: Int
    y: Int
    was: Int
    ground_of: Int
    source_of_piece: Int
    labels: Labels
    points: Float
    ground: Float


def find_embedded(
    data: Float,
    rms: Float,
    significance: Float,
    pieces: Pieces,
    source_of_piece: Int,
    is_wide: Bool,
    is_compact: Bool,
    *,
    form: Form,
    beam_fwhm_pixels: float,
    seed_sigma: float,
    flood_sigma: float,
) -> Embedded | None:
    """Find points on the even ground of wide sources.

    Parameters
    ----------
    data, rms : ndarray of float32, shape (ny, nx)
        Map less its background, and noise, in Jy/beam.
    significance : ndarray of float32, shape (ny, nx)
        The one over the other.
    source_of_piece : ndarray of int, shape (n_pieces,)
        From 0 without gaps.
    is_wide, is_compact : ndarray of bool, shape (n_sources,)
        Which sources may be such a ground, and which may stand on one.
    form : tuple of float
        a, b, c of the beam in pixels.
    seed_sigma, flood_sigma : float
        Height of a point, and of its pixels, above the ground in local noise.

    Returns
    -------
    Embedded or None
        None where there are none.
    """
    heights = np.where(np.isfinite(significance), significance, np.float32(BLANK))
    on_wide = np.isin(pieces.island, pieces.island[is_wide[source_of_piece]])
    found = [
        (source, y, x)
        for source, members in enumerate(grouped(source_of_piece))
        if is_wide[source] or (is_compact[source] and on_wide[members].any())
        for y, x in _peaks(heights, pieces, members, seed_sigma, beam_fwhm_pixels)
    ]
    if not found:
        return None
    was, y, x = np.array(found, dtype=np.int64).T
    stands = np.flatnonzero(_stand_out(heights, y, x, form, seed_sigma))
    chosen = stands[_are_far_apart(y[stands], x[stands], data[y[stands], x[stands]], form)]
    if not len(chosen):
        return None
    was, y, x = was[chosen], y[chosen], x[chosen]
    owner = np.concatenate([[-1], source_of_piece]).astype(np.int32)[pieces.labels]
    ground_of = np.where(
        is_wide[was],
        _without_a_peak(heights, pieces, source_of_piece, is_wide, was, (y, x)),
        _around(owner, y, x, form, is_wide),
    )
    is_on = ground_of >= 0
    if not is_on.any():
        return None
    was, y, x, ground_of = was[is_on], y[is_on], x[is_on], ground_of[is_on]
    given = _given(was, ground_of, len(is_wide))
    owner, ground_of = np.append(given, -1).astype(np.int32)[owner], given[ground_of]  # -1 stays
    points, ground, labels = _taken_off(data, rms, (y, x), owner, ground_of, form, flood_sigma)
    return Embedded(
        x=x,
        y=y,
        was=was,
        ground_of=ground_of,
        source_of_piece=given[source_of_piece],
        labels=labels,
        points=points,
        ground=ground,
    )


def _given(was: Int, ground_of: Int, n_sources: int) -> Int:
    """Return whom each source is a part of without the points: mostly itself.

    A compact source goes to its ground, and a ground that is nothing without its points to another.
    """
    given, moves = np.arange(n_sources), ground_of != was
    given[was[moves]] = ground_of[moves]
    return given[given]


def _rings(heights: Float, y: Int, x: Int, radius: float, form: Form) -> Double:
    """Return what lies on rings of so many beam widths around places, (n, N_ANGLES)."""
    dy, dx = _circle(radius, form)
    places = np.stack([y[:, None] + dy, x[:, None] + dx])
    return np.asarray(ndimage.map_coordinates(heights, places, order=1, mode="constant", cval=BLANK))


def _circle(radius: float, form: Form) -> tuple[Double, Double]:
    """Return offsets (rows, columns) in pixels of a circle in beams; the inverse of ``in_beams``."""
    angle = np.arange(N_ANGLES) * 2 * math.pi / N_ANGLES
    u, v = radius * FWHM * np.cos(angle), radius * FWHM * np.sin(angle)
    a, b, c = form
    dy = v / math.sqrt(c - b * b / a)
    return dy, (u - b / math.sqrt(a) * dy) / math.sqrt(a)


def _peaks(heights: Float, pieces: Pieces, members: Int, least: float, fwhm: float) -> list[tuple[int, int]]:
    """Return the highest pixels (row, column) of a source, half a beam around."""
    half = max(1, int(fwhm / 2))
    boxes = [pieces.slices[i] for i in members.tolist()]
    low = [max(0, min(box[axis].start for box in boxes) - half) for axis in (0, 1)]
    high = [max(box[axis].stop for box in boxes) + half for axis in (0, 1)]
    window = slice(low[0], high[0]), slice(low[1], high[1])
    inside, values = np.isin(pieces.labels[window], members + 1), heights[window]
    highest = ndimage.maximum_filter(values, size=2 * half + 1) == values
    y, x = np.nonzero(inside & highest & (values > least))
    return list(zip((y + low[0]).tolist(), (x + low[1]).tolist(), strict=True))


def _stand_out(heights: Float, y: Int, x: Int, form: Form, seed: float) -> Bool:
    """Say which peaks are points on even ground."""
    peak = heights[y, x]
    rings = [np.sort(_rings(heights, y, x, radius, form), axis=1) for radius in RINGS]
    middle = np.median(rings[0], axis=1)
    first, beyond = OUTLIERS
    low, high = rings[0][:, first], rings[0][:, -1 - first]
    height = peak - middle
    half, outside = (_rings(heights, y, x, at, form).mean(axis=1) - middle for at in (0.5, 1.0))
    stands = (height > seed) & (peak - high > PROMINENCE * seed)
    ground = np.concatenate(rings, axis=1)
    ripples = np.median(np.abs(ground - np.median(ground, axis=1)[:, None]), axis=1) * TO_SIGMA
    stands &= height > RIPPLES * ripples
    stands &= (np.abs(half - HALF * height) < HALF_WITHIN * height) & (outside < MOST_OUTSIDE * height)
    stands &= (low > LEAST_GROUND) & (low > LOWEST * middle) & (high < HIGHEST * middle)
    for ring in rings[1:]:
        stands &= np.median(ring, axis=1) > LEVEL * middle
        stands &= ring[:, -1 - beyond] < HIGHEST_BEYOND * middle
    return np.asarray(stands)


def _are_far_apart(y: Int, x: Int, peaks: Float, form: Form) -> Bool:
    """Say which do not lie within the ground of a higher one."""
    places = in_beams(np.stack([x, y], axis=1).astype(np.float64), form)
    kept: list[int] = []
    for one in np.lexsort((x, y, -peaks)).tolist():
        if all(math.dist(places[one], places[other]) > GROUND_FROM for other in kept):
            kept.append(one)
    return np.isin(np.arange(len(y)), kept)


def _without_a_peak(
    heights: Float, pieces: Pieces, source_of_piece: Int, is_wide: Bool, was: Int, places: tuple[Int, Int]
) -> Int:
    """Return the grounds of points on wide sources.

    What has its highest pixel in the point is nothing without it: it belongs to
    the largest wide source of its island.
    """
    highest = np.full(len(is_wide), -math.inf)
    np.maximum.at(highest, source_of_piece, heights[pieces.y, pieces.x])
    of_piece = np.bincount(pieces.labels.ravel(), minlength=len(pieces) + 1)[1:]
    size = np.bincount(source_of_piece, of_piece, minlength=len(is_wide)) * is_wide
    ground = was.copy()
    for point in np.flatnonzero(heights[places] >= highest[was]).tolist():
        islands = pieces.island[source_of_piece == was[point]]
        mates = source_of_piece[np.isin(pieces.island, islands)]
        ground[point] = mates[np.argmax(size[mates])]
    return ground


def _around(owner: Labels, y: Int, x: Int, form: Form, is_wide: Bool) -> Int:
    """Return the wide source that most of the first ring around each place belongs to, or -1."""
    dy, dx = _circle(RINGS[0], form)
    rows, columns = (np.rint(axis[:, None] + offset).astype(np.int64) for axis, offset in ((y, dy), (x, dx)))
    inside = (rows >= 0) & (rows < owner.shape[0]) & (columns >= 0) & (columns < owner.shape[1])
    ring = owner[np.clip(rows, 0, owner.shape[0] - 1), np.clip(columns, 0, owner.shape[1] - 1)]
    ring = np.where(inside & (ring >= 0) & is_wide[ring], ring, -1)
    middle = np.sort(ring, axis=1)[:, N_ANGLES // 2]
    return np.where(np.sum(ring == middle[:, None], axis=1) > N_ANGLES // 2, middle, -1)


def _taken_off(
    data: Float, rms: Float, places: tuple[Int, Int], owner: Labels, ground_of: Int, form: Form, flood: float
) -> tuple[Float, Float, Labels]:
    """Return the points above their ground, the ground without them, and the pixels of each from 1."""
    points, ground, labels = data.copy(), data.copy(), np.zeros(data.shape, dtype=np.int32)
    reach = 1 + math.ceil(max(np.abs(axis).max() for axis in _circle(GROUND_TO, form)))
    for number, (y, x) in enumerate(zip(*(axis.tolist() for axis in places), strict=True), 1):
        box = slice(max(0, y - reach), y + reach + 1), slice(max(0, x - reach), x + reach + 1)
        rows, columns = np.indices(data[box].shape)
        dy, dx = (rows + (box[0].start - y)).astype(float), (columns + (box[1].start - x)).astype(float)
        away = np.hypot(*in_beams(np.stack([dx.ravel(), dy.ravel()], axis=1), form).T).reshape(dx.shape)
        around = (away >= GROUND_FROM) & (away <= GROUND_TO) & np.isfinite(data[box])
        plane = _plane(dy, dx, data[box], around)
        is_own = owner[box] == ground_of[number - 1]
        beneath = (is_own | (owner[box] < 0)) & (away < GROUND_FROM)
        points[box] = np.where(beneath, data[box] - plane, points[box])
        ground[box] = np.where(beneath, plane, ground[box])
        above = (is_own & (away < 1.0) & (data[box] - plane > flood * rms[box])) | (away == 0)
        parts, _ = ndimage.label(above, structure=EIGHT)
        labels[box][(parts > 0) & (parts == parts[y - box[0].start, x - box[1].start])] = number
    return points, ground, labels


def _plane(dy: Double, dx: Double, values: Float, used: Bool) -> Float:
    """Return the plane through the pixels that are used, without those that stand out of it."""
    terms = np.stack([np.ones_like(dy), dy, dx], axis=-1)
    sample, heights = terms[used], values[used].astype(np.float64)
    kept = np.ones(len(heights), dtype=bool)
    for _ in range(N_CLIPS):
        fitted = np.linalg.lstsq(sample[kept], heights[kept], rcond=None)[0]
        rest = heights - sample @ fitted
        scatter = TO_SIGMA * np.median(np.abs(rest[kept]))
        kept = np.abs(rest) <= CLIP_SIGMA * scatter
        if np.count_nonzero(kept) < 3 * len(fitted):
            break
    return np.asarray(terms @ fitted, dtype=np.float32)
