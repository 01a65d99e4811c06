import os
import subprocess
import sys
from pathlib import Path

import pytest

from helikon.errors import EngineError, Missing
from helikon.settings import Settings, load
from helikon.spark.conf import events_folder
from helikon.spark.sessions import session

LOAD = """
from helikon.settings import load
from helikon.spark.sessions import session
session(load())
"""


def run(code: str, settings: Settings, **environ: str) -> str:
    """Run a program that fails and return its last line."""
    ours = {"HELIKON_STATE_DIR": str(settings.state_dir), "HELIKON_SPARK_DRIVER_MEMORY_GIB": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | ours | environ, capture_output=True, text=True
    )
    assert done.returncode
    return done.stderr.strip().splitlines()[-1]


def test_a_process_has_one_warm_session(warm: Settings) -> None:
    assert session(warm) is session(warm, "another name")


def test_nothing_is_left_in_the_working_folder(warm: Settings, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    spark = session(warm)
    spark.range(3).write.saveAsTable("littering")
    spark.sql("drop table littering")
    assert list(tmp_path.iterdir()) == []


def test_the_event_log_is_kept_in_the_state_folder(warm: Settings) -> None:
    assert any(events_folder(warm).rglob("events_*"))


def test_workers_run_the_callers_own_interpreter(warm: Settings) -> None:
    def python(batches):
        import pyarrow

        for _ in batches:
            yield pyarrow.RecordBatch.from_pydict({"python": [sys.executable]})

    (row,) = session(warm).range(1).mapInArrow(python, "python string").collect()
    assert row["python"] == sys.executable


def test_a_session_without_java_says_what_to_install(settings: Settings, tmp_path: Path) -> None:
    last = run(LOAD, settings, JAVA_HOME=str(tmp_path))
    assert f"{Missing.__name__}: Spark needs Java" in last
    assert "apt-get install openjdk-17-jre-headless" in last


@pytest.mark.slow
def test_a_master_that_spark_refuses_is_one_line(settings: Settings) -> None:
    last = run(LOAD, settings, HELIKON_SPARK_MASTER="no-such-master")
    assert f"{EngineError.__name__}: Spark does not start: got" in last
    assert "org.apache.spark.SparkException" in last
    assert "look at spark.master" in last


def test_no_connect_server_is_one_line(settings: Settings) -> None:
    last = run(LOAD, settings, HELIKON_SPARK_REMOTE="nonsense://127.0.0.1:1")
    assert "no Spark Connect server answers at nonsense://127.0.0.1:1" in last


def test_settings_of_tests_are_not_the_users(warm: Settings) -> None:
    assert session(warm).conf.get("spark.local.dir").startswith(str(warm.state_dir))
    assert load(environ={}).spark.master == "local[*,3]"
