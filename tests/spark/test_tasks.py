import contextlib
import functools
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from helikon.errors import EngineError, InputError
from helikon.settings import Settings
from helikon.spark.sessions import session
from helikon.spark.tasks import plan_groups, run_tasks


def test_items_are_cut_into_groups_of_nearly_the_same_length() -> None:
    assert plan_groups(7, 3) == [slice(0, 2), slice(2, 4), slice(4, 7)]
    assert plan_groups(2, 9) == [slice(0, 1), slice(1, 2)]
    assert plan_groups(5, 1) == [slice(0, 5)]


def test_results_come_in_the_order_of_the_items(warm: Settings) -> None:
    def slow_first(item: int) -> tuple[int, int]:
        time.sleep(0.3 if item == 0 else 0)
        return item, item * item

    assert run_tasks(slow_first, range(20), warm, n_tasks=5) == [(i, i * i) for i in range(20)]


def test_nothing_to_do_is_an_empty_list(warm: Settings) -> None:
    assert run_tasks(str, [], warm) == []


def test_progress_grows_to_the_number_of_items(warm: Settings) -> None:
    seen: list[tuple[int, int]] = []
    run_tasks(str, range(10), warm, n_tasks=4, progress=lambda *done: seen.append(done))
    assert seen[-1] == (10, 10)
    assert seen == sorted(set(seen))


def test_the_first_failure_in_the_order_of_items_is_one_line(warm: Settings) -> None:
    def picky(item: int) -> int:
        if item in (3, 8):
            raise ValueError(f"bad pixel in {item}\nand more")
        return item

    with pytest.raises(EngineError) as raised:
        run_tasks(picky, range(10), warm, n_tasks=10, label="pixels")
    assert str(raised.value) == "pixels failed: got ValueError: bad pixel in 3"
    assert "in picky" in raised.value.__notes__[0]


def test_an_error_of_ours_comes_back_as_itself(warm: Settings) -> None:
    def refuse(item: str) -> None:
        raise InputError("no FITS", got=item, expected="SIMPLE", next_step="take another")

    with pytest.raises(InputError) as raised:
        run_tasks(refuse, ["map.txt"], warm)
    assert str(raised.value) == "no FITS: got map.txt, expected SIMPLE; take another"


def test_an_error_is_not_tried_again(warm: Settings, tmp_path: Path) -> None:
    def note_and_fail(item: int) -> None:
        with (tmp_path / "calls").open("a") as file:
            file.write("x")
        raise RuntimeError("no")

    with pytest.raises(EngineError):
        run_tasks(note_and_fail, [0], warm)
    assert (tmp_path / "calls").read_text() == "x"


def test_the_items_of_a_killed_worker_are_done_again_and_counted_once(warm: Settings, tmp_path: Path) -> None:
    def die_once(item: int) -> int:
        flag = tmp_path / "died"
        if item == 5 and not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert run_tasks(die_once, range(8), warm, n_tasks=4) == list(range(8))


def test_a_worker_that_always_dies_is_one_clear_error(warm: Settings) -> None:
    def die(_: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(EngineError, match="could not finish tiles: got a Python worker was killed again"):
        run_tasks(die, [0], warm, label="tiles")


def test_a_function_that_cannot_be_sent_is_refused(warm: Settings) -> None:
    spark = session(warm)
    with pytest.raises(InputError, match="cannot be sent between"):
        run_tasks(lambda item: spark.range(item).count(), [1], warm)


def test_a_result_that_cannot_be_sent_back_is_one_line(warm: Settings) -> None:
    with pytest.raises(InputError, match=r"a value cannot be sent between .*: got TypeError: cannot pickle"):
        run_tasks(lambda _: threading.Lock(), [0], warm)


def test_a_callback_that_raises_cancels_the_job(warm: Settings, tmp_path: Path) -> None:
    def sleep(item: int) -> None:
        time.sleep(0 if item == 0 else 300)

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_tasks(sleep, range(2), warm, n_tasks=2, progress=stop)
    assert run_tasks(functools.partial(max, 3), [1, 5], warm) == [3, 5]
    assert time.monotonic() - started < 300


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_whose_interrupt_is_lost_cancels_the_job_all_the_same(
    warm: Settings, number: signal.Signals
) -> None:
    """As Py4J may lose it, which is interrupted in a call and then fails to close a connection."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    def lose(*_: int) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), number)

    started, before = time.monotonic(), signal.signal(number, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_tasks(time.sleep, [0, 300], warm, n_tasks=2, progress=lose)
        assert signal.getsignal(number) is interrupt
        assert run_tasks(functools.partial(max, 3), [1, 5], warm) == [3, 5]
    finally:
        signal.signal(number, before)
    assert time.monotonic() - started < 300


@pytest.mark.parametrize("n_tasks", [0, -1])
def test_a_number_of_tasks_below_one_is_refused(settings: Settings, n_tasks: int) -> None:
    with pytest.raises(InputError, match="number of tasks cannot be used"):
        run_tasks(str, [1], settings, n_tasks=n_tasks)
