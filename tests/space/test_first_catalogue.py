"""A first visit in a real browser: log in, open the shipped notebook in JupyterLab, run all of it."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from helikon.backends import connect
from helikon.gateway import platform
from helikon.gateway.platform import Platform
from helikon.settings import Settings, load

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
NOTEBOOK = "first-catalogue.ipynb"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    values = {
        "state_dir": str(tmp_path_factory.mktemp("lab")),
        "owner": "ada",
        "gateway": {"port": 0, "user": "ada"},
        "serving": {"ready_timeout_s": 240},
    }
    settings = load(environ={}, overrides=values)
    try:
        yield settings
    finally:
        platform.down(settings)
        backend = connect(settings)
        for status in backend.status():
            backend.stop(status.name)


@pytest.fixture(scope="module")
def running(home: Settings) -> Platform:
    return platform.up(home)


@pytest.fixture(scope="module")
def page(running: Platform) -> Iterator[Page]:
    assert CHROMIUM, "these tests need chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(90_000)
        yield page
        browser.close()


def test_one_logs_in_once_and_sees_what_runs(page: Page, running: Platform) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(running.url)
    page.fill("#username_input", running.user)
    page.fill("#password_input", running.password or "")
    page.click("#login_submit")
    page.wait_for_selector("#running")
    assert page.inner_text("h1") == "What runs"
    assert problems == []


def test_mlflow_opens_without_another_login(page: Page, running: Platform) -> None:
    page.goto(f"{running.url}/services/portal/mlflow/#/experiments")
    page.wait_for_selector("text=Experiments")
    assert "/services/portal/mlflow/" in page.url


def test_the_shipped_notebook_runs_to_its_end(page: Page, running: Platform, home: Settings) -> None:
    page.goto(f"{running.url}/hub/user-redirect/lab/tree/{NOTEBOOK}")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_selector('text="Python 3 (ipykernel) | Idle"')
    assert page.locator("text=Jupyter news").count() == 0
    page.click('.lm-MenuBar-itemLabel >> text="Run"')
    page.click('.lm-Menu-itemLabel >> text="Run All Cells"')
    page.wait_for_selector('text="Python 3 (ipykernel) | Busy"')
    wait_until_idle(page, within_s=300)
    page.screenshot(path=home.state_dir / "lab.png")
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    outputs = read_outputs(home.state_dir / "notebooks" / "ada" / NOTEBOOK)
    assert "true sources" in outputs["map"]
    assert "median noise" in outputs["noise"]
    assert "models:/radio-sources/1" in outputs["publish"]
    assert "sources.vot" in outputs["send"]
    assert "peak_flux" in outputs["table"]
    assert "image/png" in outputs["picture"]
    assert "ompleteness" in outputs["score"]


def test_what_the_notebook_made_is_on_the_portal(page: Page, running: Platform) -> None:
    page.goto(f"{running.url}/services/portal/")
    assert page.inner_text("section:has(#servers) tbody th") == "radio-sources"
    assert "champion" in page.inner_text("section:has(#models) tbody")
    page.click("section:has(#servers) tbody th a")
    assert page.inner_text("#state") == "running"


def wait_until_idle(page: Page, within_s: float) -> None:
    """Wait until the kernel has had nothing to do for two seconds: between two cells it has for a moment."""
    idle, n_seen, deadline = (
        page.locator('text="Python 3 (ipykernel) | Idle"'),
        0,
        time.monotonic() + within_s,
    )
    while n_seen < 10:
        assert time.monotonic() < deadline, "the notebook did not end in time"
        n_seen = n_seen + 1 if idle.count() else 0
        page.wait_for_timeout(200)


def read_outputs(file: Path) -> dict[str, str]:
    """Return the outputs of each code cell as JSON text, after making sure that none is an error."""
    cells = [cell for cell in json.loads(file.read_text())["cells"] if cell["cell_type"] == "code"]
    errors = [one for cell in cells for one in cell["outputs"] if one["output_type"] == "error"]
    assert errors == []
    return {cell["id"]: json.dumps(cell["outputs"]) for cell in cells}
