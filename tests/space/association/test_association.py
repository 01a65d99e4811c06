"""What a source is called, of what the judge says and of how its islands hang together."""

import numpy as np
import numpy.typing as npt
import pytest

from helikon.space.association.association import (
    LEAST_SURE,
    MOST_INCOMPLETE,
    NOT_WIDE,
    SAME_ISLAND,
    _consistent,
    _thresholds,
)
from helikon.space.classes import CLASSES

JUDGED = {"spurious": 0.1, "compact": 0.1, "extended": 0.45, "extended-multi-island": 0.3, "flagged": 0.05}


def called(
    *, n_islands: int, n_strong: int = 1, sure: float = 1.0, incomplete: float = 0.0
) -> dict[str, float]:
    given: npt.NDArray[np.float64] = np.array([[JUDGED[name] for name in CLASSES]])
    counts = np.array([n_islands]), np.array([n_strong])
    (row,) = _consistent(given, *counts, np.array([sure]), np.array([incomplete]))
    assert row.sum() == pytest.approx(1)
    assert row[CLASSES.index("spurious")] == JUDGED["spurious"]
    assert row[CLASSES.index("flagged")] == JUDGED["flagged"]
    return dict(zip(CLASSES, row.tolist(), strict=True))


def test_two_islands_are_one_source_as_probably_as_their_link() -> None:
    assert called(n_islands=2, n_strong=2, sure=0.9)["extended-multi-island"] == pytest.approx(0.85 * 0.9)
    doubtful = called(n_islands=2, n_strong=2, sure=0.2)["extended-multi-island"]
    assert doubtful == pytest.approx(0.85 * LEAST_SURE)


def test_faint_islands_beside_a_strong_one_count_as_far_as_the_judge_says() -> None:
    found = called(n_islands=3, n_strong=1, sure=0.9)
    assert found["extended-multi-island"] == pytest.approx(0.85 * 0.9 * 0.3 / 0.75)
    assert found["extended"] > found["extended-multi-island"] > found["compact"]


def test_one_island_is_a_part_of_a_larger_source_as_probably_as_its_link_elsewhere() -> None:
    assert called(n_islands=1)["extended-multi-island"] == 0
    assert called(n_islands=1, incomplete=0.1)["extended-multi-island"] == pytest.approx(0.85 * 0.1)
    sure = called(n_islands=1, incomplete=0.9)["extended-multi-island"]
    assert sure == pytest.approx(0.85 * MOST_INCOMPLETE)


def test_wide_pieces_and_those_of_one_island_are_joined_from_less_on() -> None:
    same, wide = np.array([False, False, True, True]), np.array([True, False, True, False])
    odds = np.array([1, NOT_WIDE, SAME_ISLAND, NOT_WIDE * SAME_ISLAND]) * 0.2 / 0.8
    assert _thresholds(0.2, same_island=same, both_wide=wide) == pytest.approx(odds / (1 + odds))
    for extreme in (0.0, 1.0):
        assert (_thresholds(extreme, same_island=same, both_wide=wide) == extreme).all()
