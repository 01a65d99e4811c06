import pytest
from traitlets.config import Config

from helikon.errors import EngineError
from helikon.gateway.folder import Address
from helikon.gateway.hub import SCOPES, configure
from helikon.settings import Settings, load

ADDRESS = Address(
    host="127.0.0.1", port=8000, hub_port=1001, proxy_port=1002, portal_port=1003, mlflow_socket="/run/m.sock"
)


def configured(settings: Settings, **gateway: object) -> Config:
    c = Config()
    values = {"state_dir": str(settings.state_dir), "gateway": {"user": "ada", **gateway}}
    configure(c, load(environ={}, overrides=values), ADDRESS)
    return c


def test_everything_inside_listens_on_loopback(settings: Settings) -> None:
    c = configured(settings)
    assert c.JupyterHub.bind_url == "http://127.0.0.1:8000"
    assert c.JupyterHub.hub_bind_url == "http://127.0.0.1:1001"
    assert c.TraefikProxy.traefik_api_url == "http://127.0.0.1:1002"
    assert c.JupyterHub.services[0]["url"] == "http://127.0.0.1:1003"


def test_everything_is_kept_in_the_state_folder(settings: Settings) -> None:
    c = configured(settings)
    folder = str(settings.state_dir / "gateway")
    for kept in (
        c.JupyterHub.db_url.removeprefix("sqlite:///"),
        c.JupyterHub.cookie_secret_file,
        c.JupyterHub.pid_file,
        c.TraefikFileProviderProxy.static_config_file,
        c.TraefikFileProviderProxy.dynamic_config_file,
    ):
        assert kept.startswith(folder)


def test_notebooks_may_call_the_portal_with_their_own_token(settings: Settings) -> None:
    scopes = configured(settings).Spawner.server_token_scopes
    assert {"access:services!service=portal", "custom:models:infer", "custom:jobs:submit"} <= set(scopes)
    assert "custom:models:admin" not in scopes


def test_notebooks_get_the_same_settings_but_are_not_the_gateways_job(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIKON_CONFIG", "/settings.yaml")
    monkeypatch.setenv("HELIKON_JOB", "gateway")
    monkeypatch.setenv("HELIKON_JOB_ID", "abc")
    monkeypatch.setenv("SOME_SECRET", "x")
    environment = configured(settings).Spawner.environment
    assert environment["HELIKON_CONFIG"] == "/settings.yaml"
    assert environment["HELIKON_JOB_ID"] == "abc"
    assert "HELIKON_JOB" not in environment
    assert "SOME_SECRET" not in environment


def test_every_scope_is_explained_and_the_portals_sessions_can_hold_it(settings: Settings) -> None:
    c = configured(settings)
    assert set(c.JupyterHub.custom_scopes) == set(SCOPES)
    assert set(SCOPES) <= set(c.JupyterHub.services[0]["oauth_client_allowed_scopes"])


def test_idle_servers_are_stopped_only_when_asked_for(settings: Settings) -> None:
    assert [one["name"] for one in configured(settings).JupyterHub.services] == ["portal"]
    c = configured(settings, idle_timeout_s=600)
    culler = c.JupyterHub.services[1]
    assert "--timeout=600" in culler["command"]
    (role,) = [one for one in c.JupyterHub.load_roles if one["name"] == "culler"]
    assert "delete:servers" in role["scopes"]


def test_the_hubs_own_options_are_laid_over_ours(settings: Settings) -> None:
    c = configured(
        settings, hub_config={"Spawner": {"default_url": "/tree"}, "JupyterHub": {"log_level": 10}}
    )
    assert c.Spawner.default_url == "/tree"
    assert c.JupyterHub.log_level == 10


def test_without_ports_it_says_what_to_type(settings: Settings) -> None:
    with pytest.raises(EngineError, match="helikon up"):
        configure(Config(), settings)
