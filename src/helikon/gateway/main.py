"""The platform's process: ``python -m helikon.gateway.main``.

It is JupyterHub with our configuration, and beside it MLflow, which is started
first because it takes longest. The environment names the settings, as it does
for every job.
"""

import atexit
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from helikon.errors import EngineError
from helikon.gateway.folder import gateway_folder, read_address
from helikon.settings import load

__all__ = ["main"]

_MLFLOW_PAUSE_S = 2.0


def main() -> None:
    """Run the platform until it is stopped; ends the process with a code that is not 0."""
    settings = load()
    address = read_address(settings)
    if address is None:
        raise EngineError("the gateway has no ports yet", next_step="start it with: helikon up")
    # A server that the settings name has its own process; the portal sends requests on to it.
    if not settings.tracking_uri.startswith("http"):
        _keep_mlflow_running(address.mlflow_socket)
    # Routes of a platform that was killed would be taken for ours.
    for name in ("proxy.toml", "routes.toml"):
        (gateway_folder(settings) / name).unlink(missing_ok=True)
    # The proxy's binary lies beside the environment's python.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    from jupyterhub.app import JupyterHub

    JupyterHub.launch_instance(["-f", str(Path(__file__).with_name("jupyterhub_config.py"))])
    # A gateway never completes: one that ends by itself has failed, and may be started again.
    sys.exit(1)


def _keep_mlflow_running(socket: str) -> None:
    command = [sys.executable, "-m", "helikon.gateway.mlflow_server", socket]
    server = [subprocess.Popen(command)]
    atexit.register(lambda: server[0].terminate())  # noqa: PLW0108  # the one that runs then

    def watch() -> None:
        while True:
            server[0].wait()
            time.sleep(_MLFLOW_PAUSE_S)
            server[0] = subprocess.Popen(command)

    threading.Thread(target=watch, daemon=True, name="mlflow").start()


if __name__ == "__main__":
    main()
