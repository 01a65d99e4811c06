"""The secret between model servers and those who may call them.

Any user of a machine can reach its loopback ports, so a model server asks for
a token that only the owner of the state folder can read.
"""

import os
import secrets
from pathlib import Path

from helikon.settings import Settings

__all__ = ["endpoint_token"]


def endpoint_token(settings: Settings) -> str:
    """Return the token of this platform's model servers; it is made once, mode 0600."""
    path = settings.state_dir / "endpoint.token"
    if not path.exists():
        _make(path)
    return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> None:
    """Write a new token beside and link it in place, so that of two makers the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()
