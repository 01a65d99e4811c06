"""Polling has a deadline."""

import pytest

from helikon.testing import eventually


def test_the_first_true_value_is_returned() -> None:
    values = iter([0, "", "yes", "later"])
    assert eventually(lambda: next(values), interval_s=0) == "yes"


def test_what_was_seen_last_is_said_when_time_is_over() -> None:
    with pytest.raises(AssertionError, match=r"within 0\.01 s; last seen: \[\]"):
        eventually(list, timeout_s=0.01, interval_s=0.001)
