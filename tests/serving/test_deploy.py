"""A model from the registry answers over HTTP, to those with the token alone."""

import concurrent.futures
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
from safetensors.numpy import save_file

from helikon.backends import connect
from helikon.catalogue.models import publish
from helikon.errors import EngineError, InputError, NotFound, NotReady
from helikon.serving.client import EndpointClient
from helikon.serving.deploy import Endpoint, find_endpoint, serve, wait_ready
from helikon.settings import Settings, load

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow


def model_folder(folder: Path, constant: float) -> Path:
    folder.mkdir()
    save_file({"constant": np.array([constant])}, folder / "weights.safetensors")
    (folder / "model.json").write_text(json.dumps({"constant": constant}))
    return folder


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings whose jobs can import the test's own service."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(HERE)
    state = tmp_path_factory.mktemp("serving")
    settings = load(
        environ={}, overrides={"state_dir": str(state), "owner": "ada", "serving": {"max_upload_mib": 1}}
    )
    publish(settings, model_folder(state / "folder", 100.0), "adder", service="adder:Adder")
    try:
        yield settings
    finally:
        backend = connect(settings)
        for status in backend.status():
            backend.stop(status.name)
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="module")
def endpoint(platform: Settings) -> Endpoint:
    return wait_ready(platform, serve(platform, "adder"))


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.txt"
    path.write_text("1 2 3")
    return path


def test_a_file_and_values_go_in_and_the_answer_comes_back(endpoint: Endpoint, numbers: Path) -> None:
    with EndpointClient(endpoint.url, endpoint.token) as client:
        assert client.post_file("add", numbers, field="file", times=2).json() == 112.0


def test_serving_the_same_model_again_is_the_same_endpoint(platform: Settings, endpoint: Endpoint) -> None:
    assert serve(platform, "models:/adder/1") == endpoint.name
    assert find_endpoint(platform, "adder") == endpoint


@pytest.mark.parametrize("token", ["", "wrong"])
def test_nobody_passes_without_the_token(endpoint: Endpoint, numbers: Path, token: str) -> None:
    client = EndpointClient(endpoint.url, token or "none")
    with pytest.raises(InputError, match=r"401.*token"):
        client.post_file("add", numbers, field="file")
    client.close()


@pytest.mark.parametrize("path", ["/docs.json", "/metrics", "/", "/healthz"])
def test_the_pages_of_the_server_ask_for_the_token_too(endpoint: Endpoint, path: str) -> None:
    assert httpx.get(endpoint.url + path).status_code == 401
    headers = {"Authorization": f"Bearer {endpoint.token}"}
    assert httpx.get(endpoint.url + path, headers=headers).status_code == 200


def test_a_body_over_the_limit_is_refused(endpoint: Endpoint, tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    large.write_text("1 " * 2**20)
    with EndpointClient(endpoint.url, endpoint.token) as client, pytest.raises(InputError, match="413"):
        client.post_file("add", large, field="file")


def test_a_body_over_the_limit_is_refused_when_it_does_not_say_its_length(endpoint: Endpoint) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 2**16

    headers = {"Authorization": f"Bearer {endpoint.token}", "Content-Type": "application/json"}
    answer = httpx.post(f"{endpoint.url}/nap", content=chunks(), headers=headers)
    assert answer.status_code == 413


def test_two_requests_are_worked_on_at_a_time(endpoint: Endpoint) -> None:
    client = EndpointClient(endpoint.url, endpoint.token)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: client.post_json("nap", seconds=2.0).json(), range(2)))
    client.close()
    assert answers == [2.0, 2.0]
    assert time.monotonic() - start < 3.8


def test_a_value_that_the_service_does_not_know_is_an_input_error(endpoint: Endpoint) -> None:
    with EndpointClient(endpoint.url, endpoint.token) as client, pytest.raises(InputError):
        client.post_json("nap", seconds="long")


def test_a_killed_server_is_told_and_can_be_served_again_and_stopped(platform: Settings) -> None:
    name = serve(platform, "adder", name="victim")
    wait_ready(platform, name)
    _kill_tree(platform, name)
    (status,) = connect(platform).status(name)
    assert status.state == "failed"
    with pytest.raises(NotFound, match="failed"):
        find_endpoint(platform, name)
    second = wait_ready(platform, serve(platform, "adder", name="victim"))
    connect(platform).stop(name)
    client = EndpointClient(second.url, second.token)
    with pytest.raises(NotReady):
        client.post_json("nap", seconds=0)
    client.close()


def _kill_tree(settings: Settings, name: str) -> None:
    """Kill the server's main process, and wait until the backend knows."""
    for process in psutil.process_iter():
        try:
            words, environment = process.cmdline(), process.environ()
        except psutil.Error:
            continue
        if environment.get("HELIKON_JOB") == name and "bentoml" in words:
            process.kill()
    deadline = time.monotonic() + 20
    while connect(settings).status(name)[0].state.is_alive and time.monotonic() < deadline:
        time.sleep(0.1)


def test_a_server_whose_service_does_not_exist_says_why(platform: Settings, tmp_path: Path) -> None:
    publish(platform, model_folder(tmp_path / "other", 1.0), "lost", service="nowhere:Nothing")
    with pytest.raises(EngineError, match=r"did not start.*nowhere"):
        wait_ready(platform, serve(platform, "lost"))


def test_an_unknown_model_is_not_found(platform: Settings) -> None:
    with pytest.raises(NotFound, match="unheard"):
        serve(platform, "unheard")
