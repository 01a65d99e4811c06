"""JupyterHub's configuration, from the settings.

:func:`configure` sets what Helikon decides; whatever stands in the setting
``gateway.hub_config`` is laid over it untranslated.
"""

import os
import sys
from pathlib import Path
from typing import Any

from helikon.errors import EngineError
from helikon.gateway.account import account_user
from helikon.gateway.folder import Address, gateway_folder, read_address
from helikon.gateway.notebooks import copy_notebooks, notebook_folder
from helikon.settings import Settings

__all__ = ["MLFLOW_PREFIX", "SCOPES", "configure"]

SCOPES = {
    "custom:jobs:submit": "Stop jobs, and read and write the history in MLflow",
    "custom:models:infer": "Call model endpoints",
    "custom:models:admin": "See the metrics and documentation pages of model endpoints that one may call",
}
"""What the hub can grant besides its own scopes, and what each means."""

MLFLOW_PREFIX = "/services/portal/mlflow"
"""Where MLflow's pages are, behind the portal."""

_PORTAL = "access:services!service=portal"
_KEPT = {
    "JAVA_HOME",
    "LANG",
    "OMP_NUM_THREADS",
    "PATH",
    "PYTHONPATH",
    "TMPDIR",
    "TZ",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
}
_USER_SCOPES = ["custom:jobs:submit", "custom:models:infer"]


def configure(c: Any, settings: Settings, address: Address | None = None) -> None:
    """Configure JupyterHub.

    Parameters
    ----------
    c : traitlets.config.Config
        What ``get_config()`` returns in a ``jupyterhub_config.py``.
    settings : Settings
        Where, for whom, and what is laid over it.
    address : Address, optional
        The ports; by default those that ``helikon up`` wrote down.

    Raises
    ------
    EngineError
        If no ports were given and none are written down.
    """
    address = address or read_address(settings)
    if address is None:
        raise EngineError("the gateway has no ports yet", next_step="start it with: helikon up")
    _set_hub(c, settings, address)
    _set_proxy(c, settings, address)
    _set_notebooks(c, settings, address)
    _set_services(c, settings, address)
    _set_roles(c, settings)
    for section, traits in settings.gateway.hub_config.items():
        for trait, value in traits.items():
            c[section][trait] = value


def _set_hub(c: Any, settings: Settings, address: Address) -> None:
    from helikon.gateway.authenticator import AccountAuthenticator

    folder = gateway_folder(settings)
    hub = c.JupyterHub
    host = f"[{address.host}]" if ":" in address.host else address.host
    hub.bind_url = f"http://{host}:{address.port}"
    hub.hub_bind_url = f"http://127.0.0.1:{address.hub_port}"
    hub.db_url = f"sqlite:///{folder / 'hub.sqlite'}"
    hub.cookie_secret_file = str(folder / "cookie_secret")
    hub.pid_file = str(folder / "hub.pid")
    hub.authenticator_class = AccountAuthenticator
    hub.default_url = "/services/portal/"
    hub.logo_file = str(Path(__file__).with_name("logo.svg"))
    hub.template_paths = [str(Path(__file__).with_name("templates"))]
    hub.cleanup_servers = hub.cleanup_proxy = True


def _set_proxy(c: Any, settings: Settings, address: Address) -> None:
    folder = gateway_folder(settings)
    c.JupyterHub.proxy_class = "traefik_file"
    c.TraefikFileProviderProxy.static_config_file = str(folder / "proxy.toml")
    c.TraefikFileProviderProxy.dynamic_config_file = str(folder / "routes.toml")
    c.TraefikProxy.traefik_api_url = f"http://127.0.0.1:{address.proxy_port}"
    c.TraefikProxy.traefik_log_level = "WARN"
    c.TraefikProxy.extra_static_config = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        # Traefik would cut off an upload that takes longer than a minute.
        "entryPoints": {"http": {"transport": {"respondingTimeouts": {"readTimeout": "0s"}}}},
    }


def _set_notebooks(c: Any, settings: Settings, address: Address) -> None:
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(Path.home())
    spawner = c.Spawner
    spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
    spawner.args = ["--allow-root"] if os.geteuid() == 0 else []
    spawner.default_url = "/lab"
    spawner.notebook_dir = str(notebook_folder(settings, "{username}"))
    spawner.pre_spawn_hook = lambda one: copy_notebooks(notebook_folder(settings, one.user.name))
    spawner.http_timeout = 60
    spawner.server_token_scopes = ["users:activity!user", "access:servers!server", _PORTAL, *_USER_SCOPES]
    folder = gateway_folder(settings)
    spawner.environment = {
        **_inherited(),
        "HELIKON_URL": address.url,
        # tqdm asks for a widget library on import; its plain bars are as good.
        "PYTHONWARNINGS": "ignore:IProgress not found",
        # Holds JupyterLab's page configuration: no news, no check for updates.
        "JUPYTER_CONFIG_PATH": str(Path(__file__).with_name("jupyter")),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }


def _set_services(c: Any, settings: Settings, address: Address) -> None:
    portal = {
        "name": "portal",
        "url": f"http://127.0.0.1:{address.portal_port}",
        "command": [sys.executable, "-m", "helikon.portal.main"],
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [_PORTAL, *SCOPES],
        "environment": {**_inherited(), "PORTAL_MLFLOW_SOCKET": address.mlflow_socket},
    }
    c.JupyterHub.services = [portal, *_culler(settings)]
    # How long a service or notebook server may take to end before it is told again, louder.
    c.LocalProcessSpawner.interrupt_timeout = c.LocalProcessSpawner.term_timeout = 3


def _culler(settings: Settings) -> list[dict[str, object]]:
    seconds = settings.gateway.idle_timeout_s
    command = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={seconds}"]
    return [{"name": "culler", "command": command, "display": False}] if seconds else []


def _set_roles(c: Any, settings: Settings) -> None:
    c.JupyterHub.custom_scopes = {scope: {"description": text} for scope, text in SCOPES.items()}
    user = {"name": "user", "scopes": ["self", _PORTAL, *_USER_SCOPES]}
    admin = {"name": "helikon-admin", "scopes": ["custom:models:admin"], "users": [account_user(settings)]}
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    culler = {"name": "culler", "scopes": scopes, "services": ["culler"]}
    c.JupyterHub.load_roles = [user, admin, *([culler] if settings.gateway.idle_timeout_s else [])]


def _inherited() -> dict[str, str]:
    """Return what notebooks and services need of our environment; the hub passes nothing on by itself.

    ``HELIKON_*`` gives them the same settings, and marks their processes as the
    platform's. They are not the job that we are, so its name stays here.
    """
    ours = {key for key in os.environ if key.startswith("HELIKON_")} - {"HELIKON_JOB"}
    return {key: os.environ[key] for key in (_KEPT & os.environ.keys()) | ours}
