"""Where the gateway keeps its things, and the ports that it uses.

Everything lies in ``<state_dir>/gateway``, which only its owner can read.
"""

import dataclasses
import hashlib
import json
import os
import socket
import stat
import tempfile
from pathlib import Path

import psutil

from helikon.errors import EngineError, SettingsError
from helikon.settings import Settings

__all__ = ["Address", "choose_address", "gateway_folder", "read_address", "write_private"]

# The kernel's limit for the path of a unix socket is 107 bytes and a zero.
_LONGEST_SOCKET_PATH = 107


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the parts of one platform listen.

    Attributes
    ----------
    host : str
        Address that the proxy listens on.
    port : int
        Port of the one URL.
    hub_port, proxy_port, portal_port : int
        Loopback ports of the hub, of the proxy's control interface and of the portal.
    mlflow_socket : str
        Unix socket of the MLflow server.
    """

    host: str
    port: int
    hub_port: int
    proxy_port: int
    portal_port: int
    mlflow_socket: str

    @property
    def url(self) -> str:
        """The one URL, without a slash at its end."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def gateway_folder(settings: Settings) -> Path:
    """Return ``<state_dir>/gateway``, made with mode 0700."""
    folder = settings.state_dir / "gateway"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def choose_address(settings: Settings) -> Address:
    """Take the configured port and free ones for the inside, and write them down.

    Raises
    ------
    SettingsError
        If the configured port is taken, or the host is none of this machine's.
    """
    port = settings.gateway.port
    _check_free(settings.gateway.host, port)
    free = _free_ports(settings.gateway.host, 1 if port == 0 else 0) + _free_ports("127.0.0.1", 3)
    public, hub_port, proxy_port, portal_port = free if port == 0 else [port, *free]
    address = Address(
        host=settings.gateway.host,
        port=public,
        hub_port=hub_port,
        proxy_port=proxy_port,
        portal_port=portal_port,
        mlflow_socket=str(_socket_path(gateway_folder(settings))),
    )
    write_private(gateway_folder(settings) / "address.json", json.dumps(dataclasses.asdict(address)))
    return address


def read_address(settings: Settings) -> Address | None:
    """Return what the last start wrote down, or nothing if there was none."""
    try:
        text = (settings.state_dir / "gateway" / "address.json").read_text(encoding="utf-8")
        return Address(**json.loads(text))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _free_ports(host: str, n_ports: int) -> list[int]:
    sockets = [_bound(host, 0) for _ in range(n_ports)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host, port))
    except OSError:
        one.close()
        raise
    return one


def _check_free(host: str, port: int) -> None:
    try:
        one = _bound(host, port)
        one.listen(1)
        one.close()
    except PermissionError as error:
        raise SettingsError("setting gateway.port", got=str(port), expected="a port from 1024 on") from error
    except OSError as error:
        if error.errno != 98:
            raise SettingsError(
                "setting gateway.host", got=f"{host!r} ({error})", expected="an address of this machine"
            ) from error
        raise SettingsError(
            f"port {port} of {host} is taken",
            got=_who_listens(port),
            next_step="stop that, or set gateway.port (HELIKON_GATEWAY_PORT=0 takes a free one)",
        ) from error


def _who_listens(port: int) -> str:
    try:
        for link in psutil.net_connections("tcp"):
            if link.pid and link.status == psutil.CONN_LISTEN and tuple(link.laddr)[1:] == (port,):
                return f"{psutil.Process(link.pid).name()} (process {link.pid}) listening there"
    except psutil.Error:
        pass
    return "another user's program listening there"


def _socket_path(folder: Path) -> Path:
    path = folder / "mlflow.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    short = base / f"helikon-{os.getuid()}-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    _check_private(short)
    return short / "mlflow.sock"


def _check_private(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise EngineError(
            f"{folder} belongs to somebody else",
            expected="a folder of our own with mode 0700",
            next_step="remove it, or set XDG_RUNTIME_DIR",
        )
