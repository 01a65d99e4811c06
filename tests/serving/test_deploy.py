"""A published model is served by the real BentoML: ready, guarded, stopped, killed."""

import concurrent.futures
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from helikon.backends import connect
from helikon.errors import AlreadyExists, InputError, JobFailed, NotFound, NotReady
from helikon.serving.client import EndpointClient
from helikon.serving.deploy import (
    Endpoint,
    endpoint_token,
    find_endpoint,
    serve,
    token_file,
    wait_ready,
)
from helikon.settings import Settings
from helikon.workload import BatchJob, State

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow", "ignore::FutureWarning:mlflow")


def _processes(name: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("HELIKON_JOB") == name and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@pytest.fixture(scope="module")
def endpoint(tiny: Settings) -> Iterator[Endpoint]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        name = serve(tiny, "scale", name="shared")
    yield wait_ready(tiny, name)
    connect(tiny).stop(name)


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[EndpointClient]:
    with EndpointClient(endpoint.url, endpoint.token) as made:
        yield made


def test_a_call_gets_its_answer(client: EndpointClient) -> None:
    assert client.post("scale", values=[1, 2.5]).json() == [3.0, 7.5]


def test_a_file_is_sent_under_the_name_that_the_service_asks_for(
    client: EndpointClient, tmp_path: Path
) -> None:
    (tmp_path / "table.txt").write_text("1 2 3")
    file = tmp_path / "table.txt"
    assert client.post_file("total", file, offset=1.5).json() == {"total": 19.5}
    assert client.post_file("total", file, file_field="table").json() == {"total": 18.0}
    with pytest.raises(InputError, match="refused total: got 400 table: Field required"):
        client.post_file("total", file, file_field="other")


@pytest.mark.parametrize("path", ["scale", "docs.json", "metrics", "", "schema.json", "healthz"])
def test_nothing_answers_without_the_token(endpoint: Endpoint, path: str) -> None:
    assert httpx.get(f"{endpoint.url}/{path}").status_code == 401
    assert httpx.post(f"{endpoint.url}/{path}", headers={"Authorization": "Bearer no"}).status_code == 401


def test_health_is_open(endpoint: Endpoint) -> None:
    assert [httpx.get(f"{endpoint.url}/{path}").status_code for path in ("livez", "readyz")] == [200, 200]


def test_a_body_that_is_too_large_is_refused_and_the_server_goes_on(
    client: EndpointClient, tmp_path: Path
) -> None:
    (tmp_path / "big.txt").write_text("1 " * 600_000)
    with pytest.raises(InputError, match="413 this body is too large, 1048576 bytes at most"):
        client.post_file("total", tmp_path / "big.txt")
    assert client.post("scale", values=[1]).json() == [3.0]


def test_as_many_requests_at_a_time_as_the_setting_says(client: EndpointClient) -> None:
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        met = list(pool.map(lambda _: client.post("meet", timeout_s=20.0).json(), range(2)))
    assert max(met) == 2


def test_what_the_service_refuses_is_the_callers_error(client: EndpointClient) -> None:
    with pytest.raises(InputError, match="refused scale: got 400"):
        client.post("scale", values="no numbers")
    with pytest.raises(InputError, match="refused nothing: got 404"):
        client.post("nothing")


def test_it_listens_on_loopback_only(tiny: Settings, endpoint: Endpoint) -> None:
    port = int(endpoint.url.rpartition(":")[2])
    sockets = [one for process in _processes(endpoint.name) for one in process.net_connections("inet")]
    listening = {
        one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN and one.laddr.port == port
    }
    assert listening == {"127.0.0.1"}


def test_the_same_model_again_is_the_same_server_and_another_is_refused(
    tiny: Settings, endpoint: Endpoint
) -> None:
    assert serve(tiny, "models:/scale@champion", name="shared") == "shared"
    assert find_endpoint(tiny, "shared") == endpoint
    with pytest.raises(AlreadyExists, match="take another name"):
        serve(tiny, "scale@next", name="shared")


def test_the_token_is_not_shown(endpoint: Endpoint) -> None:
    assert endpoint.token not in repr(endpoint)


def test_stop_leaves_no_process_and_a_new_version_can_take_the_name(tiny: Settings) -> None:
    first = wait_ready(tiny, serve(tiny, "scale/1", name="changing"))
    connect(tiny).stop("changing")
    assert _processes("changing") == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{first.url}/readyz")
    second = wait_ready(tiny, serve(tiny, "scale@next", name="changing"))
    with EndpointClient(second.url, second.token) as client:
        assert client.post("scale", values=[1]).json() == [5.0]
    for process in _processes("changing"):
        if "bentoml" in process.cmdline() and "serve" in process.cmdline():
            os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while connect(tiny).status("changing")[0].state.is_alive:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert connect(tiny).status("changing")[0].state is State.FAILED
    with pytest.raises(NotReady, match=r"does not answer: got failed \(killed by SIGKILL"):
        find_endpoint(tiny, "changing")
    while _processes("changing"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_service_that_cannot_start_ends_the_server_with_the_cause(tiny: Settings) -> None:
    with pytest.raises(JobFailed, match="the model server broken ended: got KeyError: 'factor'"):
        wait_ready(tiny, serve(tiny, "broken"))


def test_a_service_that_is_not_there_is_named(tiny: Settings) -> None:
    with pytest.raises(JobFailed, match=r"tests\.nowhere"):
        wait_ready(tiny, serve(tiny, "lost"))


def test_an_unknown_model_or_server_is_said(tiny: Settings) -> None:
    with pytest.raises(NotFound, match="no model nothing"):
        serve(tiny, "nothing")
    with pytest.raises(NotFound, match="no job nothing"):
        wait_ready(tiny, "nothing")
    connect(tiny).start(BatchJob(name="batch", command=("true",)))
    with pytest.raises(NotFound, match="no model server batch: got a batch job"):
        find_endpoint(tiny, "batch")


def test_a_server_that_is_down_is_said_by_the_client() -> None:
    with pytest.raises(NotReady, match="does not answer: got ConnectError"):
        EndpointClient("http://127.0.0.1:9", "token").post("scale")


def test_the_token_is_made_once_and_is_private(settings: Settings) -> None:
    start = threading.Barrier(8)

    def make(_: int) -> str:
        start.wait()
        return endpoint_token(settings)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(make, range(8)))
    assert len(tokens) == 1
    assert len(tokens.pop()) >= 40
    assert token_file(settings).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.state_dir.iterdir()] == ["endpoint.token"]
