"""Model folders are whole or refused."""

from pathlib import Path

import pytest
from tests.catalogue.conftest import MakeFolder

from helikon.catalogue.folders import appear, check_model_folder
from helikon.errors import InputError


def test_a_whole_folder_passes(make_folder: MakeFolder) -> None:
    check_model_folder(make_folder())


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json"])
def test_a_missing_file_is_named(make_folder: MakeFolder, name: str) -> None:
    folder = make_folder()
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"expected {name} in it"):
        check_model_folder(folder)


def test_no_folder_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="got no folder"):
        check_model_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("n_bytes", [3, 8, 40, -1])
def test_weights_that_are_cut_short_are_refused(make_folder: MakeFolder, n_bytes: int) -> None:
    weights = make_folder() / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:n_bytes])
    with pytest.raises(InputError, match=r"weights\.safetensors is damaged"):
        check_model_folder(weights.parent)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_card_that_is_no_json_object_is_refused(make_folder: MakeFolder, text: str) -> None:
    card = make_folder() / "model.json"
    card.write_text(text)
    with pytest.raises(InputError, match="expected a JSON object"):
        check_model_folder(card.parent)


def test_a_folder_that_fails_to_fill_does_not_appear(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "half").write_text("")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        appear(tmp_path / "target", fill)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_replaces_the_one_before(tmp_path: Path) -> None:
    for text in ("old", "new"):
        appear(tmp_path / "target", lambda folder, text=text: (folder / text).write_text(text))
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "target",
        "target/new",
    ]
