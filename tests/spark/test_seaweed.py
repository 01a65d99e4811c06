import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from helikon.backends import connect, wait
from helikon.errors import NotReady
from helikon.settings import Settings, load
from helikon.spark.events import read_lines
from helikon.spark.objects import Folder, open_folder
from helikon.spark.seaweed import Server
from helikon.spark.submit import spark_job
from helikon.workload import State

AWAY_S = 20.0


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """Return a server of the test's own, to be stopped and started."""
    objects = settings.objects.model_copy(update={"retry_s": 60.0})
    one = Server(settings=settings.model_copy(update={"objects": objects}))
    try:
        one.up()
        yield one
    finally:
        one.down()


def kill(server: Server) -> None:
    """Kill the S3 server as a machine that fails would."""
    (weed,) = (p for p in psutil.process_iter(["cmdline"]) if _is_of(p, server))
    os.kill(weed.pid, signal.SIGKILL)
    weed.wait(10)


def _is_of(process: psutil.Process, server: Server) -> bool:
    try:
        return process.name() == "weed" and process.cwd() == str(server.settings.state_dir / "objects")
    except psutil.Error:
        return False


def test_its_keys_are_private_and_made_once_and_its_data_stay(server: Server) -> None:
    folder = open_folder("s3://helikon/kept", server.settings)
    folder.write("x", b"1")
    ours = server.settings.state_dir / "objects"
    before = (ours / "keys.json").read_text()
    files = [path for path in ours.iterdir() if path.is_file()]
    assert {"keys.json", "identities.json", "security.toml", "tls.key"} <= {path.name for path in files}
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
    assert ours.stat().st_mode & 0o077 == 0
    assert server.down()
    assert server.url is None
    assert not server.down()
    server.up()
    assert (ours / "keys.json").read_text() == before
    assert open_folder("s3://helikon/kept", server.settings).read("x") == b"1"


def test_a_bucket_takes_two_volumes_so_that_small_disks_have_room_for_several(server: Server) -> None:
    for bucket in ("one", "two"):
        open_folder(f"s3://{bucket}", server.settings).write("x", b"1")
    laid_out = [path.name.split("_")[0] for path in (server.settings.state_dir / "objects").rglob("*.dat")]
    assert sorted(laid_out) == ["one", "one", "two", "two"]


def test_nobody_gets_at_the_objects_without_the_keys(server: Server) -> None:
    open_folder("s3://helikon", server.settings).write("private", b"1")
    ports = json.loads((server.settings.state_dir / "objects" / "ports.json").read_text())
    paths = ("/helikon/private", "/buckets/helikon/private", "/dir/assign", "/dir/lookup?volumeId=1", "/1,01")
    for port in (port for name, port in ports.items() if not name.endswith("grpc")):
        for path in paths:
            assert httpx.get(f"http://127.0.0.1:{port}{path}").status_code in (401, 403, 404)


