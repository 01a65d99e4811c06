"""A land-cover model behind BentoML: series go in, classes come out."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from skops.io import dumps

from helikon.earth.landcover import make_classifier
from helikon.earth.models import Card, write_model


def write(folder: Path) -> Path:
    """A model that tells flat series of NDVI from high ones."""
    random = np.random.default_rng(1)
    series = random.uniform(0, 1, (200, 4)).astype(np.float32)
    labels = (series.mean(axis=1) > 0.5).astype(int)
    forest = {"kind": "forest", "n_estimators": 10, "max_features": 1.0, "min_samples_leaf": 1}
    content = dumps(make_classifier(forest).fit(series, labels))
    card = Card(kind="pixels", bands=("ndvi",), n_times=4, classes=("bare", "wood"), gaps="interpolate")
    moments = {"mean": np.zeros(4, np.float32), "std": np.ones(4, np.float32)}
    return write_model(folder, ("model.skops", content), card, known={}, **moments)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A BentoML server with the model."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HELIKON_")} | {
        "HELIKON_MODEL_DIR": str(write(folder / "model")),
        "BENTOML_HOME": str(folder),
        "BENTOML_DO_NOT_TRACK": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = ["-m", "bentoml", "serve", "helikon.earth.service:Classifier", "--host", "127.0.0.1"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "--port", str(port)],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(log.read_text()[-3000:])


@pytest.mark.slow
def test_series_are_answered_with_classes_and_gaps_are_filled(server: str) -> None:
    series = [[0.9, 0.9, 0.9, 0.9], [0.1, 0.1, None, 0.1], [None, None, None, 0.9]]
    answer = httpx.post(f"{server}/classify", json={"series": series}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"values": ["wood", "bare", None]}


@pytest.mark.slow
def test_a_series_of_another_length_is_answered_with_400_and_one_line(server: str) -> None:
    answer = httpx.post(f"{server}/classify", json={"series": [[0.5, 0.5]]}, timeout=60)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["got"], error["expected"]) == ("2", "ndvi at 4 times: 4 numbers")
