import importlib.metadata
import json
import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from helikon.cli import cli
from helikon.cli import doctor as module
from helikon.cli.doctor import Check, check_all
from helikon.gateway.folder import choose_address
from helikon.settings import Settings, load


def found(settings: Settings, name: str) -> Check:
    (check,) = [one for one in check_all(settings) if one.name == name]
    return check


def test_every_extra_that_a_user_may_need_is_looked_at(settings: Settings) -> None:
    looked_at = [check.name for check in check_all(settings) if check.name.startswith("extra ")]
    known = importlib.metadata.metadata("helikon").get_all("Provides-Extra")
    wanted = set(known) - {"all", "benchmark", "dev", "docs"}
    assert sorted(looked_at) == sorted(f"extra {name}" for name in wanted)


def test_an_extra_that_the_demo_does_not_need_is_noted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_is_installed", lambda package: package not in ("rasterio", "torchvision"))
    earth, training = found(settings, "extra earth"), found(settings, "extra space-training")
    assert (earth.state, earth.found) == ("note", "no rasterio")
    assert (training.state, training.found) == ("missing", "no torchvision")
    assert 'pip install "helikon[space-training]"' in training.next_step


def test_what_is_missing_comes_with_what_to_type(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_is_installed", lambda package: package != "pyspark")
    check = found(settings, "extra spark")
    assert (check.state, check.found) == ("missing", "no pyspark")
    assert 'pip install "helikon[spark]"' in check.next_step


def test_java_that_is_not_there_is_missing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/no/such/place")
    assert found(settings, "Java").state == "missing"


@pytest.mark.parametrize(
    ("version", "state"), [("17.0.9", "ok"), ("21", "ok"), ("11.0.2", "missing"), ("1.8.0", "missing")]
)
def test_java_is_judged_by_its_version(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, state: str
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    check = found(settings, "Java")
    assert check.state == state
    assert version in check.found


def test_a_state_folder_that_cannot_be_made_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.touch()
    settings = load(environ={}, overrides={"state_dir": str(file / "state")})
    check = found(settings, "state folder")
    assert check.state == "missing"
    assert "HELIKON_STATE_DIR" in check.next_step


def test_a_taken_port_is_noted_but_does_not_keep_the_demo_from_working(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        values = {"state_dir": str(settings.state_dir), "gateway": {"port": port}}
        check = found(load(environ={}, overrides=values), "gateway port")
    assert check.state == "note"
    assert str(port) in check.found


def test_a_port_that_our_gateway_had_before_is_taken_by_whoever_has_it_now(settings: Settings) -> None:
    values = {"state_dir": str(settings.state_dir), "gateway": {"port": 0}}
    port = choose_address(load(environ={}, overrides=values)).port
    with socket.create_server(("127.0.0.1", port)):
        check = found(load(environ={}, overrides=values | {"gateway": {"port": port}}), "gateway port")
    assert (check.state, check.found) == ("note", f"{port} is taken")


def test_the_command_ends_with_1_only_if_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for state, code in (("ok", 0), ("note", 0), ("missing", 1)):
        check = Check(name="x", state=state, found="y", next_step="type z")  # type: ignore[arg-type]
        monkeypatch.setattr(module, "check_all", lambda _, check=check: [check])
        result = CliRunner().invoke(cli, ["doctor"], standalone_mode=False)
        assert result.return_value == code
        assert "type z" in result.stdout
        listed = CliRunner().invoke(cli, ["doctor", "--json"], standalone_mode=False)
        assert json.loads(listed.stdout)[0]["state"] == state


def test_the_cores_are_those_that_this_process_may_use(settings: Settings) -> None:
    assert found(settings, "cores").found.startswith(str(len(os.sched_getaffinity(0))))
