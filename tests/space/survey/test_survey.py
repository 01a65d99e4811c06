"""A large map is searched window by window: as well, the same everywhere, and again after a kill."""

import functools
import gzip
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from scipy.spatial import cKDTree

from helikon.errors import AlreadyExists, InputError
from helikon.pool import run_here, run_in_processes
from helikon.settings import Settings, load
from helikon.space.card import SHIPPED
from helikon.space.finder import FinderSettings, find_sources
from helikon.space.fits import read_map, write_map
from helikon.space.survey import ModelFile, Run, search_map, survey_map
from helikon.spark.sessions import close
from helikon.spark.tasks import run_tasks

from .conftest import ON_DISC, RMS, SETTINGS, SHAPE, as_map

N_WINDOWS = 9


def search(path: Path, out: Path, run: Run = run_here, **options: Any) -> QTable:
    """Search by windows, with thresholds alone unless told otherwise."""
    given = {"model": ModelFile(), "settings": SETTINGS} | options
    with survey_map(path, out=out, run=run, **given) as catalogue:
        return catalogue


@pytest.fixture(scope="module")
def whole(map_path: Path) -> QTable:
    """What is found in the whole map at once."""
    return find_sources(read_map(map_path), None)


@pytest.fixture(scope="module")
def found(map_path: Path, tmp_path_factory: pytest.TempPathFactory) -> QTable:
    """What is found window by window."""
    return search(map_path, tmp_path_factory.mktemp("found"))


def same(one: QTable, other: QTable) -> bool:
    """Say whether two catalogues agree to the last bit."""
    return one.colnames == other.colnames and all(
        np.asarray(one[name]).tobytes() == np.asarray(other[name]).tobytes() for name in one.colnames
    )


def test_windows_find_what_is_found_in_the_whole_map(found: QTable, whole: QTable) -> None:
    """How wide sources usually are is asked of each window, so that flux densities differ by a hundredth."""
    assert len(found) == len(whole)
    places = [np.stack([table["x"].value, table["y"].value], axis=1) for table in (found, whole)]
    distance, here = cKDTree(places[1]).query(places[0])
    assert distance.max() < 0.02
    assert len(set(here.tolist())) == len(whole)
    whole = whole[here]
    for column, most in (("peak_flux", 0.002), ("int_flux", 0.015), ("n_pixels", 0.02)):
        ratio = np.asarray(found[column]) / np.asarray(whole[column])
        assert np.abs(ratio - 1).max() < most, column
    assert [str(name) for name in found["class"]] == [str(name) for name in whole["class"]]
    assert [str(flags) for flags in found["flags"]] == [str(flags) for flags in whole["flags"]]


def test_objects_across_windows_are_whole(found: QTable) -> None:
    wide = found[np.argmax(found["las"])]
    assert wide["las"].value > 300 * 2
    assert "cut" not in str(wide["flags"])
    assert abs(wide["y"].value - 90) < 10


def test_points_on_wide_emission_across_windows_are_sources(found: QTable) -> None:
    places = np.stack([found["y"].value, found["x"].value], axis=1)
    distance, rows = cKDTree(places).query(ON_DISC)
    assert distance.max() < 0.2
    assert all("embedded" in str(found["flags"][row]) for row in rows)
    assert np.asarray(found["peak_flux"])[rows] == pytest.approx(40 * RMS, rel=0.05)


def test_positions_are_those_of_the_map(found: QTable, map_path: Path) -> None:
    position = read_map(map_path).wcs.pixel_to_world(found["x"].value, found["y"].value)
    assert np.abs(position.ra.deg - found["ra"].value).max() < 1e-9
    assert np.abs(position.dec.deg - found["dec"].value).max() < 1e-9


def test_rows_are_numbered_from_the_brightest(found: QTable) -> None:
    assert list(found["id"]) == list(range(1, len(found) + 1))
    assert (np.diff(found["peak_flux"].value) <= 0).all()
    assert len(set(found["name"])) == len(found)


