"""A small real service for tests: it adds what its model says to the values of a file."""

import json
import os
import time
from pathlib import Path

import bentoml

from helikon.serving.security import protect


@protect
@bentoml.service(name="Adder", threads=2, workers=1)
class Adder:
    """Add a constant."""

    def __init__(self) -> None:
        card = json.loads((Path(os.environ["HELIKON_MODEL_DIR"]) / "model.json").read_text())
        self.constant = float(card["constant"])

    @bentoml.api
    def add(self, file: Path, times: float = 1.0) -> float:
        """Sum the numbers of a text file, and add."""
        return sum(map(float, file.read_text().split())) * times + self.constant

    @bentoml.api
    def nap(self, seconds: float) -> float:
        """Keep one thread busy."""
        time.sleep(seconds)
        return seconds
