import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from helikon.cli.root import cli
from helikon.errors import NotFound

GOOD = """
import sys
from neighbour import FACTOR
from pyspark.sql import SparkSession

def scale(batches):
    from neighbour import FACTOR
    import pyarrow
    for batch in batches:
        yield pyarrow.RecordBatch.from_pydict({"n": [FACTOR * n for n in batch.column(0).to_pylist()]})

spark = SparkSession.builder.getOrCreate()
total = sum(row["n"] for row in spark.range(int(sys.argv[1])).mapInArrow(scale, "n long").collect())
print("total", total, sys.argv, spark.conf.get("spark.sql.shuffle.partitions"), spark.sparkContext.appName)
"""


def test_an_application_that_is_not_there_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("HELIKON_STATE_DIR", str(tmp_path / "state"))
    result = CliRunner().invoke(cli, ["spark", "submit", "no_such.py"])
    assert isinstance(result.exception, NotFound)
    assert not (tmp_path / "state").exists()


@pytest.mark.slow
def test_a_submitted_application_is_followed_to_its_end(tmp_path: Path, monkeypatch) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("HELIKON_STATE_DIR", str(state))
    monkeypatch.setenv("HELIKON_SPARK_MASTER", "local[2,3]")
    monkeypatch.setenv("HELIKON_SPARK_DRIVER_MEMORY_GIB", "1")
    monkeypatch.chdir(tmp_path)
    Path("neighbour.py").write_text("FACTOR = 2\n")
    Path("good.py").write_text(GOOD)
    words = ["spark", "submit", "good.py", "--name", "good", "--conf", "spark.sql.shuffle.partitions=7"]
    result = CliRunner().invoke(cli, [*words, "--", "5", "--x"], catch_exceptions=False)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert f"total 20 ['{tmp_path}/good.py', '5', '--x'] 7 good" in lines
    assert any(re.match(r"stage 0 .* (\d+) of \1 tasks$", line) for line in lines)
    listed = CliRunner().invoke(cli, ["spark", "history"], catch_exceptions=False).stdout.splitlines()
    assert listed[0].split()[:3] == ["NAME", "ID", "STATE"]
    assert listed[1].split()[0::2][:2] == ["good", "done"]
    shown = CliRunner().invoke(cli, ["spark", "history", "good"], catch_exceptions=False).stdout
    assert "state     done" in shown
    assert "0      collect at" in shown
    facts = json.loads(CliRunner().invoke(cli, ["spark", "history", "good", "--json"]).stdout)
    assert (facts["n_jobs"], facts["n_failed_tasks"]) == (1, 0)
    assert facts["stages"][0]["n_done"] == facts["stages"][0]["n_tasks"] == facts["n_tasks"]
    assert {path.name for path in tmp_path.iterdir()} <= {"state", "good.py", "neighbour.py", "__pycache__"}


def test_without_event_logs_the_history_is_empty(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HELIKON_STATE_DIR", str(tmp_path / "state"))
    result = CliRunner().invoke(cli, ["spark", "history", "--json"])
    assert json.loads(result.stdout) == []
