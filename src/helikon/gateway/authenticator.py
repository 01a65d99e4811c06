"""The local account as JupyterHub sees it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from jupyterhub.auth import Authenticator
from tornado.web import HTTPError

from helikon.gateway.account import Attempts, account_user, password_fits
from helikon.settings import load

__all__ = ["AccountAuthenticator"]


class AccountAuthenticator(Authenticator):  # type: ignore[misc]  # jupyterhub has no types
    """Lets in who knows the password of the one local account."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._settings = load()
        self._attempts = Attempts()
        self.allowed_users = self.admin_users = {account_user(self._settings)}

    async def authenticate(self, handler: Any, data: Mapping[str, str]) -> str | None:
        """Return the account's name if name and password are right.

        Raises
        ------
        tornado.web.HTTPError
            429, after too many wrong passwords.
        """
        wait_s = self._attempts.wait_s(time.monotonic())
        if wait_s > 0:
            raise HTTPError(429, f"Too many wrong passwords: try again in {wait_s:.0f} s")
        # Counted before the check, so that many at once count too.
        self._attempts.failed(time.monotonic())
        user, password = data["username"].strip().lower(), data["password"]
        if not await asyncio.to_thread(password_fits, self._settings, user, password):
            return None
        self._attempts.succeeded()
        return user
