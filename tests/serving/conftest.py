"""One published model of a tiny service, and recipes for stopping what was started."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from helikon.backends import connect
from helikon.catalogue.models import publish
from helikon.settings import Settings, load

ROOT = Path(__file__).parents[2]
SERVICE = "tests.serving.tiny_service:Scale"


def model_folder(folder: Path, **weights: float) -> Path:
    """Make a model folder with these weights."""
    folder.mkdir()
    save_file(
        {key: np.array(value, np.float32) for key, value in weights.items()}, folder / "weights.safetensors"
    )
    (folder / "model.json").write_text(json.dumps({}))
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a state folder with the models ``scale`` (two versions) and ``broken``."""
    folder = tmp_path_factory.mktemp("tiny")
    serving = {"n_threads": 2, "max_upload_mib": 1, "ready_timeout_s": 120}
    settings = load(
        environ={}, overrides={"state_dir": str(folder / "state"), "owner": "ada", "serving": serving}
    )
    publish(settings, model_folder(folder / "one", factor=3.0), "scale", service=SERVICE)
    publish(settings, model_folder(folder / "two", factor=5.0), "scale", service=SERVICE, alias="next")
    publish(settings, model_folder(folder / "broken", other=1.0), "broken", service=SERVICE)
    publish(settings, model_folder(folder / "lost", factor=1.0), "lost", service="tests.nowhere:Service")
    yield settings
    for status in connect(settings).status():
        connect(settings).stop(status.name)


@pytest.fixture(autouse=True)
def _services_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
