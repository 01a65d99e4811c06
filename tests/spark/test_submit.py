import os
import runpy
import sys
from pathlib import Path

import pytest

from helikon.backends import wait
from helikon.backends.commands import argv
from helikon.backends.local import LocalBackend
from helikon.errors import InputError, JobFailed, NotFound
from helikon.settings import Settings
from helikon.spark.main import plan
from helikon.spark.sessions import session
from helikon.spark.submit import read_conf, spark_job, submit_argv
from helikon.workload import State

BAD = """
from pyspark.sql import SparkSession

def fail(batches):
    raise ValueError("no such band: B12")
    yield from batches

SparkSession.builder.getOrCreate().range(4).mapInArrow(fail, "id long").collect()
"""


@pytest.fixture
def small(spark_settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a small Spark with a state folder of their own."""
    return spark_settings.model_copy(update={"state_dir": tmp_path / "state"})


def test_an_application_becomes_a_job(settings: Settings, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("My App.py").touch()
    job = spark_job(settings, "My App.py", ["-n", "3"], conf=[("spark.a", "b=c")])
    assert job.application == str(tmp_path / "My App.py")
    assert job.name.startswith("my-app-")
    assert (job.owner, job.arguments, job.conf) == ("ada", ("-n", "3"), (("spark.a", "b=c"),))
    assert spark_job(settings, "package.module:count", name="count").application == "package.module:count"


def test_an_application_that_is_not_there_is_refused(settings: Settings) -> None:
    with pytest.raises(NotFound, match=r"no file no_such\.py"):
        spark_job(settings, "no_such.py")
    with pytest.raises(InputError, match="expected a Python file, or module:function"):
        spark_job(settings, "app.jar")


def test_options_are_read_up_to_the_first_equals_sign() -> None:
    assert read_conf(["a=b=c", "d="]) == (("a", "b=c"), ("d", ""))
    with pytest.raises(InputError, match="expected key=value"):
        read_conf(["novalue"])


def test_a_job_becomes_spark_submit() -> None:
    command = submit_argv("/bin/spark-submit", "/app.py", ("--n", "3"), {"spark.a": "b"})
    assert command[:3] == ("/bin/spark-submit", "--conf", "spark.a=b")
    assert Path(command[3]).name == "application.py"
    assert command[4:] == ("/app.py", "--n", "3")


def test_an_option_of_the_job_wins_over_the_settings(settings: Settings) -> None:
    command, environ = plan(settings, "module:f", (), {"spark.driver.memory": "3g"})
    assert "spark.driver.memory=3g" in command
    assert environ["PYSPARK_PYTHON"] == sys.executable
    assert os.access(command[0], os.X_OK)


def test_the_example_counts_sources_with_the_slope_of_euclidean_space(warm: Settings) -> None:
    example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "source_counts.py"))
    fluxes = example["draw_fluxes"](session(warm), 200_000, seed=1)
    rows = example["count_by_flux"](fluxes).collect()
    assert sum(row["n"] for row in rows) == 200_000
    assert -1.7 < example["slope"]([(row["bin"] / 5, row["n"]) for row in rows]) < -1.3


@pytest.mark.slow
def test_a_job_that_fails_says_the_python_error_in_one_line(small: Settings, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    backend = LocalBackend(small)
    try:
        backend.start(spark_job(small, str(tmp_path / "bad.py"), name="bad"))
        with pytest.raises(JobFailed, match="no such band: B12"):
            wait(backend, "bad", timeout_s=200)
        (status,) = backend.status("bad")
        assert (status.state, status.exit_code) == (State.FAILED, 1)
        assert status.cause == "ValueError: no such band: B12"
        assert not any("at org.apache.spark" in line for line in backend.logs("bad"))
    finally:
        backend.stop("bad")


def test_a_job_without_java_says_what_to_install(small: Settings, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    backend = LocalBackend(small)
    job = spark_job(small, str(tmp_path / "bad.py"), name="no-java")
    lost = (("JAVA_HOME", str(tmp_path)),)
    try:
        backend.start(type(job)(name=job.name, application=job.application, environment=lost))
        with pytest.raises(JobFailed, match=r"Spark needs Java: got none at .* apt-get install"):
            wait(backend, "no-java", timeout_s=60)
    finally:
        backend.stop("no-java")


def test_the_backend_types_what_the_entry_point_reads(settings: Settings) -> None:
    job = spark_job(settings, "package.module:f", ["--conf", "mine"], name="x", conf=[("spark.a", "b")])
    words = argv(job, sys.executable)
    assert words[1:3] == ("-m", "helikon.spark.main")
    from helikon.spark.main import main

    context = main.make_context("main", list(words[3:]))
    assert context.params == {
        "application": "package.module:f",
        "pairs": ("spark.a=b",),
        "arguments": ("--conf", "mine"),
    }
