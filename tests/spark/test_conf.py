import os
import sys
from pathlib import Path

import psutil

from helikon.settings import Settings, load
from helikon.spark.conf import is_local, prepare_folder, search_path, spark_conf


def test_settings_become_sparks_options() -> None:
    settings = load(environ={}, overrides={"state_dir": "/state", "spark": {"driver_memory_gib": 1.5}})
    conf = spark_conf(settings, "count", path=["/a", "/b"])
    assert conf == {
        "spark.app.name": "count",
        "spark.master": "local[*,3]",
        "spark.driver.memory": "1536m",
        "spark.driver.defaultJavaOptions": "-Dlog4j2.configurationFile=file:///state/spark/log4j2.properties",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": "file:///state/spark/events",
        "spark.local.dir": f"/state/spark/scratch/{os.getpid()}",
        "spark.sql.warehouse.dir": "file:///state/spark/warehouse",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.executorEnv.GRPC_VERBOSITY": "ERROR",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.pyspark.python": sys.executable,
        "spark.pyspark.driver.python": sys.executable,
        "spark.executorEnv.PYTHONPATH": "/a:/b",
    }


def test_the_users_own_options_win_untranslated() -> None:
    conf = {"spark.ui.enabled": "true", "spark.sql.shuffle.partitions": "8"}
    settings = load(environ={}, overrides={"spark": {"conf": conf}})
    assert conf.items() <= spark_conf(settings, "x").items()


def test_a_cluster_gets_no_address_or_interpreter_of_this_machine() -> None:
    settings = load(environ={}, overrides={"spark": {"master": "k8s://https://cluster:6443"}})
    conf = spark_conf(settings, "x", path=["/here"])
    assert not is_local(settings.spark.master)
    assert not {"spark.driver.host", "spark.pyspark.python", "spark.executorEnv.PYTHONPATH"} & conf.keys()


def test_the_scratch_of_dead_drivers_is_dropped_and_that_of_the_living_kept(settings: Settings) -> None:
    scratch = settings.state_dir / "spark" / "scratch"
    dead = next(pid for pid in range(4_000_000, 5_000_000) if not psutil.pid_exists(pid))
    for pid in (dead, os.getppid()):
        (scratch / str(pid) / "blockmgr").mkdir(parents=True)
    prepare_folder(settings)
    assert {path.name for path in scratch.iterdir()} == {str(os.getppid()), str(os.getpid())}


def test_workers_import_from_where_this_process_does(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert search_path()[0] == str(tmp_path)
