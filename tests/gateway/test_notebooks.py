from pathlib import Path

import pytest

from helikon.gateway.notebooks import copy_notebooks, notebook_folder
from helikon.settings import Settings


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "an_app_with_notebooks"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "first.ipynb").write_text("{}")
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


def test_examples_are_copied_once_and_never_overwritten(tmp_path: Path, package: str) -> None:
    folder = tmp_path / "notebooks" / "ada"
    assert copy_notebooks(folder, [package]) == [folder / "first.ipynb"]
    (folder / "first.ipynb").write_text("mine")
    assert copy_notebooks(folder, [package]) == []
    assert (folder / "first.ipynb").read_text() == "mine"


def test_the_folder_is_made_even_if_no_application_has_an_example(tmp_path: Path) -> None:
    assert copy_notebooks(tmp_path / "ada", []) == []
    assert (tmp_path / "ada").is_dir()


def test_each_user_has_a_folder_in_the_state_folder(settings: Settings) -> None:
    assert notebook_folder(settings, "ada") == settings.state_dir / "notebooks" / "ada"
