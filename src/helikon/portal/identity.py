"""Who a request comes from: a hub token in a header, or a browser's session."""

import dataclasses
from typing import Any, Literal

from fastapi import Request
from jupyterhub.services.auth import HubOAuth
from tornado.web import HTTPError

from helikon.portal.problems import refusal
from helikon.portal.sessions import Sessions

__all__ = ["Identity", "LoginNeeded", "Visitor", "is_https"]

# The hub's own cookie; with it in the cache's key, a logout at the hub counts at once.
_HUB_SESSION = "jupyterhub-session-id"
_CACHE_S = 30


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks, and what they may do.

    Attributes
    ----------
    name : str
        The hub's name of the user or service.
    scopes : frozenset of str
        Scopes granted to the token or session.
    is_admin : bool
        Whether the hub calls it an administrator.
    via : {"token", "session"}
        How it showed who it is.
    """

    name: str
    scopes: frozenset[str]
    is_admin: bool
    via: Literal["token", "session"]


class LoginNeeded(Exception):
    """A browser asks for a page without being logged in."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Tells visitors apart by asking the hub.

    Attributes
    ----------
    hub : jupyterhub.services.auth.HubOAuth
        The hub; remembers an answer for half a minute.
    sessions : Sessions
        Browsers that are logged in.
    cookie : str
        Name of the session's cookie.
    """

    hub: Any
    sessions: Sessions = dataclasses.field(default_factory=Sessions)
    cookie: str = "helikon-session"

    @classmethod
    def of_hub(cls) -> "Identity":
        """Build it from the environment that the hub gives its services."""
        return cls(hub=HubOAuth(cache_max_age=_CACHE_S))

    async def visitor(self, request: Request) -> Visitor:
        """Return who asks.

        Raises
        ------
        LoginNeeded
            For a browser that asks for a page.
        fastapi.HTTPException
            401 without a valid token or session, 403 without access to the
            portal or for a request from another site, 503 if the hub is away.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() in ("bearer", "token") and token:
            return self._checked(await self._ask(token.strip(), ""), "token", request)
        token = self.sessions.token(request.cookies.get(self.cookie, "")) or ""
        model = await self._ask(token, request.cookies.get(_HUB_SESSION, "")) if token else None
        if model:
            _refuse_other_sites(request)
        return self._checked(model, "session", request)

    async def _ask(self, token: str, hub_session: str) -> dict[str, Any] | None:
        try:
            model: dict[str, Any] | None = await self.hub.user_for_token(
                token, session_id=hub_session, sync=False
            )
        except (HTTPError, OSError) as error:
            raise refusal(503, "the hub does not answer", next_step="try again in a moment") from error
        return model

    def _checked(
        self, model: dict[str, Any] | None, via: Literal["token", "session"], request: Request
    ) -> Visitor:
        if model is None:
            if (
                via == "session"
                and request.method == "GET"
                and "text/html" in request.headers.get("accept", "")
            ):
                raise LoginNeeded
            raise refusal(
                401,
                "nobody is logged in",
                got="an unknown or expired token" if via == "token" else "no token",
                expected="a header: Authorization: Bearer <token>",
                next_step="make a token on the page /hub/token",
            )
        if not self.hub.check_scopes(self.hub.access_scopes, model):
            raise refusal(
                403,
                f"{model['name']} may not use the portal",
                expected="the scope access:services!service=portal",
            )
        scopes = frozenset(scope.partition("!")[0] for scope in model["scopes"])
        return Visitor(name=model["name"], scopes=scopes, is_admin=bool(model.get("admin")), via=via)


def is_https(request: Request) -> bool:
    """Tell whether the browser sees HTTPS."""
    return request.url.scheme == "https"


def _refuse_other_sites(request: Request) -> None:
    """Let a session change something only from our own pages: a cookie is sent from other sites too."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "").partition("://")[2]
    ours = site in ("same-origin", "none") if site else origin == request.headers.get("host")
    if not ours:
        raise refusal(403, "the request comes from another site", got=site or origin or "no origin")