def test_processes_give_the_same_to_the_last_bit(map_path: Path, found: QTable, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    run = functools.partial(run_in_processes, n_processes=2)
    again = search(map_path, tmp_path, run, progress=lambda *told: steps.append(told))
    assert same(again, found)
    assert steps[-1][1] == steps[-1][2] > 0
    assert {step for step, _, _ in steps} == {"background", "windows", "objects across windows"}


@pytest.mark.slow
def test_spark_gives_the_same_to_the_last_bit(map_path: Path, tmp_path: Path) -> None:
    spark = {"master": "local[2,3]", "driver_memory_gib": 1}
    overrides = {"state_dir": str(tmp_path / "state"), "owner": "ada", "spark": spark}
    settings = load(environ={}, overrides=overrides)
    model = ModelFile.of(SHIPPED)
    try:
        by_spark = search(map_path, tmp_path / "spark", _by_spark(settings), model=model)
    finally:
        close()
    here = search(
        map_path, tmp_path / "here", functools.partial(run_in_processes, n_processes=2), model=model
    )
    assert same(by_spark, here)


def _by_spark(settings: Settings) -> Run:
    def run(function: Callable[[Any], None], items: Sequence[Any], told: Callable[[int, int], None]) -> None:
        run_tasks(function, items, settings, n_tasks=len(items), progress=told)

    return run


class Stopped(Exception):
    """Stands for a kill."""


def stopping_after(n_done: int) -> Run:
    """Run so many items of the second step and then stop."""
    steps: list[str] = []

    def run(function: Callable[[Any], None], items: Sequence[Any], told: Callable[[int, int], None]) -> None:
        steps.append("")
        run_here(function, items if len(steps) == 1 else items[:n_done], told)
        if len(steps) == 2:
            raise Stopped

    return run


@pytest.fixture
def half_done(map_path: Path, tmp_path: Path) -> Path:
    """A folder in which two windows are done, and the map beside it."""
    shutil.copy2(map_path, tmp_path / "map.fits")
    with pytest.raises(Stopped):
        search(tmp_path / "map.fits", tmp_path, stopping_after(2))
    return tmp_path


def counting(n_items: list[int]) -> Run:
    """Run here and note how many items each step has."""

    def run(function: Callable[[Any], None], items: Sequence[Any], told: Callable[[int, int], None]) -> None:
        n_items.append(len(items))
        run_here(function, items, told)

    return run


def test_a_stopped_survey_goes_on_and_leaves_nothing_behind(half_done: Path, found: QTable) -> None:
    n_items: list[int] = []
    assert same(search(half_done / "map.fits", half_done, counting(n_items)), found)
    assert n_items[0] == N_WINDOWS - 2
    assert [path.name for path in half_done.iterdir()] == ["map.fits"]


def test_other_settings_begin_anew_and_clear_what_was_left(half_done: Path) -> None:
    n_items: list[int] = []
    other = FinderSettings(window_pixels=300, seed_sigma=6)
    search(half_done / "map.fits", half_done, counting(n_items), settings=other)
    assert n_items[:2] == [N_WINDOWS, N_WINDOWS]
    assert [path.name for path in half_done.iterdir()] == ["map.fits"]


def test_a_changed_map_begins_anew(half_done: Path) -> None:
    path = half_done / "map.fits"
    about = path.stat()
    with fits.open(path, mode="update") as hdus:
        hdus[0].data[100:110, 100:110] += 1.0
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    n_items: list[int] = []
    search(path, half_done, counting(n_items))
    assert n_items[:2] == [N_WINDOWS, N_WINDOWS]


def test_a_map_that_changes_meanwhile_is_refused(half_done: Path) -> None:
    path = half_done / "map.fits"

    def run(function: Callable[[Any], None], items: Sequence[Any], told: Callable[[int, int], None]) -> None:
        run_here(function, items, told)
        os.utime(path)

    with pytest.raises(InputError, match="was changed while it was searched"):
        search(path, half_done, run)


def test_two_surveys_of_one_map_keep_out_of_each_others_way(map_path: Path, tmp_path: Path) -> None:
    survey = functools.partial(survey_map, map_path, ModelFile(), SETTINGS, out=tmp_path, run=run_here)
    with survey() as _, pytest.raises(AlreadyExists, match="another run"), survey():
        pass


def test_a_gzipped_map_is_unpacked_for_the_time(map_path: Path, found: QTable, tmp_path: Path) -> None:
    packed = tmp_path / "map.fits.gz"
    packed.write_bytes(gzip.compress(map_path.read_bytes(), 1))
    assert same(search(packed, tmp_path), found)
    assert [path.name for path in tmp_path.iterdir()] == ["map.fits.gz"]


def test_blank_windows_have_no_sources(tmp_path: Path, map_path: Path) -> None:
    data = read_map(map_path).data.copy()
    data[:, 250:] = np.nan

    write_map(as_map(data), tmp_path / "map.fits")
    catalogue = search(tmp_path / "map.fits", tmp_path)
    assert len(catalogue) > 10
    assert catalogue["x"].value.max() < 250


def test_an_object_larger_than_a_patch_may_be_is_measured_in_parts_and_flagged(
    tmp_path: Path, map_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helikon.space.survey.work.MOST_PATCH", 0.3)
    catalogue = search(map_path, tmp_path)
    cut = ["cut" in str(flags) for flags in catalogue["flags"]]
    assert 1 <= sum(cut) < 40
    assert not any("edge" in str(flags) for flags in catalogue["flags"][cut])


def test_a_map_of_one_window_is_searched_as_a_whole(map_path: Path, whole: QTable, tmp_path: Path) -> None:
    run = functools.partial(run_in_processes, n_processes=2)
    for by_tasks in (False, True):
        search = search_map(map_path, ModelFile(), out=tmp_path, run=run, always_by_tasks=by_tasks)
        with search as (catalogue, radio_map):
            assert same(catalogue, whole)
            assert radio_map.data.shape == SHAPE
