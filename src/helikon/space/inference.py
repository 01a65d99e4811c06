"""What the network says of a map: tile by tile, at the scale that it knows."""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.detect import Pieces
from helikon.space.fits import RadioMap
from helikon.space.model import CLASSES, MODEL_BEAM_PIXELS, Detection, SourceModel
from helikon.space.tiles import Tile, plan_tiles

__all__ = ["Seen", "look"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

SCALE_AS_IS = (4.0, 6.5)
"""Beam widths in pixels between which the network takes a map as it is."""
LEAST_COVER = 0.5
"""Part of a piece's pixels that a mask must hold to take it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the network says.

    Attributes
    ----------
    groups : list of (ndarray of int, ndarray)
        Pieces (from 0) under one extended mask and the mask's class
        probabilities (5,), most probable first.
    of_piece : ndarray, shape (n_pieces, 5)
        Class probabilities of each piece's own box.
    """

    groups: list[tuple[Int, Double]]
    of_piece: Double


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Extended:
    """An extended detection: which pieces its mask takes, from which tile."""

    tile: int
    members: Int
    probabilities: Double


def look(
    significance: Float,
    pieces: Pieces,
    model: SourceModel,
    radio_map: RadioMap,
    *,
    tile_pixels: int,
    overlap_pixels: int,
    tell: Callable[[str, int, int], None],
) -> Seen:
    """Show the network every tile that has a piece.

    Parameters
    ----------
    significance : ndarray of float32, shape (ny, nx)
        (map - background) / rms.
    tile_pixels, overlap_pixels : int
        Of the tiles, in pixels of the network's scale.
    tell : callable
        Called with (step, number done, number in all).
    """
    view = _View.of(significance, radio_map.beam_fwhm_pixels)
    tiles = plan_tiles(view.shape, _even_size(view.shape, tile_pixels, overlap_pixels), overlap_pixels)
    of_piece = np.zeros((len(pieces), len(CLASSES)))
    extended: list[_Extended] = []
    for n_done, tile in enumerate(tiles):
        tell("network", n_done, len(tiles))
        owned = [i for i in range(len(pieces)) if tile.owns(*view.from_map(pieces.y[i], pieces.x[i]))]
        if not owned:
            continue
        pixels = view.window(tile)
        seen = model.look(pixels)
        of_piece[owned] = _class_probabilities(seen.classify(_boxes(pieces, owned, view.scale, tile)))
        found = [d for d in seen.detect() if d.class_name.startswith("extended")]
        extended += [_extended(d, tile, view, pieces) for d in found if _counts(d, tile, view.shape)]
    return Seen(groups=_joined([e for e in extended if len(e.members)]), of_piece=of_piece)


@dataclasses.dataclass(frozen=True, slots=True)
class _View:
    """The map at the network's scale, made window by window."""

    image: Float
    scale: float
    shape: tuple[int, int]

    @classmethod
    def of(cls, significance: Float, beam_fwhm_pixels: float) -> "_View":
        as_is = SCALE_AS_IS[0] <= beam_fwhm_pixels <= SCALE_AS_IS[1]
        scale = 1.0 if as_is else MODEL_BEAM_PIXELS / beam_fwhm_pixels
        image = np.nan_to_num(significance, nan=0.0, posinf=0.0, neginf=0.0)
        if scale > 1:
            image = ndimage.spline_filter(image, order=3, output=np.float32, mode="nearest")
        shape = tuple(max(1, round(length * scale)) for length in significance.shape)
        return cls(image, scale, (shape[0], shape[1]))

    def from_map(self, y: float, x: float) -> tuple[float, float]:
        """Turn pixels of the map to pixels of the view; both count centres from 0."""
        return (y + 0.5) * self.scale - 0.5, (x + 0.5) * self.scale - 0.5

    def window(self, tile: Tile) -> Float:
        if self.scale == 1:
            return np.ascontiguousarray(self.image[tile.window])
        first = [(start + 0.5) / self.scale - 0.5 for start in (tile.y0, tile.x0)]
        order = 3 if self.scale > 1 else 1
        return np.asarray(
            ndimage.affine_transform(
                self.image,
                [1 / self.scale] * 2,
                first,
                tile.shape,
                order=order,
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


def _boxes(pieces: Pieces, chosen: list[int], scale: float, tile: Tile) -> Float:
    """Bounding boxes (n, 4) x0, y0, x1, y1 in pixels of the tile, ends excluded."""
    corners = [
        (columns.start, rows.start, columns.stop, rows.stop)
        for rows, columns in (pieces.slices[i] for i in chosen)
    ]
    moved = np.array(corners, dtype=np.float32) * scale - np.array([tile.x0, tile.y0] * 2, dtype=np.float32)
    limits = np.array([tile.shape[1], tile.shape[0]] * 2, dtype=np.float32)
    return np.asarray(np.clip(moved, 0, limits), dtype=np.float32)


def _class_probabilities(with_background: Float) -> Double:
    """Leave out the background: the classical step has found something."""
    classes = with_background[:, 1:].astype(np.float64)
    return np.asarray(classes / np.maximum(classes.sum(axis=1, keepdims=True), 1e-9))


def _counts(detection: Detection, tile: Tile, shape: tuple[int, int]) -> bool:
    """Say whether a detection is this tile's own, or is cut by a border between tiles."""
    x0, y0, x1, y1 = detection.box
    if tile.owns(tile.y0 + (y0 + y1 - 1) / 2, tile.x0 + (x0 + x1 - 1) / 2):
        return True
    cut_x = (x0 < 1 and tile.x0 > 0) or (x1 > tile.shape[1] - 1 and tile.x1 < shape[1])
    cut_y = (y0 < 1 and tile.y0 > 0) or (y1 > tile.shape[0] - 1 and tile.y1 < shape[0])
    return cut_x or cut_y


def _extended(detection: Detection, tile: Tile, view: _View, pieces: Pieces) -> _Extended:
    members = [
        i
        for i in _near(detection, tile, view, pieces)
        if _cover(detection, tile, view, pieces, i) >= LEAST_COVER
    ]
    probabilities = np.array(detection.probabilities, dtype=np.float64)
    return _Extended(
        tile=tile.index,
        members=np.array(members, dtype=np.int64),
        probabilities=probabilities,
    )


def _near(detection: Detection, tile: Tile, view: _View, pieces: Pieces) -> list[int]:
    """Pieces whose bounding box meets that of the mask."""
    height, width = detection.mask.shape
    x0, y0 = detection.offset[0] + tile.x0, detection.offset[1] + tile.y0
    labels = pieces.labels[
        int(y0 / view.scale) : int(np.ceil((y0 + height) / view.scale)),
        int(x0 / view.scale) : int(np.ceil((x0 + width) / view.scale)),
    ]
    return [int(label) - 1 for label in np.unique(labels) if label > 0]


def _cover(detection: Detection, tile: Tile, view: _View, pieces: Pieces, piece: int) -> float:
    """Part of a piece's pixels in the tile that the mask holds."""
    rows, columns = pieces.slices[piece]
    y, x = np.nonzero(pieces.labels[rows, columns] == piece + 1)
    y, x = (
        np.rint((v + start + 0.5) * view.scale - 0.5).astype(int)
        for v, start in ((y, rows.start), (x, columns.start))
    )
    inside = (y >= tile.y0) & (y < tile.y1) & (x >= tile.x0) & (x < tile.x1)
    if not inside.any():
        return 0.0
    y, x = y[inside] - tile.y0 - detection.offset[1], x[inside] - tile.x0 - detection.offset[0]
    height, width = detection.mask.shape
    held = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return float(detection.mask[y[held], x[held]].sum() / len(y))


def _joined(extended: list[_Extended]) -> list[tuple[Int, Double]]:
    """Join detections of different tiles that share a piece; most probable first."""
    ordered = sorted(extended, key=lambda e: -float(e.probabilities[2:4].sum()))
    groups: list[tuple[set[int], set[int], Double]] = []
    for one in ordered:
        members = set(one.members.tolist())
        match = next((g for g in groups if one.tile not in g[1] and members & g[0]), None)
        if match is None:
            groups.append((members, {one.tile}, one.probabilities))
        else:
            match[0].update(members)
            match[1].add(one.tile)
    return [(np.array(sorted(members), dtype=np.int64), p) for members, _, p in groups]
