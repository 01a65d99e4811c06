"""The one local account: a password's scrypt hash in a file.

The password itself is shown once, when it is made, and written nowhere.
"""

import dataclasses
import getpass
import hashlib
import hmac
import json
import secrets
import time
from collections import deque
from pathlib import Path

from helikon.gateway.folder import gateway_folder, write_private
from helikon.settings import Settings

__all__ = ["Attempts", "account_user", "has_account", "make_account", "password_fits"]

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**15, 8, 1


def account_user(settings: Settings) -> str:
    """Return the account's name, in lower case as the hub keeps it."""
    return (settings.gateway.user or getpass.getuser()).strip().lower()


def has_account(settings: Settings) -> bool:
    """Tell whether the account has been made."""
    return _read(_file(settings)).get("user") == account_user(settings)


def make_account(settings: Settings) -> str:
    """Make the account, or give it a new password, and return the password.

    Returns
    -------
    str
        Twelve characters (59 bits) in three groups.
    """
    letters = [secrets.choice(_ALPHABET) for _ in range(12)]
    password = "-".join("".join(letters[i : i + 4]) for i in (0, 4, 8))
    salt = secrets.token_bytes(16)
    account = {
        "user": account_user(settings),
        "salt": salt.hex(),
        "scrypt": _hash(password, salt).hex(),
        "made": time.time(),
    }
    write_private(gateway_folder(settings) / "account.json", json.dumps(account))
    return password


def password_fits(settings: Settings, user: str, password: str) -> bool:
    """Check a name and a password, in the same time whether the name is right or wrong."""
    account = _read(_file(settings))
    salt = bytes.fromhex(account.get("salt", "00"))
    expected = bytes.fromhex(account.get("scrypt", "00"))
    right_password = hmac.compare_digest(_hash(password, salt), expected)
    right_user = hmac.compare_digest(user.encode(), account.get("user", "").encode())
    return right_password and right_user and bool(account)


@dataclasses.dataclass(slots=True, kw_only=True)
class Attempts:
    """How many wrong passwords are let through.

    Attributes
    ----------
    most : int
        Failures within ``window_s`` seconds after which one has to wait.
    window_s : float
        Length of the window in seconds.
    """

    most: int = 10
    window_s: float = 60.0
    _failures: deque[float] = dataclasses.field(default_factory=deque)

    def wait_s(self, now: float) -> float:
        """Return how many seconds to wait before the next attempt; 0 for none."""
        while self._failures and self._failures[0] <= now - self.window_s:
            self._failures.popleft()
        return 0.0 if len(self._failures) < self.most else self._failures[0] + self.window_s - now

    def failed(self, now: float) -> None:
        """Count a wrong password."""
        self._failures.append(now)

    def succeeded(self) -> None:
        """Forget the failures."""
        self._failures.clear()


def _file(settings: Settings) -> Path:
    return settings.state_dir / "gateway" / "account.json"


def _read(file: Path) -> dict[str, str]:
    try:
        account = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {key: str(value) for key, value in account.items()}


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, maxmem=2**26, dklen=32
    )
