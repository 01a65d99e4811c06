"""The same call for many items, in processes of this machine."""

import functools
import os
import signal
from pathlib import Path

import pytest

from helikon.errors import EngineError, InputError
from helikon.pool import run_here, run_in_processes


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes import this module by name, whatever the server that they are forked from knows."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1])


def work(offset: int, item: int) -> tuple[int, int]:
    if item == 13:
        raise InputError("thirteen is refused")
    if item == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return item + offset, os.getpid()


def test_results_are_in_the_order_of_the_items_whoever_worked() -> None:
    told: list[tuple[int, int]] = []
    add = functools.partial(work, 100)
    here = run_here(add, range(5), lambda *counts: told.append(counts))
    there = run_in_processes(add, range(5), lambda *counts: told.append(counts), n_processes=2)
    assert [value for value, _ in here] == [value for value, _ in there] == [100, 101, 102, 103, 104]
    assert {process for _, process in here} == {os.getpid()}
    assert os.getpid() not in {process for _, process in there}
    assert told == 2 * [(n, 5) for n in range(1, 6)]


def test_what_a_function_raises_is_raised_and_a_killed_process_is_one_error() -> None:
    with pytest.raises(InputError, match="thirteen"):
        run_in_processes(functools.partial(work, 0), [1, 13], lambda *_: None, n_processes=2)
    with pytest.raises(EngineError, match="a process was killed"):
        run_in_processes(functools.partial(work, 0), [1, 9], lambda *_: None, n_processes=2)
