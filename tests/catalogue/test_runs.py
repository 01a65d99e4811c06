"""One run for each job, ended as it ended."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helikon import __version__
from helikon.catalogue.checksums import sha256_of_file
from helikon.catalogue.runs import code_version, find_run, record, settle
from helikon.catalogue.tracking import client
from helikon.settings import Settings
from helikon.workload import State, Status

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow", "ignore::FutureWarning:mlflow")


def _run(settings: Settings, run_id: str) -> Any:
    return client(settings).get_run(run_id)


_RECORD = """
import sys
from helikon.catalogue.runs import record
from helikon.settings import load

settings = load(environ={}, overrides={"state_dir": sys.argv[1]})
with record(settings, kind="trial", name="shared") as run:
    for step in range(20):
        run.log_metrics({sys.argv[2]: float(step)}, step)
print(run.run_id)
"""


def test_a_run_keeps_owner_code_parameters_inputs_metrics_and_files(ready: Settings, tmp_path: Path) -> None:
    data = tmp_path / "map.fits"
    data.write_text("data")
    with record(
        ready,
        kind="training",
        name="night",
        parameters={"rate": 0.1},
        inputs={"map": data, "sky": "made up"},
    ) as run:
        run.log_metrics({"loss": 0.5, "completeness": 0.8}, step=7)
        run.log_file(data, "inputs")
        assert _run(ready, run.run_id).info.status == "RUNNING"
    kept = _run(ready, run.run_id)
    assert kept.info.status == "FINISHED"
    assert kept.data.params == {"rate": "0.1"}
    assert kept.data.metrics == {"loss": 0.5, "completeness": 0.8}
    tags = kept.data.tags
    assert (tags["helikon.job"], tags["helikon.kind"], tags["helikon.owner"]) == ("night", "training", "ada")
    assert tags["helikon.code_version"] == code_version()
    assert json.loads(tags["helikon.input.map"]) == {"source": str(data), "sha256": sha256_of_file(data)}
    assert json.loads(tags["helikon.input.sky"]) == {"source": "made up"}
    files = [one.path for one in client(ready).list_artifacts(run.run_id, "inputs")]
    assert files == ["inputs/map.fits"]


def test_the_code_version_starts_with_the_version_of_helikon() -> None:
    assert code_version().split()[0] == __version__


def test_the_same_job_opens_the_same_run_again(ready: Settings) -> None:
    with pytest.raises(ValueError, match="broke"), record(ready, kind="training", name="night") as first:
        raise ValueError("broke")
    assert _run(ready, first.run_id).info.status == "FAILED"
    assert _run(ready, first.run_id).data.tags["helikon.error"] == "ValueError: broke"
    with record(ready, kind="training", name="night") as second:
        assert _run(ready, first.run_id).info.status == "RUNNING"
    assert second.run_id == first.run_id == find_run(ready, "night")
    with record(ready, kind="tuning", name="night") as other:
        pass
    assert other.run_id != first.run_id


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), "KILLED"),
        (SystemExit(143), "KILLED"),
        (SystemExit(2), "FAILED"),
        (SystemExit(0), "FINISHED"),
    ],
)
def test_a_run_ends_as_its_job_did(ready: Settings, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), record(ready, kind="training", name="night") as run:
        raise error
    assert _run(ready, run.run_id).info.status == status


def test_a_run_belongs_to_its_parent(ready: Settings) -> None:
    with (
        record(ready, kind="tuning", name="study") as parent,
        record(ready, kind="trial", name="trial-1", parent=parent.run_id) as child,
    ):
        pass
    assert _run(ready, child.run_id).data.tags["mlflow.parentRunId"] == parent.run_id


def test_no_run_is_found_of_an_unknown_job(ready: Settings) -> None:
    assert find_run(ready, "night") is None


@pytest.mark.parametrize(
    ("state", "status"), [(State.FAILED, "FAILED"), (State.STOPPED, "KILLED"), (State.RUNNING, "RUNNING")]
)
def test_the_run_of_a_killed_job_is_settled(ready: Settings, state: State, status: str) -> None:
    opened = record(ready, kind="training", name="night")
    run = opened.__enter__()  # and never left, as if killed
    settle(
        ready, [Status(name="night", kind="training", owner="ada", state=state, cause="killed by SIGKILL")]
    )
    kept = _run(ready, run.run_id)
    assert kept.info.status == status
    assert kept.data.tags.get("helikon.error") == ("killed by SIGKILL" if state is State.FAILED else None)


def test_several_processes_record_at_once_and_share_a_jobs_run(ready: Settings) -> None:
    command = [sys.executable, "-c", _RECORD, str(ready.state_dir)]
    both = [subprocess.Popen([*command, key], stdout=subprocess.PIPE, text=True) for key in ("a", "b")]
    run_ids = {process.communicate(timeout=120)[0].strip() for process in both}
    assert len(run_ids) == 1
    (run_id,) = run_ids
    assert [len(client(ready).get_metric_history(run_id, key)) for key in ("a", "b")] == [20, 20]
