"""Loopback ports of model servers: find a free one, ask whether a server answers."""

import http.client
import random
import socket
from collections.abc import Collection

from helikon.errors import EngineError

__all__ = ["answers", "free_port"]

# Below the range from which Linux takes ports for outgoing connections, so
# that none is taken between our look and the server's start.
_FIRST, _LAST = 20000, 32000


def free_port(taken: Collection[int | None] = ()) -> int:
    """Return a loopback port that is free now and is not one of ``taken``."""
    for port in random.sample(range(_FIRST, _LAST), k=200):
        if port not in taken and _is_free(port):
            return port
    raise EngineError("no free port", expected=f"one between {_FIRST} and {_LAST} on 127.0.0.1")


def answers(port: int, path: str = "/readyz", timeout_s: float = 2.0) -> bool:
    """Whether GET of a path on loopback answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
