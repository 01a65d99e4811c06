import sys
from pathlib import Path

import pytest

from helikon.errors import InputError
from helikon.spark.application import main


@pytest.fixture(autouse=True)
def _same_process(monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))


def application(tmp_path: Path, text: str) -> str:
    path = tmp_path / "app.py"
    path.write_text(text)
    return str(path)


def test_a_file_runs_as_main_with_its_arguments(tmp_path: Path, capsys) -> None:
    assert main(application(tmp_path, "import sys\nprint(__name__, sys.argv[1:])"), ["-a", "b"]) == 0
    assert capsys.readouterr().out == "__main__ ['-a', 'b']\n"


def test_a_function_is_called_with_its_arguments_as_text(capsys) -> None:
    assert main("builtins:print", ["3", "4"]) == 0
    assert capsys.readouterr().out == "3 4\n"


def test_the_last_line_of_a_failure_is_its_cause(tmp_path: Path, capsys) -> None:
    assert main(application(tmp_path, "raise KeyError('band')"), []) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "helikon: KeyError: 'band'"


def test_an_error_of_ours_keeps_its_line_and_its_exit_code(tmp_path: Path, capsys) -> None:
    code = "from helikon.errors import InputError\nraise InputError('no scene', got='x.txt')"
    assert main(application(tmp_path, code), []) == InputError.exit_code
    assert capsys.readouterr().err.splitlines()[-1] == "helikon: no scene: got x.txt"


@pytest.mark.parametrize(("code", "expected"), [("", 0), ("3", 3), ("'bad flag'", 1)])
def test_the_applications_exit_code_is_kept(tmp_path: Path, code: str, expected: int) -> None:
    assert main(application(tmp_path, f"import sys\nsys.exit({code})"), []) == expected
