"""A job's files appear whole, and only an accepted attempt counts."""

import stat
from pathlib import Path

import pytest

from helikon.backends.records import (
    Attempt,
    Exit,
    Plan,
    attempt_folder,
    current_attempt,
    drop_old_attempts,
    fresh_folder,
    read_plan,
    write,
)


def test_there_is_no_attempt_without_a_folder_or_before_it_is_accepted(tmp_path: Path) -> None:
    assert current_attempt(tmp_path / "nothing") is None
    (tmp_path / "a-file").touch()
    assert current_attempt(tmp_path / "a-file") is None
    write(fresh_folder(tmp_path) / "workload.json", "{}")
    assert current_attempt(tmp_path) is None


def test_the_newest_attempt_counts(tmp_path: Path) -> None:
    for number in (9, 10, 2):
        attempt_folder(tmp_path, number).mkdir()
    assert current_attempt(tmp_path) == Attempt(folder=attempt_folder(tmp_path, 10), number=10)
    drop_old_attempts(tmp_path, 10)
    assert [path.name for path in tmp_path.iterdir()] == ["attempt-000010"]


def test_what_a_killed_starter_left_is_gone(tmp_path: Path) -> None:
    write(fresh_folder(tmp_path) / "plan.json", "half")
    assert list(fresh_folder(tmp_path).iterdir()) == []


def test_a_plan_is_read_as_written(tmp_path: Path) -> None:
    plan = Plan(
        name="a", job_id="x", number=3, argv=("ls", "-l"), environment=(("A", "1"), ("B", "2")), port=2
    )
    write(tmp_path / "plan.json", plan)
    assert read_plan(tmp_path) == plan


def test_an_end_is_read_as_written_and_none_before(tmp_path: Path) -> None:
    attempt = Attempt(folder=tmp_path, number=1)
    assert attempt.exit() is None
    assert attempt.main() is None
    ended = Exit(code=-9, ended=12.5, cause="killed")
    write(tmp_path / "exit.json", ended)
    assert attempt.exit() == ended


def test_a_mark_says_when(tmp_path: Path) -> None:
    attempt = Attempt(folder=tmp_path, number=1)
    assert attempt.marked("ready") is None
    attempt.set("ready")
    assert attempt.marked("ready") is not None


def test_a_file_is_whole_or_not_there_and_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, "before")
    with pytest.raises(TypeError):
        write(path, object())
    assert path.read_text() == "before"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
