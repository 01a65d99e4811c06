"""What a source is called, of its probabilities."""

import numpy as np
import pytest

from helikon.space.classes import CLASSES, FLAGGED_FROM, called

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


def test_of_no_source_there_is_no_class() -> None:
    index, probability = called(np.zeros((0, len(CLASSES))))
    assert len(index) == len(probability) == 0
