"""Processes are known by more than their pid, and found by more than their group."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from helikon.backends.processes import MARKER, end, identify, is_alive, is_of_this_boot, members, send
from helikon.testing import eventually

Start = Callable[..., "subprocess.Popen[str]"]
SLEEP = "print('ready', flush=True); import time; time.sleep(3600)"


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python code in a session of its own; kill it afterwards."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_we_are_alive() -> None:
    us = identify(os.getpid())
    assert us is not None
    assert is_alive(us)
    assert is_of_this_boot(us)


def test_another_start_time_or_boot_is_another_process() -> None:
    us = identify(os.getpid())
    assert us is not None
    assert not is_alive(dataclasses.replace(us, start=us.start + 1))
    assert not is_alive(dataclasses.replace(us, boot="another"))
    assert not is_of_this_boot(dataclasses.replace(us, boot="another"))


def test_nobody_is_not_alive() -> None:
    assert not is_alive(None)


def test_a_zombie_is_dead(start: Start) -> None:
    process = start(SLEEP)
    who = identify(process.pid)
    process.send_signal(signal.SIGKILL)  # and not waited for
    eventually(lambda: not is_alive(who))
    assert identify(process.pid) is None


def test_a_signal_does_not_reach_who_got_the_pid_later(start: Start) -> None:
    process = start(SLEEP)
    who = identify(process.pid)
    assert who is not None
    send(dataclasses.replace(who, start=who.start - 1), signal.SIGKILL)
    assert is_alive(who)
    send(who, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    send(who, signal.SIGKILL)


def test_members_carry_the_marker_or_descend_from_one_that_does(start: Start) -> None:
    child = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', %r], env={}, start_new_session=True)"
    )
    marked = start(child % SLEEP, **{MARKER: "mine"})
    other = start(SLEEP, **{MARKER: "theirs"})
    start(SLEEP)
    found = {process.pid for process in members("mine")}
    assert marked.pid in found
    assert other.pid not in found
    assert len(found) == 2
    end("mine", grace_s=0.0)
    assert members("mine") == []
    assert [process.pid for process in members("theirs")] == [other.pid]
    assert members("nobodys") == []


def test_a_marker_that_only_begins_alike_is_another(start: Start) -> None:
    start(SLEEP, **{MARKER: "mine-too"})
    assert members("mine") == []


def test_the_main_process_is_asked_first_and_the_stubborn_are_killed(start: Start) -> None:
    stubborn = "import signal, subprocess, sys\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP
    gentle = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n" + SLEEP
    main, child = start(gentle, **{MARKER: "mine"}), start(stubborn, **{MARKER: "mine"})
    end("mine", main=identify(main.pid), grace_s=0.5)
    assert main.wait(10) == 3
    assert child.wait(10) == -signal.SIGKILL
    assert members("mine") == []


def test_the_spared_are_left_alone(start: Start) -> None:
    spared, other = start(SLEEP, **{MARKER: "mine"}), start(SLEEP, **{MARKER: "mine"})
    end("mine", spare=[spared.pid], grace_s=5)
    assert other.wait(10) == -signal.SIGTERM
    assert [process.pid for process in members("mine")] == [spared.pid]
