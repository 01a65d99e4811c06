"""The portal's process, started by JupyterHub: ``python -m helikon.portal.main``."""

import os
from urllib.parse import urlsplit

import uvicorn

from helikon.portal.app import build_app
from helikon.portal.identity import Identity
from helikon.settings import load

__all__ = ["main"]


def main() -> None:
    """Serve until stopped; everything but the settings comes from the hub's environment."""
    url = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"].rstrip("/")
    app = build_app(
        load(),
        identity=Identity.of_hub(),
        prefix=prefix,
        mlflow_socket=os.environ["PORTAL_MLFLOW_SOCKET"],
    )
    uvicorn.run(
        app,
        host=url.hostname or "127.0.0.1",
        port=url.port or 0,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
