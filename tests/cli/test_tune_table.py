import dataclasses
import io
import json

from rich.console import Console

from helikon.cli.tune_table import LiveTable, echo_failures, echo_study
from helikon.spark.failures import Failure
from helikon.spark.study import BestTrial, StudyUpdate

BEST = (
    BestTrial(number=7, values=(0.91234567,), params=(("rate", 0.001), ("kernel", "rbf[b]"))),
    BestTrial(number=2, values=(0.5,), params=(("rate", 0.1),)),
)
UPDATE = StudyUpdate(
    name="moons", n_trials=9, n_running=2, n_complete=4, n_pruned=1, best_value=0.91234567, best=BEST
)


def test_on_a_terminal_the_best_trials_are_a_table_that_is_drawn_anew() -> None:
    screen = io.StringIO()
    with LiveTable(Console(file=screen, force_terminal=True, width=120)) as table:
        table.update(UPDATE)
    drawn = screen.getvalue()
    assert "5 of 9 trials, 2 running, 1 pruned, 0 failed, best 0.912346" in drawn
    assert "best trials of moons" in drawn
    assert "rbf[b]" in drawn
    assert drawn.index("0.912346 │") < drawn.index("0.5 ")


def test_elsewhere_a_line_is_told_when_trials_have_ended(capsys) -> None:
    with LiveTable(Console(file=io.StringIO(), force_terminal=False)) as table:
        table.update(UPDATE)
        table.update(UPDATE)
    assert capsys.readouterr().err.splitlines() == ["5 of 9 trials, 1 pruned, 0 failed, best 0.912346"]


FAILED = dataclasses.replace(
    UPDATE,
    n_failed=9,
    failures=(
        Failure(cause="ValueError: no such [filter]", trials=(3, 5, 8, 9, 11, 12, 14)),
        *(Failure(cause=f"OSError: {number}", trials=(number,)) for number in range(20, 26)),
    ),
)


def test_why_trials_fail_is_drawn_below_the_table() -> None:
    screen = io.StringIO()
    with LiveTable(Console(file=screen, force_terminal=True, width=120)) as table:
        table.update(FAILED)
    assert "trials 3, 5, 8, 9, 11 and 2 more: ValueError: no such [filter]" in screen.getvalue()


def test_why_trials_failed_is_said_on_stderr_a_line_for_each_cause(capsys) -> None:
    echo_failures(UPDATE)
    assert capsys.readouterr().err == ""
    echo_failures(FAILED)
    said = capsys.readouterr().err.splitlines()
    assert said[:3] == [
        "9 of 14 trials failed:",
        "  trials 3, 5, 8, 9, 11 and 2 more: ValueError: no such [filter]",
        "  trial 20: OSError: 20",
    ]
    assert said[-1] == "  and 2 causes more; --json tells them all"


def test_the_best_trials_are_printed_as_a_table_or_as_json(capsys) -> None:
    echo_study(UPDATE, 1, as_json=False)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["TRIAL", "VALUE", "kernel", "rate"],
        ["7", "0.912346", "rbf[b]", "0.001"],
        ["2", "0.5", "-", "0.1"],
    ]
    echo_study(FAILED, 1, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["best"][0] == {
        "number": 7,
        "values": [0.91234567],
        "params": {"rate": 0.001, "kernel": "rbf[b]"},
    }
    assert (told["study"], told["n_complete"], told["n_failed"]) == ("moons", 4, 9)
    assert told["failed"][1] == {"cause": "OSError: 20", "trials": [20]}
    echo_study(StudyUpdate(name="s", n_trials=1), 1, as_json=False)
    assert capsys.readouterr().err == "no trial is complete\n"
