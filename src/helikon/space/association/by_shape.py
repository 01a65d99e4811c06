"""Which pieces of an island are one source by their shape alone, where no network is asked."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.detect import MOST_PEAKS, Pieces
from helikon.space.groups import grouped
from helikon.space.valleys import merge_ripples, saddles

__all__ = ["join_by_shape"]

Float = npt.NDArray[np.float32]
Int = npt.NDArray[np.int32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

LEAST_PROMINENCE_SIGMA = 3.0
LEAST_PROMINENCE = 0.2
"""How far, in sigma and in its own height, a peak must stand out over the saddle to the next."""
HIGHEST_SADDLE = 0.5
"""A compact source in extended emission is at least twice as high as the pass that leads from it."""
CORE_RADIUS = 0.7
"""Pixels this many beam widths around such a peak must look like a beam."""
RESIDUAL_SIGMA, RESIDUAL = 5.0, 0.15
"""What may be left over, in sigma or of the peak, where beams explain a blend."""


def join_by_shape(
    significance: Float, pieces: Pieces, beam_form: tuple[float, float, float]
) -> npt.NDArray[np.int64]:
    """Return the source, from 0 without gaps, of each piece.

    Pieces of an island that beams at their peaks explain are sources of their
    own. Else those are that stand out as beams do, and the rest is one source.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
    pieces : Pieces
    beam_form : tuple of float
        a, b, c of the beam in pixels, see ``gaussians.form_of_ellipse``.
    """
    group = np.arange(len(pieces))
    for members in grouped(pieces.island):
        if len(members) > 1:
            parts = _joined(significance, pieces, members, beam_form)
            first = {part: members[np.argmax(parts == part)] for part in np.unique(parts)}
            group[members] = [first[part] for part in parts]
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def _joined(
    significance: Float, pieces: Pieces, members: npt.NDArray[np.int64], form: tuple[float, float, float]
) -> npt.NDArray[np.int64]:
    """Return the part of each piece of one island."""
    boxes = [pieces.slices[i] for i in members]
    rows, columns = (
        slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes)) for axis in (0, 1)
    )
    number = np.zeros(len(pieces) + 1, dtype=np.int32)
    number[members + 1] = np.arange(1, len(members) + 1)
    parts = number[pieces.labels[rows, columns]]
    heights = np.nan_to_num(significance[rows, columns], nan=-1e9)
    merged = merge_ripples(heights, parts, least=LEAST_PROMINENCE_SIGMA, least_share=LEAST_PROMINENCE)
    if int(merged.max()) > MOST_PEAKS or not _beams_explain(heights, merged, form):
        merged = _only_compact(heights, merged, form)
    at = ndimage.maximum_position(heights, parts, np.arange(1, len(members) + 1))
    return np.array([merged[y, x] for y, x in at], dtype=np.int64)


def _only_compact(significance: Float, parts: Int, form: tuple[float, float, float]) -> Int:
    """Keep the parts that stand out as beams do; the others become one, number 1."""
    highest_pass = np.zeros(int(parts.max()) + 1)
    for saddle, one, other in saddles(significance, parts):
        highest_pass[[one, other]] = np.maximum(highest_pass[[one, other]], saddle)
    kept = [
        part
        for part in range(1, len(highest_pass))
        if _stands_out(significance, parts == part, float(highest_pass[part]), form)
    ]
    result = (parts > 0).astype(np.int32)
    first = 1 if np.isin(parts[parts > 0], kept).all() else 2
    for number, part in enumerate(kept, start=first):
        result[parts == part] = number
    return result


def _stands_out(significance: Float, part: Bool, saddle: float, form: tuple[float, float, float]) -> bool:
    """Say whether a part is a beam on a pedestal, twice as high as the pass to its neighbour."""
    y, x = np.nonzero(part)
    values = significance[y, x].astype(np.float64)
    top = int(np.argmax(values))
    height = values[top]
    if saddle > HIGHEST_SADDLE * height:
        return False
    offset = _vertex(significance, y[top], x[top])
    dy, dx = y - y[top] - offset[0], x - x[top] - offset[1]
    distance = form[0] * dx**2 + 2 * form[1] * dx * dy + form[2] * dy**2
    core = distance < 8 * np.log(2) * CORE_RADIUS**2
    terms = np.column_stack([np.exp(-0.5 * distance), np.ones(len(x))])[core]
    fitted = np.linalg.lstsq(terms, values[core], rcond=None)[0]
    residual = np.abs(values[core] - terms @ fitted).max()
    return bool(fitted[0] > 0.5 * height and residual < max(RESIDUAL_SIGMA, RESIDUAL * height))


def _beams_explain(significance: Float, parts: Int, form: tuple[float, float, float]) -> bool:
    """Say whether beams at the peaks, fitted in height, leave little of an island."""
    y, x = np.nonzero(parts)
    values = significance[y, x].astype(np.float64)
    peaks = np.array(ndimage.maximum_position(significance, parts, np.arange(1, parts.max() + 1)))
    peaks = peaks + np.array([_vertex(significance, row, column) for row, column in peaks])
    dx, dy = x[:, None] - peaks[:, 1], y[:, None] - peaks[:, 0]
    a, b, c = form
    beams = np.exp(-0.5 * (a * dx**2 + 2 * b * dx * dy + c * dy**2))
    heights = np.linalg.lstsq(beams, values, rcond=None)[0]
    residual = np.abs(values - beams @ heights)
    near = np.max(beams * heights, axis=1)
    return bool(
        np.all(heights > 0)
        and np.all(residual < np.maximum(RESIDUAL_SIGMA, RESIDUAL * (near + values.max()) / 2))
    )


def _vertex(significance: Float, row: int, column: int) -> tuple[float, float]:
    """Return the offset from a highest pixel to the vertex of parabolas through its neighbours."""
    padded = np.pad(significance, 1, mode="reflect")[row : row + 3, column : column + 3].astype(np.float64)
    return _vertex_1d(padded[:, 1]), _vertex_1d(padded[1])


def _vertex_1d(three: Double) -> float:
    before, here, after = three
    curvature = 2 * here - before - after
    return float(np.clip((after - before) / (2 * curvature), -0.5, 0.5)) if 0 < curvature < np.inf else 0.0
