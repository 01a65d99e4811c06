"""MLflow's server on a unix socket, for the portal alone.

``python -m helikon.gateway.mlflow_server SOCKET``. One process: MLflow's own
``mlflow server`` would start four workers and a job queue.
"""

import os
import sys
from pathlib import Path

from helikon.catalogue.tracking import artifacts_folder, prepare
from helikon.gateway.hub import MLFLOW_PREFIX
from helikon.settings import load

__all__ = ["main"]


def main() -> None:
    """Serve until stopped."""
    socket = Path(sys.argv[1])
    settings = load()
    os.environ.update(_environment(prepare(settings), artifacts_folder(settings)))
    socket.unlink(missing_ok=True)
    import uvicorn

    # The socket is made with mode 0666; the folder's mode 0700 keeps others away.
    uvicorn.run(
        "mlflow.server.fastapi_app:app",
        uds=str(socket),
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


def _environment(tracking_uri: str, artifacts: Path) -> dict[str, str]:
    return {
        "_MLFLOW_SERVER_FILE_STORE": tracking_uri,
        "_MLFLOW_SERVER_REGISTRY_STORE": tracking_uri,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": str(artifacts),
        "_MLFLOW_STATIC_PREFIX": MLFLOW_PREFIX,
        "_MLFLOW_SGI_NAME": "uvicorn",
        "MLFLOW_TRACKING_URI": tracking_uri,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


if __name__ == "__main__":
    main()
