"""A real BentoML service of a few lines, for tests only."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
from safetensors.numpy import load_file


@bentoml.service
class Scale:
    """Multiplies by the model's one weight."""

    def __init__(self) -> None:
        weights = load_file(Path(os.environ["HELIKON_MODEL_DIR"]) / "weights.safetensors")
        self.factor = weights["factor"].item()
        self._active = 0
        self._lock = threading.Lock()

    @bentoml.api
    def scale(self, values: list[float]) -> list[float]:
        return [float(value) for value in np.asarray(values) * self.factor]

    @bentoml.api
    def total(self, table: Path, offset: float = 0.0) -> dict[str, float]:
        values = [float(line) for line in table.read_text().split()]
        return {"total": sum(values) * self.factor + offset}

    @bentoml.api
    def meet(self, timeout_s: float = 5.0) -> int:
        """Return how many requests are worked on at once."""
        with self._lock:
            self._active += 1
        deadline = time.monotonic() + timeout_s
        while self._active < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        return self._active

    @bentoml.api
    def environment(self) -> dict[str, Any]:
        return {"token": "HELIKON_ENDPOINT_TOKEN" in os.environ}
