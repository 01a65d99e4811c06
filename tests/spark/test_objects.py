import http.server
import os
import pickle
import resource
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from helikon.errors import EngineError, InputError, NotFound, SettingsError
from helikon.settings import Settings
from helikon.spark.objects import Folder, open_folder


@pytest.fixture(params=["folder", "s3"])
def folder(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Folder:
    """Return a folder on disk and in S3: both behave alike."""
    if request.param == "folder":
        return open_folder(tmp_path / "data", settings)
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    return open_folder(f"s3://helikon/{name}", request.getfixturevalue("s3_settings"))


def test_what_is_written_is_read_and_written_over(folder: Folder) -> None:
    assert folder.list() == []
    folder.write("chips/1.npz", b"one")
    folder.write("chips/1.npz", b"another")
    assert folder.read("chips/1.npz") == b"another"
    assert folder.list() == ["chips/1.npz"]


def test_another_object_under_a_key_is_another_version(folder: Folder) -> None:
    assert folder.version("one") == ""
    folder.write("one", b"first")
    first = folder.version("one")
    assert first == folder.version("one") != ""
    folder.write("one", b"other")
    assert folder.version("one") not in ("", first)


def test_keys_are_listed_by_prefix_in_order(folder: Folder) -> None:
    for key in ("b/2", "a", "b/10", "bc"):
        folder.write(key, key.encode())
    assert folder.list() == ["a", "b/10", "b/2", "bc"]
    assert folder.list("b/") == ["b/10", "b/2"]
    assert folder.list("b") == ["b/10", "b/2", "bc"]
    assert folder.list("none/") == []


def test_what_is_not_there_is_said_to_be_so(folder: Folder) -> None:
    folder.write("there", b"")
    assert (folder.exists("there"), folder.exists("not")) == (True, False)
    with pytest.raises(NotFound, match="there is no not in"):
        folder.read("not")
    folder.delete("there")
    folder.delete("there")
    assert folder.list() == []


def test_pieces_are_one_object(folder: Folder) -> None:
    large = os.urandom(3 << 20)
    folder.write("pieces", [memoryview(b"head"), memoryview(b""), memoryview(large), memoryview(b"tail")])
    assert folder.read("pieces") == b"head" + large + b"tail"


def test_what_need_not_last_yet_can_be_settled_later(folder: Folder) -> None:
    folder.write("chips/1", b"one", lasting=False)
    folder.write("2", b"two", lasting=False)
    assert folder.read("chips/1") == b"one"
    folder.settle(["chips/1", "2"])
    assert folder.list() == ["2", "chips/1"]


def test_what_cannot_be_settled_is_a_clear_error(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(EngineError, match="gone cannot be written to"):
        open_folder(tmp_path, settings).settle(["gone"])


def test_a_file_is_an_object_too(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(6 << 20))
    folder.write("big", tmp_path / "file")
    assert folder.read("big") == (tmp_path / "file").read_bytes()


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a//b", "a/./b", "a/"])
def test_a_key_cannot_leave_its_folder(folder: Folder, key: str) -> None:
    for use in (folder.read, folder.exists, folder.delete, folder.gdal_path, partial(folder.write, data=b"")):
        with pytest.raises(InputError, match="a key cannot be used"):
            use(key)


def test_a_pickled_folder_is_the_same_and_holds_no_secret(s3_settings: Settings) -> None:
    folder = open_folder("s3://helikon/pickled", s3_settings)
    folder.write("x", b"1")
    secret = (s3_settings.state_dir / "objects" / "keys.json").read_text().split('"')[7]
    assert len(secret) > 30
    pickled = pickle.dumps(folder)
    assert secret.encode() not in pickled + pickle.dumps(folder.gdal_options())
    assert secret not in repr(folder) + repr(folder.gdal_options())
    assert pickle.loads(pickled).read("x") == b"1"


def test_gdal_reads_what_was_written(folder: Folder, tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    pixels = np.arange(64 * 64, dtype=np.uint16).reshape(1, 64, 64)
    size = {"width": 64, "height": 64, "count": 1, "dtype": "uint16"}
    transform = rasterio.Affine(1, 0, 0, 0, -1, 64)
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", transform=transform, **size) as image:
        image.write(pixels)
    folder.write("scenes/a.tif", tmp_path / "a.tif")
    with rasterio.Env(**folder.gdal_options()), rasterio.open(folder.gdal_path("scenes/a.tif")) as image:
        assert (image.read() == pixels).all()


def test_a_disk_that_takes_no_more_leaves_nothing_half_written(settings: Settings, tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "data", settings)
    folder.write("x", b"before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(EngineError, match=r"x cannot be written to .*/data: got File too large"):
            folder.write("x", bytes(2 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert folder.read("x") == b"before"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["x"]


def test_keys_that_are_wrong_are_refused_by_name(s3_settings: Settings, settings: Settings) -> None:
    open_folder("s3://helikon", s3_settings).write("private", b"1")
    endpoint = open_folder("s3://helikon", s3_settings).endpoint
    wrong = settings.objects.model_copy(update={"endpoint": endpoint, "access_key": ""})
    nobody = open_folder("s3://helikon", settings.model_copy(update={"objects": wrong}))
    with pytest.raises(SettingsError, match=f"{endpoint} refuses private .*access key none"):
        nobody.read("private")


@pytest.mark.parametrize("url", ["ftp://host/x", "s3://", "s3:///key", "http://"])
def test_other_urls_are_refused(settings: Settings, url: str) -> None:
    with pytest.raises(InputError, match="expected a path, file://"):
        open_folder(url, settings)


def test_paths_become_absolute(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    urls = {
        open_folder(url, settings).url for url in ("x", Path("x"), f"file://{tmp_path}/x", f"{tmp_path}/x/")
    }
    assert urls == {f"{tmp_path}/x"}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "a b.txt").write_text("hello")
    handler = partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_web_can_only_be_read(settings: Settings, web: str) -> None:
    folder = open_folder(web, settings)
    assert folder.read("a b.txt") == b"hello"
    assert (folder.exists("a b.txt"), folder.exists("c")) == (True, False)
    assert folder.gdal_path("a b.txt") == f"/vsicurl/{web}/a%20b.txt"
    for use in (folder.list, partial(folder.write, "a", b""), partial(folder.delete, "a")):
        with pytest.raises(InputError, match="got a web server"):
            use()
