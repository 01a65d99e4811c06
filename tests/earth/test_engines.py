"""The engines write the same bytes, and a killed worker leaves exactly the right set."""

import functools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.earth.scenes import landsat_product

from helikon.earth.engines import choose
from helikon.earth.options import Options
from helikon.earth.prepare import prepare
from helikon.errors import EngineError
from helikon.settings import Settings
from helikon.spark.tasks import run_tasks

OPTIONS = Options(
    bands=("red", "nir"), indices=("ndvi",), chip=32, min_clear=0.3, normalise="standard", block=2
)


@pytest.fixture(autouse=True)
def many_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the small scene into several units."""
    monkeypatch.setattr("helikon.earth.plan._SHARD_BYTES", 8 * 4 * 32 * 32 * 3)


def files_of(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def plainly(source: Path, out: Path, settings: Settings) -> dict[str, bytes]:
    made = prepare([str(source)], str(out), OPTIONS, settings, run=choose("local", settings, 1))
    assert made.n_units > 3
    return files_of(out)


def test_one_process_several_and_spark_write_the_same_bytes(tmp_path: Path, warm: Settings) -> None:
    product = landsat_product(tmp_path)
    expected = plainly(product, tmp_path / "one", warm)
    for engine in ("local", "spark"):
        out = tmp_path / engine
        prepare([str(product)], str(out), OPTIONS, warm, run=choose(engine, warm, 2))
        assert files_of(out) == expected


def die_once(flag: str, function: Callable[[Any], Any], item: Any) -> Any:
    """Work on an item, but the first time kill the own process when its shard is written and its part not."""
    if item.unit.number == 2 and not os.path.exists(flag):
        open(flag, "w").close()
        item.job.out.write("chips/000002.npz", b"half of a shard")
        item.job.out.write("chips/.000002.npz.0.partial", b"half of a shard, beside")
        os.kill(os.getpid(), signal.SIGKILL)
    return function(item)


def test_a_killed_worker_of_spark_leaves_the_manifest_exact(tmp_path: Path, warm: Settings) -> None:
    product = landsat_product(tmp_path)
    expected = plainly(product, tmp_path / "one", warm)
    flag = tmp_path / "died"

    def run(function: Any, items: Any, told: Any) -> list[Any]:
        if not hasattr(items[0], "unit"):
            return choose("spark", warm)(function, items, told)
        work = functools.partial(die_once, str(flag), function)
        return run_tasks(work, items, warm, n_tasks=len(items), progress=told)

    prepare([str(product)], str(tmp_path / "spark"), OPTIONS, warm, run=run)
    assert flag.exists()
    assert files_of(tmp_path / "spark") == expected


def test_a_killed_process_is_one_clear_error_and_the_same_call_goes_on(
    tmp_path: Path, settings: Settings
) -> None:
    product = landsat_product(tmp_path)
    expected = plainly(product, tmp_path / "one", settings)
    out, flag = tmp_path / "two", tmp_path / "died"
    local = choose("local", settings, 2)

    def run(function: Any, items: Any, told: Any) -> list[Any]:
        return local(functools.partial(die_once, str(flag), function), items, told)

    with pytest.raises(EngineError, match="a process was killed"):
        prepare([str(product)], str(out), OPTIONS, settings, run=run)
    assert not (out / "manifest.parquet").exists()
    prepare([str(product)], str(out), OPTIONS, settings, run=local)
    assert files_of(out) == expected


def test_an_engine_tells_how_many_are_done(settings: Settings) -> None:
    told: list[tuple[int, int]] = []
    found = choose("local", settings, 2)(abs, [-1, -2, -3], lambda *done: told.append(done))
    assert found == [1, 2, 3]
    assert told == [(1, 3), (2, 3), (3, 3)]
