"""Logging a browser in through the hub, by OAuth."""

import secrets
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from tornado.web import HTTPError

from helikon.portal.identity import Identity, is_https
from helikon.portal.problems import refusal
from helikon.portal.sessions import Login
from helikon.portal.state import Portal, ThePortal

__all__ = ["add_login", "router"]

router = APIRouter()
_BROWSER = "helikon-browser"


def add_login(app: FastAPI) -> None:
    """Make an application send browsers that are not logged in to the hub."""
    from helikon.portal.identity import LoginNeeded

    app.add_exception_handler(LoginNeeded, _begin)


async def _begin(request: Request, _: Exception) -> Response:
    portal: Portal = request.app.state.portal
    # One cookie for all tabs: each login has a state of its own.
    browser = request.cookies.get(_BROWSER) or secrets.token_urlsafe(24)
    path = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    answer = RedirectResponse(_hub_login(portal.identity, browser, path), 302)
    _set_cookie(answer, request, _BROWSER, browser)
    return answer


def _hub_login(identity: Identity, browser: str, path: str) -> str:
    hub = identity.hub
    verifier, challenge, method = hub.generate_pkce_code_challenge()
    query = {
        "client_id": hub.oauth_client_id,
        "redirect_uri": hub.oauth_redirect_uri,
        "response_type": "code",
        "state": identity.sessions.begin(Login(browser=browser, next_path=path, verifier=verifier)),
        "code_challenge": challenge,
        "code_challenge_method": method,
    }
    return f"{hub.oauth_authorization_url}?{urlencode(query)}"


@router.get("/oauth_callback", include_in_schema=False)
async def finish(request: Request, portal: ThePortal, code: str = "", state: str = "") -> Response:
    """Take the hub's answer: open a session and go where the browser wanted to go."""
    identity = portal.identity
    login = identity.sessions.finish(state, request.cookies.get(_BROWSER, ""))
    if login is None:
        raise refusal(
            403,
            "this login was begun elsewhere or too long ago",
            next_step=f"open {portal.prefix}/ again",
        )
    try:
        token = await identity.hub.token_for_code(code, code_verifier=login.verifier, sync=False)
    except (HTTPError, OSError, KeyError) as error:
        raise refusal(
            403, "the hub did not confirm the login", next_step=f"open {portal.prefix}/ again"
        ) from error
    identity.sessions.close(request.cookies.get(identity.cookie, ""))
    answer = RedirectResponse(login.next_path, 302)
    _set_cookie(answer, request, identity.cookie, identity.sessions.open(token))
    return answer


@router.get("/logout", include_in_schema=False)
async def logout(request: Request, portal: ThePortal) -> Response:
    """Forget the session here, and log out at the hub."""
    portal.identity.sessions.close(request.cookies.get(portal.identity.cookie, ""))
    answer = RedirectResponse("/hub/logout", 302)
    answer.delete_cookie(portal.identity.cookie, path=f"{portal.prefix}/")
    return answer


def _set_cookie(answer: Response, request: Request, name: str, value: str) -> None:
    path = f"{request.app.state.portal.prefix}/"
    answer.set_cookie(name, value, path=path, httponly=True, samesite="lax", secure=is_https(request))
