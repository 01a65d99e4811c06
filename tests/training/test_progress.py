"""A bar on a terminal, lines elsewhere."""

import io

import pytest
from rich.console import Console

from helikon.training.progress import describe, showing

RECORD = {
    "step": 12,
    "progress": 0.5,
    "elapsed_s": 3.2,
    "learning_rate": 0.1,
    "loss": 0.25,
    "points_per_s": 80.0,
}


def test_a_record_is_described_in_one_line() -> None:
    assert describe(RECORD) == "step 12, 3 s: loss 0.25, points/s 80"


def test_elsewhere_than_on_a_terminal_lines_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    with showing("line") as show:
        show(RECORD)
        show(RECORD)
        show({**RECORD, "progress": 1.0})
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.splitlines() == [
        "line: 50 %, step 12, 3 s: loss 0.25, points/s 80",
        "line: 100 %, step 12, 3 s: loss 0.25, points/s 80",
    ]


def test_on_a_terminal_a_bar_is_drawn() -> None:
    terminal = io.StringIO()
    with showing("line", Console(file=terminal, force_terminal=True, width=120)) as show:
        show(RECORD)
    assert "50 %" in terminal.getvalue()
    assert "loss 0.25" in terminal.getvalue()
