"""The portal as it runs: a real hub, a real proxy, MLflow, and a small model server behind it."""

import hashlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from helikon.backends.local import LocalBackend
from helikon.gateway import platform
from helikon.gateway.platform import Platform
from helikon.serving.deploy import endpoint_token
from helikon.settings import Settings, load
from helikon.workload import BatchJob, ModelServer, State, Workload

from ..gateway.browser import Browser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PORTAL = "/services/portal"
ACCESS = "access:services!service=portal"

SERVER = """
import hashlib, os
import uvicorn
from fastapi import FastAPI, Request, Response
app = FastAPI(docs_url=None)

@app.get("/readyz")
async def readyz(): return "ok"

@app.get("/metrics")
async def metrics(): return "inside"

@app.get("/docs.json")
async def docs(): return {"openapi": "3.0.2"}

@app.post("/sum")
async def sum_(request: Request):
    digest, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        digest.update(chunk); size += len(chunk)
    headers = request.headers
    return {"sha256": digest.hexdigest(), "size": size, "query": str(request.query_params),
            "user": headers.get("x-remote-user"), "authorization": headers.get("authorization"),
            "cookie": headers.get("cookie")}

@app.get("/teapot")
async def teapot(): return Response("short", 418, {"x-own": "yes", "set-cookie": "a=b"})

uvicorn.run(app, host="127.0.0.1", port=int(os.environ["HELIKON_PORT"]), log_level="warning")
"""


def command(workload: Workload, python: str) -> tuple[str, ...]:
    """Run a job's own command, and the small server above in place of any service."""
    return (python, *workload.command[1:]) if isinstance(workload, BatchJob) else (python, "-c", SERVER)


