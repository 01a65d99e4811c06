import sys
from pathlib import Path

import pytest

from helikon.errors import InputError, NotFound
from helikon.spark.targets import find_function, load_objective


@pytest.fixture(autouse=True)
def _same_import_path(monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))


def test_a_function_is_found_in_a_module() -> None:
    assert find_function("helikon.spark.tasks:plan_groups").__name__ == "plan_groups"


def test_a_function_is_found_in_a_file_with_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_it.py").write_text("ONE = 1\n")
    (tmp_path / "mine.py").write_text("from neighbour_of_it import ONE\ndef loss(trial):\n    return ONE\n")
    assert load_objective(f"{tmp_path}/mine.py:loss")(None) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no_such_module:f", "there is no module no_such_module"),
        ("helikon.spark.tasks:no_such", "helikon.spark.tasks has no function no_such"),
        ("no_such.py:f", "there is no file no_such.py"),
        ("space/no-such", "no application offers this of its objectives"),
    ],
)
def test_what_is_not_there_is_named(text: str, message: str) -> None:
    with pytest.raises(NotFound, match=message):
        load_objective(text)


def test_a_file_that_cannot_be_run_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(InputError, match="cannot be run: got ZeroDivisionError"):
        find_function(f"{tmp_path}/broken.py:f")


def test_a_name_of_no_known_form_is_refused() -> None:
    with pytest.raises(InputError, match=r"expected module:function or file.py:function"):
        find_function(":f")
