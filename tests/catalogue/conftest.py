"""A model folder made by hand, and an MLflow database made once for all tests."""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from helikon.catalogue import tracking
from helikon.settings import Settings, load

MakeFolder = Callable[..., Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a state folder whose database is made; MLflow's migrations take seconds."""
    folder = tmp_path_factory.mktemp("made-once")
    settings = load(environ={}, overrides={"state_dir": str(folder)})
    tracking.prepare(settings)
    return settings


@pytest.fixture
def ready(settings: Settings, made_once: Settings) -> Settings:
    """Settings whose database is there, as :func:`tracking.prepare` makes it."""
    shutil.copytree(made_once.state_dir, settings.state_dir)
    with contextlib.closing(sqlite3.connect(settings.state_dir / "mlflow" / "mlflow.db")) as database:
        database.execute(
            "update experiments set artifact_location = replace(artifact_location, ?, ?)",
            (str(made_once.state_dir), str(settings.state_dir)),
        )
        database.commit()
    return settings


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """A function that makes a model folder with one weight."""

    def make(name: str = "model", factor: float = 2.0, **card: object) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        save_file({"factor": np.array(factor, np.float32)}, folder / "weights.safetensors")
        (folder / "model.json").write_text(json.dumps(card))
        return folder

    return make
