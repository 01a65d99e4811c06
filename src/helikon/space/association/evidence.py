"""What the network says of pieces, pairs and groups of them: tile by tile, at the scale that it knows."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.association.pairs import Pairs, find_pairs
from helikon.space.association.surroundings import Shapes, describe_pieces
from helikon.space.detect import Pieces
from helikon.space.finder_settings import FinderSettings
from helikon.space.mask_rcnn.view import MODEL_BEAM_PIXELS, View
from helikon.space.model import SourceModel
from helikon.space.tiles import Tile, plan_tiles

__all__ = ["TileEvidence", "gather", "look_at_tiles"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

SCALE_AS_IS = (4.0, 6.5)
"""Beam widths in pixels between which the network takes a map as it is."""
LEAST_COVER = 0.5
"""Part of a piece's pixels that a mask must hold to take it."""
LEAST_EXTENDED = 0.1
"""Probability of a detection's being extended from which its mask is looked at."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TileEvidence:
    """What the network says of what lies in one tile.

    Attributes
    ----------
    owns : ndarray of bool, shape (n_inside,)
        Whether the peak of a piece lies in the part that no other tile owns.
    inside : ndarray of int, shape (n_inside,)
        Pieces (from 0) whose peak lies in the tile.
    of_piece : ndarray, shape (n_inside, 6)
        Class probabilities of each one's box, background first.
    covered : ndarray, shape (n_inside,)
        Probability of the most probable extended detection whose mask holds the piece.
    pairs : ndarray of int, shape (m,)
        Rows of the pairs of which both are inside.
    of_pair : ndarray, shape (m, 6)
        Class probabilities of the box around both; 0 where nobody asked.
    together : ndarray, shape (m,)
        Probability of the most probable extended detection whose mask holds both.
    ask : callable
        Class probabilities (k, 6) of boxes around groups: arrays of pieces, all of them inside.
    """

    owns: Bool
    inside: Int
    of_piece: Double
    covered: Double
    pairs: Int
    of_pair: Double
    together: Double
    ask: Callable[[list[Int]], Double]


def gather(
    significance: Float,
    rms: Float,
    pieces: Pieces,
    model: SourceModel,
    settings: FinderSettings,
    *,
    beam_fwhm_pixels: float,
    every_pair: bool = False,
    tell: Callable[[str, int, int], None] = lambda step, n_done, n_total: None,
) -> tuple[Shapes, Pairs, Iterator[TileEvidence]]:
    """Gather all that the judges go by: measures of pieces and pairs, and what the network says of them.

    Parameters
    ----------
    significance, rms : ndarray of float32, shape (ny, nx)
        (map - background) / rms, and rms.
    every_pair : bool
        Ask about those too that the judge dismisses at a glance.
    tell : callable
        Called with (step, number done, number in all).
    """
    shapes = describe_pieces(
        significance,
        rms,
        pieces,
        flood_sigma=settings.flood_sigma,
        beam_fwhm_pixels=beam_fwhm_pixels,
    )
    pairs = find_pairs(significance, shapes, pieces, beam_fwhm_pixels=beam_fwhm_pixels)
    tiles = look_at_tiles(
        significance,
        pieces,
        pairs,
        model,
        asked=np.full(len(pairs), True) if every_pair else model.judge.worth_asking(pairs.features),
        beam_fwhm_pixels=beam_fwhm_pixels,
        tile_pixels=settings.tile_pixels,
        overlap_pixels=settings.overlap_pixels,
        tell=tell,
    )
    return shapes, pairs, tiles


def look_at_tiles(
    significance: Float,
    pieces: Pieces,
    pairs: Pairs,
    model: SourceModel,
    *,
    asked: Bool,
    beam_fwhm_pixels: float,
    tile_pixels: int,
    overlap_pixels: int,
    tell: Callable[[str, int, int], None] = lambda step, n_done, n_total: None,
) -> Iterator[TileEvidence]:
    """Show the network every tile that has a piece.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
        (map - background) / rms.
    asked : ndarray of bool, shape (n_pairs,)
        The pairs around which there is a box to look at.
    tile_pixels, overlap_pixels : int
        Of the tiles, in pixels of the network's scale.
    tell : callable
        Called with (step, number done, number in all).
    """
    scaled = _Scaled.of(significance, beam_fwhm_pixels)
    boxes = scaled.boxes(pieces)
    x, y = scaled.place(pieces.x), scaled.place(pieces.y)
    size = _even_size(scaled.shape, tile_pixels, overlap_pixels)
    tiles = plan_tiles(scaled.shape, size, overlap_pixels)
    for n_done, tile in enumerate(tiles):
        tell("network", n_done, len(tiles))
        within = (x >= tile.x0) & (x < tile.x1) & (y >= tile.y0) & (y < tile.y1)
        owns = np.array([tile.owns(b, a) for a, b in zip(x[within], y[within], strict=True)], dtype=bool)
        if owns.any():
            inside = np.flatnonzero(within).astype(np.int64)
            yield _evidence(scaled, tile, pieces, pairs, asked, model, boxes, inside, owns)


@dataclasses.dataclass(frozen=True, slots=True)
class _Scaled:
    """The map at the network's scale, made window by window."""

    image: Float
    scale: float
    shape: tuple[int, int]

    @classmethod
    def of(cls, significance: Float, beam_fwhm_pixels: float) -> "_Scaled":
        as_is = SCALE_AS_IS[0] <= beam_fwhm_pixels <= SCALE_AS_IS[1]
        scale = 1.0 if as_is else MODEL_BEAM_PIXELS / beam_fwhm_pixels
        image = np.where(np.isfinite(significance), significance, np.float32(0))
        if scale > 1:
            image = ndimage.spline_filter(image, order=3, output=np.float32, mode="nearest")
        shape = tuple(max(1, round(length * scale)) for length in significance.shape)
        return cls(image, scale, (shape[0], shape[1]))

    def place(self, pixel: npt.NDArray[np.int32]) -> Double:
        """Turn pixels of the map to pixels here; both count centres from 0."""
        return np.asarray((pixel + 0.5) * self.scale - 0.5, dtype=np.float64)

    def boxes(self, pieces: Pieces) -> Double:
        """Bounding boxes (n, 4) x0, y0, x1, y1 of pieces here, ends excluded."""
        corners = [(c.start, r.start, c.stop, r.stop) for r, c in pieces.slices]
        return np.array(corners, dtype=np.float64).reshape(-1, 4) * self.scale

    def window(self, tile: Tile) -> Float:
        if self.scale == 1:
            return np.ascontiguousarray(self.image[tile.window])
        first = [(start + 0.5) / self.scale - 0.5 for start in (tile.y0, tile.x0)]
        return np.asarray(
            ndimage.affine_transform(
                self.image,
                [1 / self.scale] * 2,
                first,
                tile.shape,
                order=3 if self.scale > 1 else 1,
                prefilter=False,
                mode="nearest",
            )
        )