def wait_for(backend: LocalBackend, name: str, state: State) -> None:
    deadline = time.monotonic() + 60
    while backend.status(name)[0].state is not state:
        assert time.monotonic() < deadline, list(backend.logs(name))
        time.sleep(0.1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    values = {
        "state_dir": str(tmp_path_factory.mktemp("portal")),
        "owner": "ada",
        "gateway": {"port": 0, "user": "ada"},
    }
    return load(environ={}, overrides=values)


@pytest.fixture(scope="module")
def backend(home: Settings) -> Iterator[LocalBackend]:
    backend = LocalBackend(home, commands=command)
    try:
        yield backend
    finally:
        for status in backend.status():
            backend.stop(status.name)


@pytest.fixture(scope="module")
def running(home: Settings, backend: LocalBackend) -> Iterator[Platform]:
    backend.start(ModelServer(name="echo", owner="ada", service="none:None", model="models:/echo/1"))
    backend.start(BatchJob(name="hello", owner="ada", command=("python", "-c", "print('one\\ntwo\\nthree')")))
    try:
        yield platform.up(home)
    finally:
        platform.down(home)


@pytest.fixture(scope="module")
def browser(running: Platform) -> Iterator[Browser]:
    with Browser(running.url) as browser:
        assert "What runs" in browser.log_in("ada", running.password or "").text
        yield browser


@pytest.fixture(scope="module")
def tokens(browser: Browser) -> dict[str, str]:
    return {
        "bare": browser.token("ada", ACCESS),
        "outside": browser.token("ada", "read:users:name!user"),
        "infer": browser.token("ada", ACCESS, "custom:models:infer"),
        "admin": browser.token("ada", ACCESS, "custom:models:infer", "custom:models:admin"),
        "jobs": browser.token("ada", ACCESS, "custom:jobs:submit"),
    }


@pytest.fixture
def script(running: Platform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{running.url}{PORTAL}", timeout=60, trust_env=False) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_health_asks_for_no_login(script: httpx.Client) -> None:
    assert script.get("/health").json() == {"portal": True, "mlflow": True}


@pytest.mark.parametrize(
    "path", ["/api/jobs", "/api/models", "/api/whoami", "/models/echo/sum", "/mlflow/", "/"]
)
def test_nothing_else_is_shown_without_a_token(script: httpx.Client, path: str) -> None:
    answer = script.get(path)
    assert answer.status_code == 401
    assert set(answer.json()["error"]) == {"what", "got", "expected", "next"}
    assert script.get(path, headers=bearer("made-up")).status_code == 401


def test_a_browser_is_sent_to_the_login_and_back_to_where_it_was_going(
    running: Platform, home: Settings
) -> None:
    with Browser(running.url) as browser:
        assert browser.http.get(f"{PORTAL}/jobs/hello").url.path == "/hub/login"


def test_a_token_without_access_to_the_portal_is_refused(
    script: httpx.Client, tokens: dict[str, str]
) -> None:
    answer = script.get("/api/whoami", headers=bearer(tokens["outside"]))
    assert answer.status_code == 403
    assert ACCESS in answer.json()["error"]["expected"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/models/echo/sum", "custom:models:infer"),
        ("GET", "/mlflow/", "custom:jobs:submit"),
        ("POST", "/api/jobs/hello/stop", "custom:jobs:submit"),
    ],
)
def test_each_door_asks_for_its_scope(
    script: httpx.Client, tokens: dict[str, str], method: str, path: str, scope: str
) -> None:
    answer = script.request(method, path, headers=bearer(tokens["bare"]))
    assert answer.status_code == 403
    assert scope in answer.json()["error"]["expected"]


def documented() -> list[tuple[str, list[str]]]:
    """Return what each line of the table of scopes lets a script do, and the scopes that it names."""
    page = Path(__file__).parents[2] / "docs" / "howto" / "scripts-and-tokens.md"
    rows = [line.split("|")[1:3] for line in page.read_text().splitlines() if line.startswith("| ")]
    return [(what.strip(), re.findall("`(.+?)`", scopes)) for what, scopes in rows if "access:" in scopes]


REQUESTS = {
    "list jobs and models, read logs": ("GET", "/api/jobs"),
    "call a model server": ("POST", "/models/echo/sum"),
    "stop jobs, use MLflow": ("GET", "/mlflow/"),
    "see a model server's metrics": ("GET", "/models/echo/metrics"),
}


def test_the_scopes_that_are_documented_suffice_and_none_of_them_can_be_left_out(
    script: httpx.Client, browser: Browser
) -> None:
    table = documented()
    assert [what for what, _ in table] == list(REQUESTS)
    for what, scopes in table:
        whole = bearer(browser.token("ada", *scopes))
        assert script.request(*REQUESTS[what], headers=whole).status_code not in (401, 403), what
        for left_out in scopes:
            rest = [scope for scope in scopes if scope != left_out] or ["read:users:name!user"]
            refused = script.request(*REQUESTS[what], headers=bearer(browser.token("ada", *rest)))
            assert refused.status_code == 403, (what, left_out)
            assert left_out in refused.json()["error"]["expected"]


def test_who_asks_is_told_who_it_is(script: httpx.Client, tokens: dict[str, str]) -> None:
    me = script.get("/api/whoami", headers=bearer(tokens["infer"])).json()
    assert (me["name"], me["via"]) == ("ada", "token")
    assert "custom:models:infer" in me["scopes"]
    assert "custom:models:admin" not in me["scopes"]


def test_jobs_and_their_logs_are_listed(
    script: httpx.Client, tokens: dict[str, str], backend: LocalBackend
) -> None:
    wait_for(backend, "hello", State.SUCCEEDED)
    headers = bearer(tokens["bare"])
    listed = {one["name"]: one for one in script.get("/api/jobs", headers=headers).json()}
    assert listed["hello"]["state"] == "succeeded"
    assert listed["echo"]["kind"] == "server"
    assert script.get("/api/jobs/hello", headers=headers).json()["owner"] == "ada"
    assert script.get("/api/jobs/hello/logs?tail=2", headers=headers).json() == ["two", "three"]
    assert script.get("/api/models", headers=headers).json() == []


def test_bad_questions_get_the_one_shape(script: httpx.Client, tokens: dict[str, str]) -> None:
    for path, status in (("/api/jobs/nobody", 404), ("/api/jobs/hello/logs?tail=0", 400), ("/nowhere", 404)):
        answer = script.get(path, headers=bearer(tokens["bare"]))
        assert answer.status_code == status
        assert answer.json()["error"]["what"]


def test_a_job_is_stopped_over_http(
    script: httpx.Client, tokens: dict[str, str], backend: LocalBackend
) -> None:
    backend.start(BatchJob(name="long", command=("python", "-c", "import time; time.sleep(600)")))
    answer = script.post("/api/jobs/long/stop", headers=bearer(tokens["jobs"]))
    assert answer.json()["state"] == "stopped"
    assert backend.status("long")[0].state is State.STOPPED


def test_a_large_body_streams_to_the_model_server_and_the_servers_token_replaces_the_users(
    script: httpx.Client, tokens: dict[str, str], backend: LocalBackend, home: Settings
) -> None:
    wait_for(backend, "echo", State.RUNNING)
    body = b"0123456789abcdef" * 2**20 * 8  # 128 MiB
    answer = script.post(
        "/models/echo/sum?a=1",
        content=body,
        headers={**bearer(tokens["infer"]), "x-remote-user": "root", "cookie": "c=1"},
    ).json()
    assert answer == {
        "sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "query": "a=1",
        "user": "ada",
        "authorization": f"Bearer {endpoint_token(home)}",
        "cookie": None,
    }


def test_a_model_servers_own_answer_comes_back_but_not_its_cookies(
    script: httpx.Client, tokens: dict[str, str], backend: LocalBackend
) -> None:
    wait_for(backend, "echo", State.RUNNING)
    answer = script.get("/models/echo/teapot", headers=bearer(tokens["infer"]))
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (418, "short", "yes")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["metrics", "METRICS", "docs", ""])
def test_the_inside_of_a_model_server_is_for_administrators(
    script: httpx.Client, tokens: dict[str, str], path: str
) -> None:
    assert script.get(f"/models/echo/{path}", headers=bearer(tokens["infer"])).status_code == 403
    if path == "metrics":
        assert script.get(f"/models/echo/{path}", headers=bearer(tokens["admin"])).json() == "inside"


