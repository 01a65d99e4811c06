"""The score of a network on tiles."""

import numpy as np
import pytest

from helikon.space.classes import CLASSES, Detection
from helikon.space.mask_rcnn.tile_score import score_tiles
from helikon.space.mask_rcnn.training_tiles import Tile, TileSource

EMPTY = np.zeros((64, 64), dtype=np.float32)


def _source(name: str, box: tuple[float, float, float, float], snr: float = 20.0) -> TileSource:
    return TileSource(class_index=CLASSES.index(name) + 1, snr=snr, box=box, mask=EMPTY > 1)


def _found(name: str, box: tuple[float, float, float, float], probability: float = 0.9) -> Detection:
    return Detection(
        box=box,
        class_name=name,
        probability=probability,
        probabilities=(0.2,) * 5,
        mask=np.ones((1, 1), dtype=bool),
        offset=(0, 0),
    )


class _Says:
    """A model that always says the same."""

    def __init__(self, *detections: Detection) -> None:
        self._detections = list(detections)

    def predict(self, snr: np.ndarray) -> list[Detection]:
        return self._detections


def _score(detections: list[Detection], sources: list[TileSource]) -> dict[str, float]:
    return score_tiles(_Says(*detections), [Tile(snr=EMPTY, sources=tuple(sources))])  # type: ignore[arg-type]


A, B, C = (0.0, 0.0, 6.0, 6.0), (20.0, 20.0, 30.0, 30.0), (40.0, 40.0, 46.0, 46.0)


def test_perfect_detections_score_one() -> None:
    figures = _score(
        [_found("compact", A), _found("extended", B)], [_source("compact", A), _source("extended", B)]
    )
    assert set(figures.values()) == {1.0}


def test_missed_false_and_wrongly_classed_sources_count() -> None:
    figures = _score(
        [_found("compact", A), _found("compact", B), _found("compact", C)],
        [_source("compact", A), _source("extended", B), _source("compact", (50.0, 0.0, 56.0, 6.0))],
    )
    assert figures["completeness"] == pytest.approx(2 / 3)
    assert figures["reliability"] == pytest.approx(2 / 3)
    assert figures["f1_compact"] == pytest.approx(2 / 5)
    assert figures["f1_extended"] == 0.0


def test_improbable_detections_and_faint_sources_do_not_count() -> None:
    figures = _score(
        [_found("compact", C, 0.3), _found("compact", B)], [_source("compact", A, 4.5), _source("compact", B)]
    )
    assert figures["completeness"] == figures["reliability"] == 1.0
