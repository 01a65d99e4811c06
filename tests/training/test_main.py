"""Training through torchrun on the local backend: kills, resumes, records."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file
from torch import Tensor

from helikon.backends import connect
from helikon.catalogue.runs import find_run
from helikon.catalogue.tracking import client
from helikon.errors import JobFailed
from helikon.settings import Settings, load
from helikon.training.follow import run_job
from helikon.training.launch import output_folder, training_job
from helikon.training.records import newest_record, read_metrics, read_result
from helikon.workload import State, TrainingJob

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow", "ignore::FutureWarning:mlflow"),
]
ROOT = Path(__file__).parents[2]
RECIPE = "tests.training.tiny:line"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One state folder for all, since each of its own costs an MLflow database."""
    settings = load(
        environ={}, overrides={"state_dir": str(tmp_path_factory.mktemp("state")), "owner": "ada"}
    )
    yield settings
    for status in connect(settings).status():
        connect(settings).stop(status.name)


@pytest.fixture(autouse=True)
def _recipes_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTHONWARNINGS", "default")


def _job(settings: Settings, name: str, n_processes: int = 2, **options: object) -> TrainingJob:
    texts = {key: str(value) for key, value in options.items()}
    return training_job(settings, RECIPE, options=texts, n_processes=n_processes, name=name)


def _wait(condition: Callable[[], object], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _workers(name: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            command = process.cmdline()
            if (
                "helikon.training.main" in command
                and name in command
                and "torch.distributed.run" not in command
            ):
                found.append(process)
    return found


def _weights(settings: Settings, name: str) -> dict[str, Tensor]:
    return load_file(output_folder(settings, name) / "model" / "weights.safetensors")


def _status(settings: Settings, name: str) -> State:
    return connect(settings).status(name)[0].state


def _mlflow_status(settings: Settings, name: str) -> str:
    run_id = find_run(settings, name)
    assert run_id is not None
    return str(client(settings).get_run(run_id).info.status)


@pytest.fixture(scope="module")
def unbroken(shared: Settings) -> dict[str, Tensor]:
    """The weights that 60 steps in two processes give."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        run_job(shared, _job(shared, "unbroken", n_steps=60, pause_s=0.05))
    return _weights(shared, "unbroken")


def _assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert all((one[key] - other[key]).abs().max() <= 1e-6 for key in one)


def test_a_run_leaves_model_card_metrics_and_an_mlflow_run(
    shared: Settings, unbroken: dict[str, Tensor]
) -> None:
    folder = output_folder(shared, "unbroken")
    card = json.loads((folder / "model" / "model.json").read_text())
    result = read_result(folder)
    assert (card["recipe"], card["step"], card["n_processes"], card["owner"]) == (RECIPE, 60, 2, "ada")
    assert {"loss", "error", "points_per_s"} <= set(result["metrics"])
    assert read_metrics(folder / "metrics.jsonl")[-1]["step"] == 60
    run = client(shared).get_run(card["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["n_processes"] == "2"
    assert run.data.params["option.n_steps"] == "60"
    assert run.data.metrics["loss"] == pytest.approx(result["metrics"]["loss"])
    assert run.data.tags["helikon.input.points"] == '{"source": "made up"}'


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_worker_fails_the_job_and_the_next_start_ends_as_an_unbroken_run(
    shared: Settings, unbroken: dict[str, Tensor], rank: int
) -> None:
    name = f"worker-{rank}"
    job = _job(shared, name, n_steps=60, pause_s=0.05)
    backend = connect(shared)
    backend.start(job)
    metrics = output_folder(shared, name) / "metrics.jsonl"
    _wait(lambda: list(output_folder(shared, name).glob("checkpoint/step-*")))
    victim = next(one for one in _workers(name) if one.environ().get("RANK") == str(rank))
    os.kill(victim.pid, signal.SIGKILL)
    _wait(lambda: not _status(shared, name).is_alive)
    assert _status(shared, name) is State.FAILED
    _wait(lambda: not _workers(name))
    run_job(shared, job)
    _assert_same(_weights(shared, name), unbroken)
    steps = [record["step"] for record in read_metrics(metrics)]
    assert steps == sorted(set(steps))
    assert any("resuming at step" in line for line in backend.logs(name))
    assert _mlflow_status(shared, name) == "FINISHED"


def test_a_whole_job_that_is_killed_resumes(shared: Settings, unbroken: dict[str, Tensor]) -> None:
    job = _job(shared, "everything", n_steps=60, pause_s=0.05)
    connect(shared).start(job)
    _wait(lambda: list(output_folder(shared, "everything").glob("checkpoint/step-*")))
    for process in _workers("everything"):
        for one in (process.parent(), process):
            if one is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
    _wait(lambda: not _status(shared, "everything").is_alive)
    run_job(shared, job)
    _assert_same(_weights(shared, "everything"), unbroken)


def test_a_stopped_job_leaves_a_checkpoint_and_no_process(
    shared: Settings, unbroken: dict[str, Tensor]
) -> None:
    job = _job(shared, "stopped", n_steps=60, pause_s=0.05, checkpoint_every_s=1000)
    connect(shared).start(job)
    folder = output_folder(shared, "stopped")
    _wait(lambda: newest_record(folder / "metrics.jsonl"))
    connect(shared).stop("stopped")
    assert _status(shared, "stopped") is State.STOPPED
    assert not _workers("stopped")
    assert list(folder.glob("checkpoint/step-*"))
    assert _mlflow_status(shared, "stopped") == "KILLED"
    run_job(shared, job)
    _assert_same(_weights(shared, "stopped"), unbroken)


def test_one_process_needs_no_other(shared: Settings) -> None:
    run_job(shared, _job(shared, "alone", n_processes=1, n_steps=20))
    assert read_result(output_folder(shared, "alone"))["n_processes"] == 1


def test_a_job_that_has_succeeded_is_not_run_again(shared: Settings, unbroken: dict[str, Tensor]) -> None:
    status = run_job(shared, _job(shared, "unbroken", n_steps=60, pause_s=0.05))
    assert status.attempt == 1


def test_a_recipe_that_fails_says_why(shared: Settings) -> None:
    with pytest.raises(JobFailed, match="the loss of line is not finite at step 0"):
        run_job(shared, _job(shared, "broken", n_steps=10, scale="inf"))
    assert _mlflow_status(shared, "broken") == "FAILED"
