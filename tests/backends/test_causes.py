"""The cause of a failure is one line that a person can act on."""

from pathlib import Path

import pytest

from helikon.backends.causes import cause_of, tail

CHAINED = """\
Traceback (most recent call last):
  File "a.py", line 2, in <module>
    open("map.fits")
FileNotFoundError: [Errno 2] No such file or directory: 'map.fits'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 4, in <module>
    raise InputError("no map")
helikon.errors.InputError: no map
"""
SURVIVED_AND_FATAL = """\
Traceback (most recent call last):
  File "a.py", line 2, in fetch
    raise TimeoutError("first try")
TimeoutError: first try
trying again
Traceback (most recent call last):
  File "a.py", line 9, in <module>
    main()
MemoryError
"""
# What torchrun 2.15 writes when one of two workers fails.
TORCHRUN = """\
[rank1]: Traceback (most recent call last):
[rank1]:   File "/srv/w.py", line 3, in <module>
[rank1]:     if d.get_rank()==1: raise ValueError("no such recipe option: lr")
[rank1]:                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
[rank1]: ValueError: no such recipe option: lr
[rank0]: Traceback (most recent call last):
[rank0]:   File "/srv/w.py", line 4, in <module>
[rank0]: RuntimeError: [../gloo/transport/tcp/pair.cc:544] Connection closed by peer [127.0.0.1]:5323
W1123 19:02:22.037000 14039 torch/distributed/elastic/api.py:1028] Sending process 14044 SIGTERM
E1123 19:02:22.070000 14039 torch/distributed/elastic/api.py:1002] failed (exitcode: 1) local_rank: 1
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "/srv/torch/distributed/launcher/api.py", line 386, in launch_agent
    raise ChildFailedError(
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:\x20
============================================================
w.py FAILED
------------------------------------------------------------
Root Cause (first observed failure):
  rank      : 1 (local_rank: 1)
  traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
============================================================
"""
INTERLEAVED = """\
[rank0]: Traceback (most recent call last):
[rank1]: Traceback (most recent call last):
[rank0]:   File "/srv/w.py", line 3, in <module>
[rank1]:   File "/srv/w.py", line 3, in <module>
[rank1]: ValueError: of rank 1
[rank0]: ValueError: of rank 0
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
"""
# What pyspark 4.3 writes when a task's function fails.
SPARK = """\
26/11/23 19:02:53 ERROR Executor: Exception in task 1.0 in stage 0.0 (TID 1)
org.apache.spark.api.python.PythonException: From the Python worker: Traceback (most recent call last):
  File "/srv/pyspark.zip/pyspark/worker.py", line 4327, in invoke_udf
    run_process()
  File "/srv/s.py", line 5, in f
    def f(x): raise ValueError(f"tile {x} is empty")
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: tile 2 is empty
 SQLSTATE: 38000
	at org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handle(PythonRunner.scala:1007)
	at java.base/java.lang.Thread.run(Thread.java:840)
Traceback (most recent call last):
  File "/srv/s.py", line 6, in <module>
    s.sparkContext.parallelize([1,2],2).map(f).collect()
pyspark.errors.exceptions.captured.PythonException: An exception was thrown from the Python worker:
Traceback (most recent call last):
  File "/srv/s.py", line 5, in f
    def f(x): raise ValueError(f"tile {x} is empty")
ValueError: tile 2 is empty

JVM stacktrace:
org.apache.spark.SparkException: Job aborted due to stage failure
	at org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:2898)
"""
# What a worker of pyspark may write when the application has said why it fails and is gone.
LEFT_ALONE = """\
Traceback (most recent call last):
  File "/srv/pyspark.zip/pyspark/daemon.py", line 264, in manager
  File "/srv/pyspark.zip/pyspark/daemon.py", line 95, in worker
BrokenPipeError: [Errno 32] Broken pipe
"""
JAVA = """\
Exception in thread "main" java.lang.UnsupportedClassVersionError: org/apache/Main
	at java.lang.ClassLoader.defineClass1(Native Method)
"""


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (CHAINED, "helikon.errors.InputError: no map"),
        (SURVIVED_AND_FATAL, "MemoryError"),
        (TORCHRUN, "ValueError: no such recipe option: lr"),
        (INTERLEAVED, "ValueError: of rank 0"),
        (SPARK, "ValueError: tile 2 is empty"),
        (SPARK + "helikon: ValueError: tile 2 is empty\n" + LEFT_ALONE, "ValueError: tile 2 is empty"),
        (LEFT_ALONE, "BrokenPipeError: [Errno 32] Broken pipe"),
        (JAVA, 'Exception in thread "main" java.lang.UnsupportedClassVersionError: org/apache/Main'),
        ("helikon: map.fits has no beam\n", "map.fits has no beam"),
        (SURVIVED_AND_FATAL + "helikon: the registry does not answer\n", "the registry does not answer"),
        ("ls: cannot access 'x': No such file\n\n", "ls: cannot access 'x': No such file"),
        ("", "exit code 1"),
    ],
)  # fmt: skip
def test_the_programs_own_last_words_are_the_cause(text: str, cause: str) -> None:
    assert cause_of(1, text) == cause


