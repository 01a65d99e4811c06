"""metrics.jsonl survives kills, and goes back with the checkpoint."""

from pathlib import Path

import pytest

from helikon.errors import NotFound
from helikon.training.records import Metrics, newest_record, read_metrics, read_result, write_json


def _written(path: Path, steps: range) -> Metrics:
    metrics = Metrics(path)
    for step in steps:
        metrics.append({"step": step, "loss": 1.0 / (step + 1)})
    return metrics


def test_the_newest_record_is_the_last(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    assert newest_record(file) is None
    _written(file, range(500))
    assert newest_record(file) == {"step": 499, "loss": 1.0 / 500}
    assert len(read_metrics(file)) == 500


def test_a_line_cut_short_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    _written(file, range(3))
    file.write_text(file.read_text()[:-5])
    assert newest_record(file) == {"step": 1, "loss": 0.5}
    assert len(read_metrics(file)) == 2


def test_records_after_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    metrics = _written(file, range(10))
    metrics.go_back_to(4)
    assert [record["step"] for record in read_metrics(file)] == [0, 1, 2, 3, 4]
    metrics.go_back_to(0)
    assert read_metrics(file) == []


def test_a_result_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no result in"):
        read_result(tmp_path)
    write_json(tmp_path / "result.json", {"step": 3})
    assert read_result(tmp_path) == {"step": 3}
