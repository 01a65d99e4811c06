"""An application's BentoML service on a free port, for its tests."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from helikon.backends.ports import answers, free_port
from helikon.testing.polling import eventually

__all__ = ["served"]


@contextlib.contextmanager
def served(service: str, folder: Path, **environment: str) -> Iterator[str]:
    """Serve a service with BentoML while inside, and yield its URL once it is ready.

    Parameters
    ----------
    service : str
        ``module:Class``.
    folder : Path
        For BentoML's home and its log; nothing of the caller's Helikon is seen.
    **environment : str
        Further variables, as ``HELIKON_MODEL_DIR``.

    Raises
    ------
    AssertionError
        If it ends or is not ready in time; says the end of its log.
    """
    port = free_port()
    command = ("-m", "bentoml", "serve", service, "--host", "127.0.0.1", "--port", str(port))
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("HELIKON_")}
    fixed = {"BENTOML_HOME": str(folder), "BENTOML_DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            env=inherited | fixed | environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            eventually(lambda: process.poll() is not None or answers(port), timeout_s=120, interval_s=0.2)
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)