def test_torchruns_banner_is_the_cause_only_if_there_is_no_other() -> None:
    banner = TORCHRUN[TORCHRUN.index('Traceback (most recent call last):\n  File "<frozen') :]
    assert cause_of(1, banner).endswith("ChildFailedError")
    assert cause_of(1, "helikon: no recipe space/cnn\n" + banner) == "no recipe space/cnn"


def test_a_worker_that_was_killed_is_the_cause_whatever_the_others_say_of_it() -> None:
    said = (
        "Failures:\n[1]:\n  time      : 2026-11-27_18:10:33\n  host      : localhost\n"
        "  rank      : 0 (local_rank: 0)\n  exitcode  : 1 (pid: 26909)\n  error_file: <N/A>\n"
        "------------------------------------------------------------\n"
        "Root Cause (first observed failure):\n[0]:\n  time      : 2026-11-27_18:10:28\n"
        "  host      : localhost\n  rank      : 1 (local_rank: 1)\n  exitcode  : {} (pid: 26910)\n"
    )
    assert cause_of(1, TORCHRUN + said.format("-9")) == "rank 1 was killed by SIGKILL (out of memory?)"
    assert cause_of(1, TORCHRUN + said.format("-11")) == "rank 1 was killed by SIGSEGV"
    assert cause_of(1, TORCHRUN + said.format("1")) == "ValueError: no such recipe option: lr"


@pytest.mark.parametrize(
    ("exit_code", "cause"),
    [
        (-9, "killed by SIGKILL (out of memory?)"),
        (137, "killed by SIGKILL (out of memory?)"),
        (-11, "killed by SIGSEGV"),
        (143, "killed by SIGTERM"),
        (-63, "killed by signal 63"),
    ],
)
def test_a_signal_is_named(exit_code: int, cause: str) -> None:
    assert cause_of(exit_code, SURVIVED_AND_FATAL) == cause


def test_an_exit_code_over_128_that_is_no_common_signal_is_an_exit_code() -> None:
    assert cause_of(130, "") == "exit code 130"


def test_a_long_line_is_cut() -> None:
    cause = cause_of(1, f"Traceback (most recent call last):\nValueError: {'x' * 1000}\n")
    assert len(cause) == 300
    assert cause.endswith("x…")


def test_the_tail_begins_at_the_attempt_and_takes_any_bytes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"of an earlier attempt\n" + b"gal\xe9xie\n")
    assert tail(log, len("of an earlier attempt\n")) == "gal\ufffdxie\n"


def test_the_tail_of_a_long_log_is_short(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * 1_000_000 + b"the end")
    assert len(tail(log)) == 256 * 1024
    assert tail(log).endswith("the end")
