import io

from rich.console import Console

from helikon.cli.stage_bars import echo_log

LINES = [
    "reading [bold]the catalogue",
    "stage 0 (collect at /long/way/app.py:7): 1 of 4 tasks",
    "stage 0 (collect at /long/way/app.py:7): 4 of 4 tasks, 1 failed",
    "stage 1 (count (all) of it): 2 of 8 tasks",
    "stage fright is no stage",
]


def test_on_a_terminal_stages_are_bars_and_other_lines_are_printed(capsys) -> None:
    screen = io.StringIO()
    echo_log(LINES, Console(file=screen, force_terminal=True, width=120))
    drawn = screen.getvalue()
    assert "stage 0 collect at app.py:7" in drawn
    assert "4/4" in drawn
    assert "1 failed" in drawn
    assert "stage 1 count (all) of it" in drawn
    assert "2/8" in drawn
    assert capsys.readouterr().out.splitlines() == [LINES[0], LINES[4]]


def test_elsewhere_all_lines_are_printed_as_they_are(capsys) -> None:
    echo_log(LINES, Console(file=io.StringIO(), force_terminal=False))
    assert capsys.readouterr().out.splitlines() == LINES
