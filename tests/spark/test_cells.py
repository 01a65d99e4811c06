import os
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient

from helikon.spark.cells import Progress, draw
from helikon.spark.stages import called

START = """
from helikon.settings import load
from helikon.spark.sessions import session
spark = session(load())
"""
WORK = """
def slowly(batches):
    import time
    time.sleep(1.5)
    yield from batches

spark.range(0, 6, 1, 6).mapInArrow(slowly, "id long").count()
"""

TASKS = """
import time
from helikon.spark.tasks import run_tasks
run_tasks(lambda number: time.sleep(1.5), range(4), load(), label="sleeping")
"""


def stage(number: int, n_done: int, name: str = "count at app.py:7", n_failed: int = 0) -> Progress:
    return Progress(number=number, name=name, n_done=n_done, n_failed=n_failed, n_tasks=8)


def test_stages_are_drawn_as_bars_and_as_text() -> None:
    drawn = draw([stage(0, 8), stage(1, 2, "map <b>", n_failed=1)], 3.21)
    assert drawn["text/plain"].splitlines() == [
        "Spark: 2 stages, 10 of 16 tasks, 3.2 s",
        "stage 0 (count at app.py:7): 8 of 8 tasks",
        "stage 1 (map <b>): 2 of 8 tasks, 1 failed",
    ]
    assert '<progress value="2" max="8">' in drawn["text/html"]
    assert "map &lt;b&gt;" in drawn["text/html"]


def test_of_many_stages_the_last_are_drawn() -> None:
    lines = draw([stage(i, 8) for i in range(9)], 1.0)["text/plain"].splitlines()
    assert lines[1] == "3 earlier stages"
    assert [line.split()[1] for line in lines[2:]] == ["3", "4", "5", "6", "7", "8"]


def test_a_stage_without_a_description_is_called_after_its_place() -> None:
    for name in ("count at /home/ada/app.py:7", "app.py:7"):
        assert called(None, SimpleNamespace(name=name, stageId=0)) == "app.py:7"


@pytest.mark.slow
def test_a_cell_of_a_notebook_shows_its_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIKON_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HELIKON_SPARK_MASTER", "local[2,3]")
    monkeypatch.setenv("HELIKON_SPARK_DRIVER_MEMORY_GIB", "1")
    cells = [nbformat.v4.new_code_cell(source) for source in (START, "1 + 1", WORK, TASKS, "spark.stop()")]
    book = nbformat.v4.new_notebook(cells=cells)
    seen: list[str] = []
    client = NotebookClient(
        book, timeout=250, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    follow = client.process_message

    def listen(message: dict, cell: dict, index: int) -> object:
        if message["msg_type"] in ("display_data", "update_display_data"):
            seen.append(message["content"]["data"]["text/plain"])
        return follow(message, cell, index)

    monkeypatch.setattr(client, "process_message", listen)
    client.execute(env=os.environ.copy())
    assert [output.output_type for output in book.cells[1].outputs] == ["execute_result"]
    shown, result = sorted(book.cells[2].outputs, key=lambda output: output.output_type)
    assert result.data["text/plain"] == "6"
    assert "6 of 6 tasks" in shown.data["text/plain"]
    assert "<progress" in shown.data["text/html"]
    (labelled,) = (output for output in book.cells[3].outputs if output.output_type == "display_data")
    assert "(sleeping): 4 of 4 tasks" in labelled.data["text/plain"]
    assert len(seen) > 1
    assert any("of 6 tasks" in text and "6 of 6 tasks" not in text for text in seen)
