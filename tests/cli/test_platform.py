import dataclasses
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from helikon.cli import cli
from helikon.errors import NotReady, SettingsError
from helikon.gateway import platform
from helikon.settings import load
from helikon.spark.objects import open_folder


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder that the commands find by its variable, as a user's would."""
    folder = tmp_path / "state"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HELIKON_STATE_DIR", str(folder))
    monkeypatch.setenv("HELIKON_GATEWAY_PORT", "0")
    monkeypatch.setenv("HELIKON_GATEWAY_USER", "ada")
    yield folder
    platform.down(load())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False, standalone_mode=False)


def test_before_the_first_up_status_says_so(state: Path) -> None:
    said = run("status")
    assert "not started yet" in said.stdout
    assert "helikon up" in said.stdout
    assert "No jobs" in said.stderr
    assert json.loads(run("status", "--json").stdout)["platform"]["state"] == "never started"


def test_down_without_up_does_no_harm(state: Path) -> None:
    assert "was not up" in run("down").stdout


def test_a_taken_port_is_an_error_that_names_it(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("HELIKON_GATEWAY_PORT", str(port))
        with pytest.raises(SettingsError, match=str(port)) as caught:
            run("up")
    assert caught.value.exit_code == 1


@pytest.mark.slow
def test_up_prints_the_password_once_and_status_and_down_tell_the_truth(state: Path) -> None:
    first = run("up")
    assert "password" in first.stdout
    assert "user      ada" in first.stdout

    again = run("up")
    assert "up already" in again.stdout
    assert "password" not in again.stdout
    assert json.loads(run("up", "--new-password", "--json").stdout)["password"]

    now = json.loads(run("status", "--json").stdout)["platform"]
    assert now["ready"]
    assert now["url"] in first.stdout
    assert now["url"] in run("status").stdout

    assert "is down" in run("down").stdout
    assert "stopped" in run("status").stdout


@pytest.mark.slow
def test_an_s3_server_goes_up_and_down_with_the_gateway(state: Path) -> None:
    first = json.loads(run("up", "--s3", "--json").stdout)
    folder = open_folder("s3://helikon/x", load())
    assert folder.endpoint == first["objects_url"]
    folder.write("a", b"1")
    now = json.loads(run("status", "--json").stdout)["platform"]
    assert now["parts"]["objects"]
    assert f"s3:// at {first['objects_url']}" in run("status").stdout
    secret = json.loads((state / "objects" / "keys.json").read_text())["secret_key"]
    assert secret not in json.dumps(first) + json.dumps(now)
    run("down")
    assert json.loads(run("status", "--json").stdout)["platform"]["objects_url"] is None
    with pytest.raises(NotReady, match=f"{first['objects_url']} does not answer"):
        dataclasses.replace(folder, retry_s=0.5).read("a")


@pytest.mark.parametrize("name", ["up", "status", "down", "doctor"])
def test_every_command_has_help_with_an_example(name: str) -> None:
    said = run(name, "--help").stdout
    assert "Example:" in said
    command = cli.get_command(click.Context(cli), name)
    assert command
    for option in command.params:
        assert isinstance(option, click.Option)
        assert option.help
