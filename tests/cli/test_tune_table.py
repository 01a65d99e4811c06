import io
import json

from rich.console import Console

from helikon.cli.tune_table import LiveTable, echo_best
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


def test_the_best_trials_are_printed_as_a_table_or_as_json(capsys) -> None:
    echo_best(BEST, 1, as_json=False)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["TRIAL", "VALUE", "kernel", "rate"],
        ["7", "0.912346", "rbf[b]", "0.001"],
        ["2", "0.5", "-", "0.1"],
    ]
    echo_best(BEST, 1, as_json=True)
    assert json.loads(capsys.readouterr().out)[0] == {
        "number": 7,
        "values": [0.91234567],
        "params": {"rate": 0.001, "kernel": "rbf[b]"},
    }
    echo_best((), 1, as_json=False)
    assert capsys.readouterr().err == "no trial is complete\n"
