"""What a source is called, of its probabilities."""

import numpy as np
import pytest

from helikon.space.classes import CLASSES, FAR_ARTEFACTS, FLAGGED_FROM, called, less_spurious

ROWS = {
    "compact": (0.1, 0.6, 0.1, 0.0, 0.2),
    "extended": (0.0, 0.1, 0.6, 0.1, 0.2),
    "extended-multi-island": (0.0, 0.1, 0.3, 0.5, 0.1),
    "spurious": (0.9, 0.1, 0.0, 0.0, 0.0),
    "flagged": (0.0, 0.7 - FLAGGED_FROM, 0.3, 0.0, FLAGGED_FROM),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_source_is_called_the_most_probable_but_flagged_from_less_on(name: str) -> None:
    (index,), (probability,) = called(np.array([ROWS[name]]))
    assert CLASSES[index] == name
    assert probability == ROWS[name][index]


def test_what_is_more_probably_spurious_is_not_called_flagged() -> None:
    index, probability = called(np.array([[0.45, 0.05, 0.1, 0.0, 0.4], [0.35, 0.15, 0.1, 0.0, 0.4]]))
    assert [CLASSES[i] for i in index] == ["spurious", "flagged"]
    assert probability.tolist() == [0.45, 0.4]


def test_the_odds_of_spurious_are_lowered_where_they_are_to_be_and_all_others_keep_theirs() -> None:
    before = np.array([ROWS["spurious"], ROWS["compact"], (1.0, 0.0, 0.0, 0.0, 0.0)])
    after = less_spurious(before, np.array([True, False, True]))
    assert after[0, 0] / (1 - after[0, 0]) == pytest.approx(FAR_ARTEFACTS * 9)
    assert after[0, 1] == pytest.approx(1 - after[0, 0])
    assert (after[1:] == before[1:]).all()


def test_of_no_source_there_is_no_class() -> None:
    index, probability = called(np.zeros((0, len(CLASSES))))
    assert len(index) == len(probability) == 0
