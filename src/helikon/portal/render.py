"""Pages from templates."""

import datetime
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from helikon import __version__

__all__ = ["ago", "page"]

_POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
)


def page(
    request: Request,
    template: str,
    values: Mapping[str, object],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Render a template; the prefix and the version are always there."""
    prefix = request.app.state.portal.prefix
    text = _templates().get_template(template).render(prefix=prefix, version=__version__, **values)
    safe = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return HTMLResponse(text, status, {**safe, **(headers or {})})


def ago(seconds: float | None, now: float | None = None) -> str:
    """Write Unix seconds as how long ago it was: ``12 s``, ``5 min``, ``3 h``, ``2 d``."""
    if seconds is None:
        return "–"
    past = max(0.0, (now or datetime.datetime.now().timestamp()) - seconds)
    for length, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if past >= length:
            return f"{past / length:.0f} {name}"
    return f"{past:.0f} s"


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return datetime.datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(ago=ago, clock=_clock)
    return environment
