"""A field as one file."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from helikon.errors import InputError
from helikon.space.fits import read_map
from helikon.space.skies.files import read_sky
from helikon.space.skies.shards import ShardTask, make_shard, write_shard
from helikon.space.skies.simulate import Sky, simulate_sky

OPTIONS = {"size": 128, "array": "vla-b", "split": "test"}


@pytest.fixture(scope="module")
def sky() -> Sky:
    return simulate_sky(3, **OPTIONS)


def test_what_is_written_can_be_read(sky: Sky, tmp_path: Path) -> None:
    write_shard(sky, tmp_path / "field.fits")
    again = read_sky(tmp_path / "field.fits")
    np.testing.assert_array_equal(again.map.data, sky.map.data)
    np.testing.assert_array_equal(again.labels, sky.labels)
    np.testing.assert_allclose(again.local_rms, sky.local_rms, rtol=3e-4)
    assert again.map.beam.major_arcsec == pytest.approx(sky.map.beam.major_arcsec)
    assert again.truth.colnames == sky.truth.colnames
    for name in sky.truth.colnames:
        assert again.truth[name].tolist() == sky.truth[name].tolist()
        assert again.truth[name].unit == sky.truth[name].unit


def test_the_map_of_a_field_reads_like_any_map(sky: Sky, tmp_path: Path) -> None:
    write_shard(sky, tmp_path / "field.fits")
    assert read_map(tmp_path / "field.fits").data.shape == (128, 128)


def test_the_same_field_has_the_same_bytes_and_a_name_of_its_own(tmp_path: Path) -> None:
    one, other = (
        make_shard(ShardTask(folder=str(tmp_path / name), seed=3, options=OPTIONS)) for name in "ab"
    )
    assert one == other
    assert one.file == "test-000000003-vla-b.fits"
    assert sum(one.counts.values()) == len(read_sky(tmp_path / "a" / one.file).truth)


def test_a_field_that_is_there_is_kept(tmp_path: Path) -> None:
    task = ShardTask(folder=str(tmp_path), seed=3, options=OPTIONS)
    made = make_shard(task)
    written = task.path.stat().st_mtime_ns
    assert make_shard(task) == dataclasses.replace(made, kept=True)
    assert task.path.stat().st_mtime_ns == written


def test_a_field_of_other_options_or_broken_is_not_taken_for_this_one(tmp_path: Path) -> None:
    task = ShardTask(folder=str(tmp_path), seed=3, options=OPTIONS)
    make_shard(task)
    with pytest.raises(InputError, match="is not this field"):
        make_shard(dataclasses.replace(task, options=OPTIONS | {"n_extended": 50.0}))
    task.path.write_bytes(task.path.read_bytes()[:5000])
    with pytest.raises(InputError, match="is not this field"), pytest.warns(match="truncated|Truncated"):
        make_shard(task)


def test_a_map_alone_is_no_field(sky: Sky, tmp_path: Path) -> None:
    write_shard(sky, tmp_path / "field.fits")
    with fits.open(tmp_path / "field.fits") as hdus:
        hdus[0].writeto(tmp_path / "map.fits")
    with pytest.raises(InputError, match="no made-up field"):
        read_sky(tmp_path / "map.fits")
