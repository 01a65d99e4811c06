"""A land-cover model behind BentoML: series go in, classes come out."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from skops.io import dumps

from helikon.earth.landcover import make_classifier
from helikon.earth.models import Card, write_model
from helikon.testing.services import served


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
    model = write(folder / "model")
    with served("helikon.earth.service:Classifier", folder, HELIKON_MODEL_DIR=str(model)) as url:
        yield url


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


@pytest.mark.slow
def test_a_field_that_there_is_not_is_refused_with_those_there_are(server: str) -> None:
    answer = httpx.post(f"{server}/classify", json={"series": [[0.9] * 4], "gaps": "none"}, timeout=60)
    assert answer.status_code == 400
    assert "there is no field gaps: expected one of series" in answer.json()["detail"][0]["msg"]