@pytest.mark.parametrize("name", ["master", "volume", "filer", "s3"])
def test_its_inner_parts_speak_to_each_other_alone(s3_settings: Settings, name: str) -> None:
    import grpc

    port = json.loads((s3_settings.state_dir / "objects" / "ports.json").read_text())[f"{name}.grpc"]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        ask = channel.unary_unary("/filer_pb.SeaweedFiler/ListEntries")
        with pytest.raises(grpc.RpcError) as refused:
            ask(b"", timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.slow
def test_a_store_that_is_away_for_twenty_seconds_is_waited_for(server: Server, tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    folder = open_folder("s3://helikon/away", server.settings)
    image(tmp_path / "a.tif")
    folder.write("a.tif", tmp_path / "a.tif")

    def sum_of_pixels() -> int:
        with rasterio.Env(**folder.gdal_options()), rasterio.open(folder.gdal_path("a.tif")) as opened:
            return int(opened.read().sum())

    kill(server)
    back = threading.Timer(AWAY_S, server.up)
    back.start()
    try:
        writers = [threading.Thread(target=folder.write, args=(f"x/{i}", b"1")) for i in range(2)]
        for writer in writers:
            writer.start()
        assert folder.patiently(sum_of_pixels) == 64 * 64
        for writer in writers:
            writer.join()
        assert not back.is_alive()
        assert folder.list("x/") == ["x/0", "x/1"]
    finally:
        back.join()


def test_a_store_that_is_gone_is_one_error_that_names_it(server: Server) -> None:
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    found = open_folder("s3://helikon/gone", server.settings)
    folder = Folder(url=found.url, place=found.place, retry_s=1.0)
    kill(server)

    def opened() -> None:
        with rasterio.Env(**folder.gdal_options()):
            rasterio.open(folder.gdal_path("a.tif")).close()

    uses = (
        lambda: folder.read("x"),
        lambda: folder.write("x", b"1"),
        folder.list,
        lambda: folder.exists("x"),
        lambda: folder.patiently(opened),
    )
    for use in uses:
        with pytest.raises(NotReady, match=f"object storage at {folder.endpoint} does not answer") as told:
            use()
        assert "\n" not in str(told.value)


def test_what_gdal_cannot_read_is_not_waited_for(s3_settings: Settings) -> None:
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    folder = open_folder("s3://helikon/broken", s3_settings)
    folder.write("a.tif", b"II*\0 and no more")
    tries = []

    def opened() -> None:
        tries.append(1)
        with rasterio.Env(**folder.gdal_options()):
            rasterio.open(folder.gdal_path("a.tif")).close()

    with pytest.raises(rasterio.errors.RasterioIOError):
        folder.patiently(opened)
    assert len(tries) == 2


APPLICATION = """
from helikon.settings import load
from helikon.spark.objects import open_folder
from helikon.spark.tasks import run_tasks

folder = open_folder("s3://helikon/job", load())

def copy(i):
    folder.write(f"{i}", folder.read("source"))
    return i

run_tasks(copy, range(4), load())
print(folder.list())
"""


@pytest.mark.slow
def test_a_job_reads_and_writes_with_keys_that_are_nowhere_written_but_in_one_private_file(
    s3_settings: Settings, tmp_path: Path
) -> None:
    source = open_folder("s3://helikon/job", s3_settings)
    source.write("source", b"pixels")
    keys = json.loads((s3_settings.state_dir / "objects" / "keys.json").read_text())
    objects = {"endpoint": source.endpoint} | {key: keys[key] for key in ("access_key", "secret_key")}
    values = {"state_dir": str(tmp_path / "state"), "objects": objects}
    settings = load(
        environ={}, overrides=values | {"spark": {"master": "local[2,3]", "driver_memory_gib": 1}}
    )
    (tmp_path / "app.py").write_text(APPLICATION)
    backend = connect(settings)
    try:
        backend.start(spark_job(settings, str(tmp_path / "app.py"), name="copy"))
        assert wait(backend, "copy", timeout_s=200).state is State.SUCCEEDED, list(backend.logs("copy"))
    finally:
        backend.stop("copy")
    assert source.list() == ["0", "1", "2", "3", "source"]
    holders = [path for path in settings.state_dir.rglob("*") if path.is_file() and holds(path, keys)]
    assert [path.parent.name for path in holders] == ["objects"]
    assert holders[0].stat().st_mode & 0o777 == 0o600
    assert any(path.suffix == ".zstd" for path in (settings.state_dir / "spark" / "events").rglob("*"))


def holds(path: Path, keys: dict[str, str]) -> bool:
    """Whether a file, unpacked where it is packed, holds the secret."""
    content = path.read_bytes()
    if path.suffix == ".zstd":
        content = "\n".join(read_lines(path)).encode()
        assert content
    return keys["secret_key"].encode() in content


def image(path: Path) -> None:
    """Write a georeferenced image of ones."""
    import rasterio

    size = {"width": 64, "height": 64, "count": 1, "dtype": "uint8"}
    transform = rasterio.Affine(1, 0, 0, 0, -1, 64)
    with rasterio.open(path, "w", driver="GTiff", transform=transform, **size) as opened:
        opened.write(np.ones((1, 64, 64), dtype=np.uint8))
