import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from helikon.backends import connect
from helikon.errors import EngineError, SettingsError
from helikon.gateway import platform
from helikon.gateway.platform import Platform
from helikon.settings import Settings, load
from helikon.workload import BatchJob, State

from .browser import Browser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def at(folder: Path, **gateway: object) -> Settings:
    values = {"state_dir": str(folder), "owner": "ada", "gateway": {"port": 0, "user": "ada", **gateway}}
    return load(environ={}, overrides=values)


def processes_of(settings: Settings) -> list[psutil.Process]:
    """Return the processes that have the state folder in their environment."""
    mark = f"HELIKON_STATE_DIR={settings.state_dir}"
    found = []
    for process in psutil.process_iter():
        try:
            if mark in Path(f"/proc/{process.pid}/environ").read_text(errors="replace").split("\0"):
                found.append(process)
        except (OSError, psutil.Error):
            continue
    return [one for one in found if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def until(true: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return at(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def running(home: Settings) -> Iterator[Platform]:
    try:
        yield platform.up(home)
    finally:
        platform.down(home)
        assert processes_of(home) == []


def test_the_first_up_gives_one_url_a_user_and_a_password(home: Settings, running: Platform) -> None:
    assert running.started
    assert running.user == "ada"
    assert running.password
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", running.url)
    assert platform.status(home).is_ready


def test_a_second_up_says_it_is_up_and_shows_no_password(home: Settings, running: Platform) -> None:
    again = platform.up(home)
    assert not again.started
    assert (again.url, again.password) == (running.url, None)


def test_only_the_right_password_lets_in(home: Settings, running: Platform) -> None:
    password = platform.new_password(home)
    with Browser(running.url) as browser:
        assert "Invalid username or password" in browser.log_in("ada", "wrong").text
        assert "Invalid username or password" in browser.log_in("ada", running.password or "").text
        page = browser.log_in("Ada", password)
        assert page.url.path == "/services/portal/"
        assert "What runs" in page.text


def test_status_names_each_part(home: Settings, running: Platform) -> None:
    now = platform.status(home)
    assert now.state is State.RUNNING
    assert now.url == running.url
    assert {part.name: part.answers for part in now.parts} == {"hub": True, "portal": True, "mlflow": True}


def test_a_taken_port_is_named_and_nothing_is_started(running: Platform, tmp_path: Path) -> None:
    port = int(running.url.rpartition(":")[2])
    other = at(tmp_path / "other", port=port)
    with pytest.raises(SettingsError, match=f"port {port} of 127.0.0.1 is taken"):
        platform.up(other)
    assert platform.status(other).state is None
    assert processes_of(other) == []


def test_a_start_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    wrong = at(tmp_path / "wrong", hub_config={"JupyterHub": {"proxy_class": "no-such-proxy"}})
    with pytest.raises(EngineError, match=r"ended while it started.*no-such-proxy"):
        platform.up(wrong)
    assert processes_of(wrong) == []
    assert platform.status(wrong).state is State.FAILED


def test_before_the_first_up_there_is_nothing_to_say_or_stop(tmp_path: Path) -> None:
    never = at(tmp_path / "never")
    assert platform.status(never).state is None
    assert not platform.down(never)


def test_a_second_platform_survives_a_kill_and_its_jobs_survive_its_end(
    home: Settings, running: Platform, tmp_path: Path
) -> None:
    two = at(tmp_path / "two")
    jobs = connect(two)
    try:
        first = platform.up(two)
        assert first.url != running.url
        assert platform.status(home).is_ready
        jobs.start(
            BatchJob(name="long", owner="ada", command=("python", "-c", "import time; time.sleep(600)"))
        )

        hub = next(one for one in processes_of(two) if "helikon.gateway.main" in " ".join(one.cmdline()))
        os.kill(hub.pid, signal.SIGKILL)
        until(lambda: platform.status(two).state is State.FAILED)
        assert platform.status(two).url is None

        second = platform.up(two)
        assert second.started
        assert second.password is None
        with Browser(second.url) as browser:
            assert "What runs" in browser.log_in("ada", first.password or "").text

        assert platform.down(two)
        assert platform.status(two).state is State.STOPPED
        assert jobs.status("long")[0].state is State.RUNNING
        assert platform.status(home).is_ready
    finally:
        platform.down(two)
        jobs.stop("long")
    assert processes_of(two) == []
