"""How well a network does on held-out tiles: completeness, reliability, F1 of each class."""

import collections
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from helikon.space.classes import CLASSES, Detection
from helikon.space.mask_rcnn.training_tiles import Tile, TileSource
from helikon.space.model import SourceModel

__all__ = ["SCORE", "score_tiles"]

SCORE = 0.5
"""Detections of at least this probability count."""
COUNTED_SIGMA = 5.0
LEAST_IOU = 0.3


def score_tiles(model: SourceModel, tiles: Iterable[Tile]) -> dict[str, float]:
    """Compare detections with the truth, one to one.

    Parameters
    ----------
    model : SourceModel
    tiles : iterable of Tile

    Returns
    -------
    dict
        ``completeness`` (true sources above 5 sigma that are detected as
        anything but spurious), ``reliability`` (such detections that are true
        sources), ``f1_CLASS`` where the class occurs, and their mean ``f1``.
        Boxes match at an IoU of 0.3, most probable detections first.
    """
    pairs: list[tuple[str | None, str | None]] = []
    for tile in tiles:
        pairs += _pairs(model.predict(tile.snr), tile.sources)
    count = collections.Counter(pairs)
    true_found = sum(n for (t, d), n in count.items() if _real(t) and _real(d))
    all_true = sum(n for (t, _), n in count.items() if _real(t))
    all_found = sum(n for (_, d), n in count.items() if _real(d))
    figures = {"completeness": true_found / max(all_true, 1), "reliability": true_found / max(all_found, 1)}
    scores = {f"f1_{name.replace('-', '_')}": _f1(count, name) for name in CLASSES if _occurs(count, name)}
    return figures | scores | {"f1": float(np.mean(list(scores.values()))) if scores else 0.0}


def _real(name: str | None) -> bool:
    return name is not None and name != "spurious"


def _occurs(count: collections.Counter[tuple[str | None, str | None]], name: str) -> bool:
    return any(t == name for t, _ in count)


def _f1(count: collections.Counter[tuple[str | None, str | None]], name: str) -> float:
    both = count[name, name]
    either = sum(n * ((t == name) + (d == name)) for (t, d), n in count.items())
    return 2 * both / max(either, 1)


def _pairs(
    detections: list[Detection], sources: tuple[TileSource, ...]
) -> list[tuple[str | None, str | None]]:
    """Return (true class, found class) of each thing; None where there is none.

    Sources below 5 sigma need not be found, but finding one is no mistake.
    """
    found = [d for d in detections if d.probability >= SCORE]
    overlap = _box_iou([d.box for d in found], [s.box for s in sources])
    free = np.ones(len(sources), dtype=bool)
    pairs: list[tuple[str | None, str | None]] = []
    for detection, row in zip(found, overlap, strict=True):
        candidates = np.where(free, row, 0.0)
        best = int(np.argmax(candidates)) if len(sources) else -1
        if best < 0 or candidates[best] < LEAST_IOU:
            pairs.append((None, detection.class_name))
            continue
        free[best] = False
        if _counted(sources[best]):
            pairs.append((CLASSES[sources[best].class_index - 1], detection.class_name))
    return pairs + [
        (CLASSES[source.class_index - 1], None)
        for source, missed in zip(sources, free, strict=True)
        if missed and _counted(source)
    ]


def _counted(source: TileSource) -> bool:
    return source.snr >= COUNTED_SIGMA


def _box_iou(
    a: list[tuple[float, float, float, float]], b: list[tuple[float, float, float, float]]
) -> npt.NDArray[np.float64]:
    one, two = np.array(a).reshape(-1, 1, 4), np.array(b).reshape(1, -1, 4)
    low, high = np.maximum(one[..., :2], two[..., :2]), np.minimum(one[..., 2:], two[..., 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = [np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1) for boxes in (one, two)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-9))