def _even_size(shape: tuple[int, int], most: int, overlap: int) -> int:
    """Return the least size, up to ``most``, of as few tiles as that: less is looked at twice."""
    sizes = []
    for length in shape:
        n_tiles = max(1, -(-(length - overlap) // (most - overlap)))
        sizes.append(-(-(length + (n_tiles - 1) * overlap) // n_tiles))
    return max(*sizes, overlap + 1)


def _evidence(
    scaled: _Scaled,
    tile: Tile,
    pieces: Pieces,
    pairs: Pairs,
    asked: Bool,
    model: SourceModel,
    all_boxes: Double,
    inside: Int,
    owns: Bool,
) -> TileEvidence:
    view = model.look(scaled.window(tile))
    boxes = all_boxes - np.array([tile.x0, tile.y0] * 2)
    limit = np.array([tile.shape[1], tile.shape[0]] * 2, dtype=np.float64)

    def classify(around: Double) -> Double:
        return view.classify(np.clip(around, 0, limit)).astype(np.float64)

    is_inside = np.zeros(len(pieces), dtype=bool)
    is_inside[inside] = True
    rows = np.flatnonzero(is_inside[pairs.one] & is_inside[pairs.other]).astype(np.int64)
    covers = _covers(view, scaled, tile, pieces, inside)
    place = np.full(len(pieces), -1)
    place[inside] = np.arange(len(inside))
    one, other = place[pairs.one[rows]], place[pairs.other[rows]]
    both = [np.minimum(held[one], held[other]) for held in covers]
    of_piece = classify(boxes[inside])
    of_pair = np.zeros((len(rows), of_piece.shape[1]))
    looked_at = asked[rows]
    of_pair[looked_at] = classify(
        _united(boxes[pairs.one[rows[looked_at]]], boxes[pairs.other[rows[looked_at]]])
    )

    def ask(groups: list[Int]) -> Double:
        found: Double = of_piece[place[[int(group[0]) for group in groups]]]
        several = [row for row, group in enumerate(groups) if len(group) > 1]
        found[several] = classify(_around(boxes, [groups[row] for row in several]))
        return found

    return TileEvidence(
        owns=owns,
        inside=inside,
        of_piece=of_piece,
        covered=np.max(covers, axis=0, initial=0.0) if covers else np.zeros(len(inside)),
        pairs=rows,
        of_pair=of_pair,
        together=np.max(both, axis=0, initial=0.0) if both else np.zeros(len(rows)),
        ask=ask,
    )


def _around(boxes: Double, groups: list[Int]) -> Double:
    """Return the boxes (k, 4) around groups of boxes; none of the groups is empty."""
    if not groups:
        return np.zeros((0, 4))
    members = boxes[np.concatenate(groups)]
    starts = np.cumsum([0, *(len(group) for group in groups[:-1])])
    low, high = np.minimum.reduceat(members[:, :2], starts), np.maximum.reduceat(members[:, 2:], starts)
    return np.concatenate([low, high], axis=1)


def _united(one: Double, other: Double) -> Double:
    """Return the boxes around two boxes each."""
    return np.concatenate([np.minimum(one, other)[:, :2], np.maximum(one, other)[:, 2:]], axis=1)


def _covers(view: View, scaled: _Scaled, tile: Tile, pieces: Pieces, inside: Int) -> list[Double]:
    """For each extended detection, its probability at the pieces that its mask holds, 0 at the others."""
    found = []
    boxes = scaled.boxes(pieces)[inside]
    for detection in view.detect(least_extended=LEAST_EXTENDED):
        height, width = detection.mask.shape
        x0, y0 = detection.offset[0] + tile.x0, detection.offset[1] + tile.y0
        meets = (boxes[:, :2] <= (x0 + width, y0 + height)) & (boxes[:, 2:] >= (x0, y0))
        held = np.zeros(len(inside))
        for i in np.flatnonzero(meets.all(axis=1)):
            held[i] = _cover(detection.mask, x0, y0, scaled.scale, pieces, inside[i]) >= LEAST_COVER
        if held.any():
            found.append(sum(detection.probabilities[2:4]) * held)
    return found


def _cover(mask: Bool, x0: int, y0: int, scale: float, pieces: Pieces, piece: int) -> float:
    """Part of a piece's pixels that a mask holds, whose first pixel is (x0, y0) at the network's scale."""
    rows, columns = pieces.slices[piece]
    height, width = mask.shape
    y, x = np.nonzero(pieces.labels[rows, columns] == piece + 1)
    y, x = (
        np.rint((v + start + 0.5) * scale - 0.5).astype(int) - first
        for v, start, first in ((y, rows.start, y0), (x, columns.start, x0))
    )
    held = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return float(mask[y[held], x[held]].sum() / len(y))
