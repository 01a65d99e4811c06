import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
import zstandard

from helikon.backends import wait
from helikon.backends.local import LocalBackend
from helikon.errors import JobFailed, NotFound
from helikon.settings import Settings
from helikon.spark.conf import events_folder
from helikon.spark.events import find_application, past_applications, read_application
from helikon.spark.submit import spark_job
from helikon.testing.polling import eventually

APPLICATION = """
import sys, time
from pyspark.sql import SparkSession

def work(batches):
    for batch in batches:
        if sys.argv[1:] == ["fail"]:
            raise ValueError("no such band: B12")
        yield batch

def wait(batches):
    time.sleep(600)
    yield from batches

kind = sys.argv[1]
spark = SparkSession.builder.getOrCreate()
spark.sparkContext.setJobDescription("bands")
if kind == "fail":
    def work(batches):
        raise ValueError("no such band: B12")
        yield from batches
spark.range(0, 8, 1, 4).mapInArrow(work, "id long").collect()
if kind == "hang":
    print("hanging", flush=True)
    spark.range(0, 8, 1, 4).mapInArrow(wait, "id long").collect()
"""


@pytest.fixture
def small(spark_settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a small Spark with a state folder of their own."""
    return spark_settings.model_copy(update={"state_dir": tmp_path / "state"})


@pytest.mark.slow
def test_past_applications_are_known_with_their_stages_however_they_ended(
    small: Settings, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    backend = LocalBackend(small)

    def submit(kind: str) -> None:
        backend.start(spark_job(small, str(tmp_path / "app.py"), [kind], name=kind))

    try:
        submit("succeed")
        wait(backend, "succeed", timeout_s=200)
        submit("fail")
        with pytest.raises(JobFailed, match="no such band: B12"):
            wait(backend, "fail", timeout_s=200)
        submit("hang")
        eventually(lambda: "hanging" in list(backend.logs("hang")), timeout_s=100)
        eventually(lambda: find_application(small, "hang").n_jobs == 2, timeout_s=30)
        assert find_application(small, "hang").state == "unfinished"
        main = json.loads((small.state_dir / "jobs/hang/attempt-000001/main.json").read_text())
        os.kill(main["pid"], signal.SIGKILL)
    finally:
        for kind in ("succeed", "fail", "hang"):
            backend.stop(kind)
    assert [(one.name, one.state) for one in past_applications(small)] == [
        ("succeed", "done"),
        ("fail", "failed"),
        ("hang", "unfinished"),
    ]
    succeeded, failed, hung = past_applications(small)
    (stage,) = succeeded.stages
    assert (stage.name, stage.state, stage.n_done, stage.n_tasks, stage.n_failed) == (
        "bands",
        "done",
        4,
        4,
        0,
    )
    assert 0 < stage.median_task_s <= stage.longest_task_s <= stage.duration_s < succeeded.duration_s
    assert (failed.cause, failed.n_failed_jobs) == ("ValueError: no such band: B12", 1)
    assert (failed.stages[0].state, failed.stages[0].cause) == ("failed", "ValueError: no such band: B12")
    assert failed.n_failed_tasks >= 3
    assert (hung.n_jobs, hung.duration_s, hung.cause) == (2, None, None)
    assert [one.state for one in hung.stages] == ["done", "unfinished"]


EVENTS = [
    {"Event": "SparkListenerApplicationStart", "App Name": "app", "App ID": "local-1", "Timestamp": 1000}
    | {"User": "ada"},
    {"Event": "SparkListenerJobStart", "Job ID": 0, "Stage IDs": [0, 1]},
    *(
        {
            "Event": "SparkListenerStageSubmitted",
            "Stage Info": {"Stage ID": i, "Stage Attempt ID": 0, "Stage Name": "count", "Number of Tasks": 2},
        }
        for i in range(2)
    ),
    {"Event": "SparkListenerApplicationEnd", "Timestamp": 61_500},
]


def log(settings: Settings, events: Sequence[object], *, name: str = "local-1", keep: float = 1.0) -> Path:
    """Write an event log as Spark does, and keep a part of it."""
    folder = events_folder(settings) / f"eventlog_v2_{name}"
    folder.mkdir(parents=True)
    packed = zstandard.compress("".join(f"{json.dumps(event)}\n" for event in events).encode())
    (folder / f"events_1_{name}.zstd").write_bytes(packed[: int(len(packed) * keep)])
    return folder


def test_a_log_is_read_across_its_files_in_order(settings: Settings) -> None:
    folder = log(settings, EVENTS[:3])
    for number, event in ((10, EVENTS[4]), (2, EVENTS[3])):
        line = zstandard.compress(f"{json.dumps(event)}\n".encode())
        (folder / f"events_{number}_local-1.zstd").write_bytes(line)
    found = read_application(folder)
    assert (found.state, found.duration_s, len(found.stages)) == ("done", 60.5, 2)
    assert find_application(settings, "app") == find_application(settings, "local-1") == found


@pytest.mark.parametrize("keep", [0.0, 0.05, 0.3, 0.6, 0.99])
def test_a_log_that_was_cut_is_unfinished_and_never_an_exception(settings: Settings, keep: float) -> None:
    found = read_application(log(settings, EVENTS, keep=keep))
    assert found.state == "unfinished"
    assert found.id == "local-1"


def test_what_is_no_event_is_passed_over(settings: Settings) -> None:
    folder = log(
        settings, [EVENTS[0], "text", 3, {"Event": 1}, {"no": "event"}, {"Event": "New"}, EVENTS[-1]]
    )
    with next(folder.iterdir()).open("ab") as file:
        file.write(b"\x00\xff not packed")
    (events_folder(settings) / "empty").touch()
    (events_folder(settings) / "eventlog_v2_none").mkdir()
    assert [(one.name, one.state) for one in past_applications(settings)] == [
        ("none", "unfinished"),
        ("app", "done"),
    ]


def test_without_logs_there_is_no_application(settings: Settings) -> None:
    assert past_applications(settings) == []
    log(settings, EVENTS)
    with pytest.raises(NotFound, match="no application x has an event log: expected app"):
        find_application(settings, "x")
