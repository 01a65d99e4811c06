"""Object storage that is away for a while, or for good, while scenes are prepared."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.earth.scenes import landsat_product

from helikon.earth.chipset import open_chips
from helikon.earth.engines import choose
from helikon.earth.options import Options
from helikon.earth.prepare import prepare
from helikon.errors import NotReady
from helikon.settings import Settings, load
from helikon.spark.objects import open_folder
from helikon.spark.seaweed import Server

OPTIONS = Options(bands=("red",), chip=64, min_clear=0.0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Server, Settings]]:
    """A SeaweedFS of the test's own, with a product in the bucket."""
    settings = load(environ={}, overrides={"state_dir": str(tmp_path / "state"), "owner": "ada"})
    made = Server(settings=settings)
    try:
        made.up()
        product = landsat_product(tmp_path)
        bucket = open_folder("s3://earth/scenes", settings)
        for path in product.iterdir():
            bucket.write(f"{product.name}/{path.name}", path.read_bytes())
        yield made, settings
    finally:
        made.down()


@pytest.mark.slow
def test_a_store_that_comes_back_is_waited_for(server: tuple[Server, Settings], tmp_path: Path) -> None:
    store, settings = server
    local = choose("local", settings, 1)

    def run(function: Any, items: Any, told: Any) -> list[Any]:
        store.down()
        back = threading.Timer(4, store.up)
        back.start()
        try:
            return local(function, items, told)
        finally:
            back.join()

    prepare(["s3://earth/scenes"], "s3://earth/chips", OPTIONS, settings, run=run)
    (product,) = tmp_path.glob("LC09*")
    prepare([str(product)], str(tmp_path / "chips"), OPTIONS, settings, run=local)
    here = open_chips(str(tmp_path / "chips"), settings)
    assert open_chips("s3://earth/chips", settings).table["sha256"] == here.table["sha256"]


@pytest.mark.slow
def test_a_store_that_is_gone_is_one_clear_error_and_no_broken_scene(
    server: tuple[Server, Settings],
) -> None:
    store, settings = server
    objects = settings.objects.model_copy(update={"retry_s": 1.0})
    hasty = settings.model_copy(update={"objects": objects})
    local = choose("local", hasty, 1)

    def run(function: Any, items: Any, told: Any) -> list[Any]:
        store.down()
        return local(function, items, told)

    with pytest.raises(NotReady, match=r"object storage at http://127\.0\.0\.1:\d+ does not answer"):
        prepare(["s3://earth/scenes"], "s3://earth/chips", OPTIONS, hasty, run=run)
