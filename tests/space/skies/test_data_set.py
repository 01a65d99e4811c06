"""Data sets of fields."""

import json
from pathlib import Path
from typing import Any

import pytest

from helikon.errors import InputError
from helikon.pool import run_in_processes
from helikon.settings import load
from helikon.space.skies.arrays import ARRAY_NAMES
from helikon.space.skies.data_set import MANIFEST, array_of, make_data_set
from helikon.space.skies.files import read_sky
from helikon.spark.sessions import close
from helikon.spark.tasks import run_tasks

OPTIONS: dict[str, Any] = {"size": 128, "array": "all", "split": "validation"}


def _one_by_one(function: Any, items: Any, told: Any) -> list[Any]:
    results = []
    for n_done, item in enumerate(items, start=1):
        results.append(function(item))
        told(n_done, len(items))
    return results


def _make(folder: Path, n_fields: int = 3, run: Any = _one_by_one, **options: Any) -> dict[str, Any]:
    return make_data_set(
        folder, range(7, 7 + n_fields), OPTIONS | options, run=run, told=lambda done, total: None
    )


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_data_set_has_a_file_for_each_field_and_says_what_is_in_it(tmp_path: Path) -> None:
    _make(tmp_path)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert [field["array"] for field in manifest["fields"]] == [array_of("all", seed) for seed in (7, 8, 9)]
    assert {field["array"] for field in manifest["fields"]} == set(ARRAY_NAMES)
    truths = [read_sky(tmp_path / field["file"]).truth for field in manifest["fields"]]
    n_compact = sum(list(truth["class"]).count("compact") for truth in truths)
    assert manifest["counts"]["compact"] == n_compact > 0


def test_processes_write_the_same_bytes(tmp_path: Path) -> None:
    def run(function: Any, items: Any, told: Any) -> list[Any]:
        return run_in_processes(function, items, told, n_processes=2)

    _make(tmp_path / "one", 2)
    _make(tmp_path / "two", 2, run)
    assert _content(tmp_path / "one") == _content(tmp_path / "two")


@pytest.mark.slow
def test_spark_writes_the_same_bytes(tmp_path: Path) -> None:
    spark = {"master": "local[2,3]", "driver_memory_gib": 1}
    overrides = {"state_dir": str(tmp_path / "state"), "owner": "ada", "spark": spark}
    settings = load(environ={}, overrides=overrides)

    def run(function: Any, items: Any, told: Any) -> list[Any]:
        return run_tasks(function, items, settings, progress=told)

    _make(tmp_path / "one", 2)
    try:
        _make(tmp_path / "two", 2, run)
    finally:
        close()
    assert _content(tmp_path / "one") == _content(tmp_path / "two")


def test_after_a_stop_what_is_whole_is_kept_and_leftovers_go(tmp_path: Path) -> None:
    def stops_after_two(function: Any, items: Any, told: Any) -> list[Any]:
        _one_by_one(function, items[:2], told)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _make(tmp_path, run=stops_after_two)
    assert not (tmp_path / MANIFEST).exists()
    leftover = tmp_path / f".123.{next(tmp_path.glob('*.fits')).name}"
    leftover.write_bytes(b"half")
    assert _make(tmp_path)["n_kept"] == 2
    assert _make(tmp_path)["n_kept"] == 3
    assert not leftover.exists()


def test_a_field_of_other_options_is_in_the_way(tmp_path: Path) -> None:
    _make(tmp_path, 1)
    with pytest.raises(InputError, match="give another folder"):
        _make(tmp_path, 1, diffuse=2.0)


def test_an_unknown_array_is_told() -> None:
    with pytest.raises(InputError, match="askap, meerkat, vla-b"):
        array_of("lofar", 1)
