import os
import socket
import stat
from pathlib import Path

import pytest

from helikon.errors import EngineError, SettingsError
from helikon.gateway.folder import Address, choose_address, read_address, write_private
from helikon.settings import Settings, load


def on_port(settings: Settings, port: int, host: str = "127.0.0.1") -> Settings:
    gateway = {"port": port, "host": host}
    return load(environ={}, overrides={"state_dir": str(settings.state_dir), "gateway": gateway})


def test_port_0_takes_a_free_one_and_all_ports_differ(settings: Settings) -> None:
    address = choose_address(on_port(settings, 0))
    ports = {address.port, address.hub_port, address.proxy_port, address.portal_port}
    assert len(ports) == 4
    assert all(port > 1023 for port in ports)
    assert read_address(settings) == address


def test_a_taken_port_is_named_with_who_has_it_and_what_to_do(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError) as caught:
            choose_address(on_port(settings, port))
    assert str(port) in str(caught.value)
    assert f"process {os.getpid()}" in str(caught.value)
    assert "HELIKON_GATEWAY_PORT" in str(caught.value)


def test_a_host_of_another_machine_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"gateway\.host"):
        choose_address(on_port(settings, 0, "192.0.2.1"))


def test_there_is_no_address_before_one_was_chosen_nor_in_a_broken_file(settings: Settings) -> None:
    assert read_address(settings) is None
    file = settings.state_dir / "gateway" / "address.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"host": "127.')
    assert read_address(settings) is None


def test_the_socket_moves_to_a_short_path_when_the_state_folder_is_deep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    deep = load(environ={}, overrides={"state_dir": str(tmp_path / ("deep" * 30)), "gateway": {"port": 0}})
    path = Path(choose_address(deep).mlflow_socket)
    assert len(os.fsencode(path)) <= 107
    assert path.parent.parent == tmp_path
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_short_folder_that_others_can_enter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    deep = load(environ={}, overrides={"state_dir": str(tmp_path / ("deep" * 30)), "gateway": {"port": 0}})
    Path(choose_address(deep).mlflow_socket).parent.chmod(0o755)
    with pytest.raises(EngineError, match="belongs to somebody else"):
        choose_address(deep)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("lab.example.org", "http://lab.example.org:80"),
    ],
)
def test_the_url_is_one_that_a_browser_here_can_open(host: str, url: str) -> None:
    address = Address(host=host, port=80, hub_port=1, proxy_port=2, portal_port=3, mlflow_socket="")
    assert address.url == url


def test_a_private_file_is_private_and_replaces_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "x"
    write_private(file, "one")
    write_private(file, "two")
    assert file.read_text() == "two"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
