"""Skies on disk."""

from pathlib import Path

import numpy as np
import pytest

from helikon.errors import InputError, NotFound
from helikon.space.skies.files import read_catalogue, read_sky, write_sky
from helikon.space.skies.simulate import simulate_sky


def test_a_sky_comes_back_as_it_was_written(tmp_path: Path) -> None:
    sky = simulate_sky(3, size=192)
    back = read_sky(write_sky(sky, tmp_path / "sky"))
    np.testing.assert_array_equal(back.map.data, sky.map.data)
    np.testing.assert_array_equal(back.labels, sky.labels)
    np.testing.assert_array_equal(back.local_rms, sky.local_rms)
    assert back.truth.colnames == sky.truth.colnames
    assert list(back.truth["class"]) == list(sky.truth["class"])
    np.testing.assert_array_equal(back.truth["bbox"], sky.truth["bbox"])
    assert sorted(path.name for path in (tmp_path / "sky").iterdir()) == [
        "labels.fits",
        "map.fits",
        "truth.vot",
    ]


def test_a_folder_without_a_sky_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"got no map\.fits.*helikon space simulate"):
        read_sky(tmp_path)


def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "sources.vot"
    path.write_text("not a table")
    with pytest.raises(InputError, match="expected a VOTable or a FITS table") as caught:
        read_catalogue(path)
    assert "\n" not in str(caught.value)


def test_a_missing_catalogue_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such catalogue"):
        read_catalogue(tmp_path / "none.vot")
