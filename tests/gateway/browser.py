"""A browser without a screen: cookies, the hub's login form, and tokens."""

import re
from types import TracebackType

import httpx


class Browser:
    """What a person does with a browser, over HTTP alone."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(
            base_url=url, follow_redirects=True, timeout=60, headers={"accept": "text/html"}, trust_env=False
        )

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def log_in(self, user: str, password: str) -> httpx.Response:
        """Open the portal, fill in the form that comes instead, and return the page that follows."""
        form = self.http.get("/services/portal/")
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', form.text)
        assert xsrf, form.text
        action = re.search(r'<form action="([^"]+)"', form.text)
        assert action, form.text
        return self.http.post(
            action[1].replace("&amp;", "&"),
            data={"username": user, "password": password, "_xsrf": xsrf[1]},
        )

    def token(self, user: str, *scopes: str) -> str:
        """Make a token at the hub, as its token page does."""
        self.http.get("/hub/token")
        answer = self.http.post(
            f"/hub/api/users/{user}/tokens",
            json={"scopes": list(scopes), "note": "test", "expires_in": 3600},
            headers={"X-XSRFToken": self.http.cookies.get("_xsrf", path="/hub/") or ""},
        )
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token
