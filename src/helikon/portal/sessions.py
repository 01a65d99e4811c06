"""Browsers that are logging in or logged in, kept in memory.

A cookie holds a random name only; the hub's token never leaves the process.
A portal that starts anew has forgotten them, and the hub, where one is still
logged in, sends the browser back with a new token unasked.
"""

import dataclasses
import secrets
import time
from typing import TypeVar

__all__ = ["Login", "Sessions"]

_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A browser on its way through the hub's login.

    Attributes
    ----------
    browser : str
        Which browser asked, from its cookie.
    next_path : str
        Where it wanted to go.
    verifier : str
        The secret of PKCE.
    """

    browser: str
    next_path: str
    verifier: str


@dataclasses.dataclass(slots=True, kw_only=True)
class Sessions:
    """Logins under way and sessions, each with an age at which it is forgotten.

    Attributes
    ----------
    login_age_s, session_age_s : float
        After how many seconds.
    most : int
        How many of each are kept; the oldest goes first.
    """

    login_age_s: float = 600.0
    session_age_s: float = 14 * 86400.0
    most: int = 10_000
    _logins: dict[str, tuple[float, Login]] = dataclasses.field(default_factory=dict)
    _tokens: dict[str, tuple[float, str]] = dataclasses.field(default_factory=dict)

    def begin(self, login: Login) -> str:
        """Keep a login and return its state, which comes back from the hub."""
        return _keep(self._logins, login, self.most)

    def finish(self, state: str, browser: str) -> Login | None:
        """Return the login of a state, once, and only to the browser that began it."""
        began, login = self._logins.pop(state, (0.0, None))
        fresh = time.monotonic() - began < self.login_age_s
        return login if login and fresh and secrets.compare_digest(login.browser, browser) else None

    def open(self, token: str) -> str:
        """Keep a hub token and return the session's name."""
        return _keep(self._tokens, token, self.most)

    def token(self, session: str) -> str | None:
        """Return the hub token of a session, if there is one."""
        opened, token = self._tokens.get(session, (0.0, None))
        if token and time.monotonic() - opened < self.session_age_s:
            return token
        self.close(session)
        return None

    def close(self, session: str) -> None:
        """Forget a session."""
        self._tokens.pop(session, None)


def _keep(table: dict[str, tuple[float, _T]], value: _T, most: int) -> str:
    while len(table) >= most:
        table.pop(next(iter(table)))
    name = secrets.token_urlsafe(24)
    table[name] = (time.monotonic(), value)
    return name
