"""The service that ``HELIKON_SERVICE`` names, guarded and set up: what BentoML is told to serve."""

import os
from typing import Any

from helikon.apps import load
from helikon.serving.security import secure
from helikon.serving.server import SERVICE
from helikon.settings import load as load_settings

__all__ = ["service"]


def _service() -> Any:
    serving = load_settings().serving
    found = secure(load(os.environ[SERVICE]))
    found.config["workers"] = 1
    found.config["threads"] = serving.n_threads
    found.config.setdefault("traffic", {})["timeout"] = serving.timeout_s
    return found


service = _service()
"""The BentoML service."""