def test_who_may_call_a_model_server_may_read_how(
    script: httpx.Client, tokens: dict[str, str], backend: LocalBackend
) -> None:
    wait_for(backend, "echo", State.RUNNING)
    assert script.get("/models/echo/docs.json", headers=bearer(tokens["infer"])).json()["openapi"]


@pytest.mark.parametrize("path", ["//metrics", "%2e%2e/metrics", "x/%2e%2e/metrics"])
def test_no_detour_leads_inside(script: httpx.Client, tokens: dict[str, str], path: str) -> None:
    answer = script.get(f"/models/echo/{path}", headers=bearer(tokens["infer"]))
    assert answer.status_code in (307, 400, 403, 404)  # the proxy redirects to the cleaned path
    assert "inside" not in answer.text


def test_endpoints_that_do_not_answer_are_told_apart(
    script: httpx.Client, tokens: dict[str, str], backend: LocalBackend
) -> None:
    headers = bearer(tokens["infer"])
    assert script.post("/models/nobody/sum", headers=headers).status_code == 404
    assert script.post("/models/hello/sum", headers=headers).status_code == 404
    gone = ModelServer(name="gone", service="none:None", model="models:/gone/1")
    backend.start(gone)
    wait_for(backend, "gone", State.RUNNING)
    backend.stop("gone")
    answer = script.post("/models/gone/sum", headers=headers)
    assert answer.status_code == 503
    assert "stopped" in answer.json()["error"]["got"]


def test_mlflow_is_behind_the_same_login_for_browsers_and_scripts(
    browser: Browser, script: httpx.Client, tokens: dict[str, str]
) -> None:
    assert "MLflow" in browser.http.get(f"{PORTAL}/mlflow/").text
    search = f"{PORTAL}/mlflow/ajax-api/2.0/mlflow/experiments/search"
    same_site = {"Sec-Fetch-Site": "same-origin", "Origin": browser.url}
    assert "experiments" in browser.http.post(search, json={"max_results": 5}, headers=same_site).json()
    found = script.get(
        "/mlflow/api/2.0/mlflow/experiments/search?max_results=5", headers=bearer(tokens["jobs"])
    )
    assert found.status_code == 200


def test_mlflows_assistant_which_runs_commands_is_closed(browser: Browser) -> None:
    answer = browser.http.get(f"{PORTAL}/mlflow/ajax-api/3.0/mlflow/assistant/config")
    assert answer.status_code == 404


def test_a_session_changes_nothing_from_another_site(browser: Browser, backend: LocalBackend) -> None:
    path = f"{PORTAL}/api/jobs/echo/stop"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {}):
        assert browser.http.post(path, headers=headers).status_code == 403
    assert backend.status("echo")[0].state.is_alive


def test_the_pages_show_what_runs(browser: Browser, backend: LocalBackend) -> None:
    wait_for(backend, "echo", State.RUNNING)
    home = browser.http.get(f"{PORTAL}/").text
    assert f"{PORTAL}/models/echo/" in home
    assert "hello" in browser.http.get(f"{PORTAL}/fragment").text
    page = browser.http.get(f"{PORTAL}/jobs/hello")
    assert "one\ntwo\nthree" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert browser.http.get(f"{PORTAL}/jobs/nobody").status_code == 404


def test_the_front_door_is_the_portal(browser: Browser) -> None:
    assert browser.http.get("/").url.path == f"{PORTAL}/"


def test_a_logout_at_the_hub_ends_the_portals_session_at_once(running: Platform, home: Settings) -> None:
    password = platform.new_password(home)
    with Browser(running.url) as browser:
        browser.log_in("ada", password)
        kept = dict(browser.http.cookies)
        assert browser.http.get(f"{PORTAL}/api/whoami").json()["via"] == "session"
        browser.http.get("/hub/logout")
        assert browser.http.get(f"{PORTAL}/").url.path == "/hub/login"
    with httpx.Client(base_url=running.url, cookies=kept, trust_env=False) as thief:
        thief.cookies.delete("jupyterhub-session-id")
        assert thief.get(f"{PORTAL}/api/whoami").status_code == 401
