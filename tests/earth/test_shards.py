"""Shards: files that numpy and zarr read, the same bytes each time, and no damage goes unseen."""

import io
from pathlib import Path

import numpy as np
import pytest

from helikon.earth.shards import FORMATS, decode, is_sealed, seal
from helikon.errors import InputError
from helikon.settings import Settings
from helikon.spark.objects import Folder, open_folder

ROWS = [{"row": 2, "col": column} for column in range(3)]
CHIPS = np.random.default_rng(1).random((3, 2, 16, 16), dtype=np.float32)


def content_of(form: str) -> bytes:
    return b"".join(seal(form, CHIPS, ROWS, 4)[0])


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Folder:
    return open_folder(tmp_path / "shards", settings)


def test_numpy_reads_an_npz_shard() -> None:
    with np.load(io.BytesIO(content_of("npz"))) as file:
        np.testing.assert_array_equal(file["chips"], CHIPS)
        assert file["keys"].tolist() == ["r00002c00000", "r00002c00001", "r00002c00002"]


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_chips_give_the_same_bytes(form: str) -> None:
    assert content_of(form) == content_of(form)
    np.testing.assert_array_equal(decode(form, content_of(form), 3, CHIPS.shape[1:], 4), CHIPS)


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_sealed_is_known_again(folder: Folder, form: str) -> None:
    content, rows = seal(form, CHIPS, ROWS, 4)
    folder.write("shard", content)
    assert is_sealed(folder, "shard", form, rows, CHIPS.shape[1:], 4)
    assert not is_sealed(folder, "gone", form, rows, CHIPS.shape[1:], 4)


def damaged(content: bytes) -> list[bytes]:
    """Return what a power cut or a bad disk may leave of a shard."""
    middle = len(content) // 2
    turned = bytes([content[middle] ^ 1])
    return [
        b"",
        b"no shard",
        bytes(len(content)),
        content[:-100],
        content[:middle] + turned + content[middle + 1 :],
        content[:middle] + bytes(len(content) - middle),
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_a_damaged_shard_is_not_what_was_sealed(folder: Folder, form: str) -> None:
    content, rows = seal(form, CHIPS, ROWS, 4)
    for found in damaged(b"".join(content)):
        folder.write("shard", found)
        assert not is_sealed(folder, "shard", form, rows, CHIPS.shape[1:], 4)


@pytest.mark.parametrize("form", FORMATS)
def test_a_shard_that_is_none_is_a_clear_error(form: str) -> None:
    with pytest.raises(InputError, match="a shard is damaged"):
        decode(form, b"", 3, CHIPS.shape[1:], 4)
