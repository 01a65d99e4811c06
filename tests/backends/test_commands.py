"""Workloads become argument vectors, held by equality."""

import pytest

from helikon.backends.commands import argv
from helikon.errors import InputError
from helikon.workload import BatchJob, ModelServer, SparkJob, TrainingJob, Workload


def test_a_batch_job_runs_its_command() -> None:
    job = BatchJob(name="a", command=("ls", "-l", "python"))
    assert argv(job, "/venv/bin/python") == ("ls", "-l", "python")


def test_a_leading_python_is_the_environments_own() -> None:
    job = BatchJob(name="a", command=("python", "-m", "this"))
    assert argv(job, "/venv/bin/python") == ("/venv/bin/python", "-m", "this")


def test_a_batch_job_needs_a_command() -> None:
    with pytest.raises(InputError, match="batch job a cannot be run: got an empty command"):
        argv(BatchJob(name="a", command=()))


def test_a_training_job_is_run_by_torchrun() -> None:
    job = TrainingJob(
        name="t-1", recipe="space/mask-rcnn", options=(("epochs", "3"), ("lr", "0.1")), n_processes=2
    )
    assert argv(job, "py") == (
        *("py", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "helikon.training.main", "space/mask-rcnn", "--name", "t-1"),
        *("--option", "epochs=3", "--option", "lr=0.1"),
    )


def test_a_training_job_is_run_by_the_horovodrun_of_the_same_environment() -> None:
    job = TrainingJob(name="t-1", recipe="space/mask-rcnn", n_processes=2, engine="horovod")
    assert argv(job, "/venv/bin/python") == (
        *("/venv/bin/horovodrun", "--gloo", "-np", "2"),
        *("/venv/bin/python", "-m", "helikon.training.main", "space/mask-rcnn", "--name", "t-1"),
    )


def test_a_spark_job_keeps_its_conf_apart_from_its_arguments() -> None:
    job = SparkJob(
        name="s", application="tiles.py", arguments=("--size", "512"), conf=(("spark.ui.enabled", "false"),)
    )
    assert argv(job, "py") == (
        *("py", "-m", "helikon.spark.main", "tiles.py", "--conf", "spark.ui.enabled=false"),
        *("--", "--size", "512"),
    )


def test_a_model_server_serves_one_model() -> None:
    server = ModelServer(name="finder", service="helikon.space.service:SourceFinder", model="models:/rcnn/3")
    assert argv(server, "py") == (
        *("py", "-m", "helikon.serving.main", "helikon.space.service:SourceFinder"),
        *("--model", "models:/rcnn/3"),
    )


def test_a_bare_workload_cannot_be_run() -> None:
    with pytest.raises(InputError, match="got Workload, expected BatchJob"):
        argv(Workload(name="a"))
