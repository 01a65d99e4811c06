"""helikon job: list, show, logs, stop, with real jobs."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import click.testing
import pytest

from helikon.backends import wait
from helikon.backends.local import LocalBackend
from helikon.cli.job import _duration
from helikon.cli.root import cli
from helikon.errors import NotFound
from helikon.settings import Settings
from helikon.testing import eventually, server_commands
from helikon.testing.one_liners import FOREVER, batch
from helikon.workload import BatchJob, ModelServer, State, Status

Run = Callable[..., click.testing.Result]


@pytest.fixture
def backend(settings: Settings) -> Iterator[LocalBackend]:
    backend = LocalBackend(settings, commands=server_commands, grace_s=1.0)
    yield backend
    for status in backend.status():
        backend.stop(status.name)


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("HELIKON_STATE_DIR", str(settings.state_dir))

    def invoke(*arguments: str) -> click.testing.Result:
        result = click.testing.CliRunner().invoke(cli, ["job", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def finish(backend: LocalBackend, job: BatchJob) -> None:
    backend.start(job)
    eventually(lambda: not backend.status(job.name)[0].state.is_alive)


class TestList:
    def test_without_jobs_it_says_so_and_prints_nothing(self, run: Run) -> None:
        result = run("list")
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == "there is no job yet\n"
        assert json.loads(run("list", "--json").stdout) == []

    def test_it_shows_all_jobs_the_newest_last(self, run: Run, backend: LocalBackend) -> None:
        finish(backend, batch("zebra", "print(1)"))
        finish(backend, batch("ant", "raise ValueError('no such tile')"))
        backend.start(ModelServer(name="finder", service="testing:Server", model="m"))
        url = eventually(lambda: backend.status("finder")[0].url)
        header, zebra, ant, finder = run("list").stdout.splitlines()
        assert header.split() == ["NAME", "KIND", "STATE", "OWNER", "STARTED", "DURATION", "REMARK"]
        assert zebra.split()[:4] == ["zebra", "batch", "succeeded", "ada"]
        assert ant.split()[:4] == ["ant", "batch", "failed", "ada"]
        assert ant.endswith("ValueError: no such tile")
        assert finder.split()[:3] == ["finder", "server", "running"]
        assert finder.endswith(str(url))

    def test_alive_leaves_out_what_has_ended(self, run: Run, backend: LocalBackend) -> None:
        finish(backend, batch("done", "print(1)"))
        assert run("list", "--alive").stderr == "nothing runs\n"
        backend.start(batch("long", FOREVER))
        assert [job["name"] for job in json.loads(run("list", "--alive", "--json").stdout)] == ["long"]

    def test_json_holds_all_of_a_status(self, run: Run, backend: LocalBackend) -> None:
        finish(backend, batch("weak", "raise SystemExit(3)"))
        (job,) = json.loads(run("list", "--json").stdout)
        (status,) = backend.status("weak")
        assert Status(**{**job, "state": State(job["state"])}) == status


class TestShow:
    def test_it_shows_what_is_known_and_leaves_out_what_is_not(self, run: Run, backend: LocalBackend) -> None:
        finish(backend, batch("weak", "raise SystemExit(3)"))
        facts = dict(line.split(maxsplit=1) for line in run("show", "weak").stdout.splitlines())
        assert facts["name"] == "weak"
        assert facts["state"] == "failed"
        assert facts["exit"] == "code  3"
        assert facts["log"] == "helikon job logs weak"
        assert "url" not in facts

    def test_json_is_one_object(self, run: Run, backend: LocalBackend) -> None:
        finish(backend, batch("hello", "print(1)"))
        assert json.loads(run("show", "hello", "--json").stdout)["exit_code"] == 0

    def test_a_name_that_is_not_known_is_said(self, run: Run, backend: LocalBackend) -> None:
        finish(backend, batch("hello", "print(1)"))
        with pytest.raises(NotFound, match="no job hallo: expected one of hello"):
            run("show", "hallo")


class TestLogs:
    def test_it_prints_what_the_job_wrote(self, run: Run, backend: LocalBackend) -> None:
        finish(backend, batch("count", "print('1\\n2\\n3 µJy')"))
        assert run("logs", "count").stdout == "1\n2\n3 µJy\n"
        assert run("logs", "count", "--lines", "2").stdout == "2\n3 µJy\n"

    def test_following_prints_lines_while_the_job_runs_and_ends_with_it(
        self, run: Run, backend: LocalBackend, settings: Settings
    ) -> None:
        backend.start(batch("long", FOREVER))
        follower = subprocess.Popen(
            [sys.executable, "-m", "helikon.cli", "job", "logs", "long", "-f"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert follower.stdout is not None
        assert follower.stdout.readline() == "began\n"
        backend.stop("long")
        output, errors = follower.communicate(timeout=30)
        assert (follower.returncode, output, errors) == (0, "", "helikon: job long stopped\n")

    def test_following_and_counting_do_not_go_together(self, run: Run) -> None:
        assert run("logs", "x", "--follow", "--lines", "2").exit_code == 2


class TestStop:
    def test_it_stops_and_says_so(self, run: Run, backend: LocalBackend) -> None:
        finish(backend, batch("done", "print(1)"))
        backend.start(batch("long", FOREVER))
        assert run("stop", "long", "done").stdout == "long: stopped\ndone: not alive, it succeeded\n"
        assert backend.status("long")[0].state is State.STOPPED

    def test_a_typing_error_stops_nothing(self, run: Run, backend: LocalBackend) -> None:
        backend.start(batch("long", FOREVER))
        with pytest.raises(NotFound, match="no job lang"):
            run("stop", "long", "lang")
        assert backend.status("long")[0].state.is_alive


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (60, "1 min 00 s"),
        (3600 + 7 * 60, "1 h 07 min"),
        (90000, "1 d 01 h"),
    ],
)
def test_a_duration_is_said_in_two_units(seconds: float, text: str) -> None:
    now = time.time()
    status = Status(name="a", kind="batch", owner="", state=State.SUCCEEDED, started=now, ended=now + seconds)
    assert _duration(status) == text


def test_a_lost_job_has_no_duration() -> None:
    assert _duration(Status(name="a", kind="batch", owner="", state=State.FAILED, started=1.0)) is None


def test_a_finished_job_is_waited_for_by_its_name(backend: LocalBackend) -> None:
    backend.start(batch("hello", "print(1)"))
    assert wait(backend, "hello", 30).state is State.SUCCEEDED
