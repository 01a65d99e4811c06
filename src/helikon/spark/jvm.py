"""The JVM beneath a session: start it, hear what it says, end it."""

import collections
import contextlib
import os
import threading
from typing import Any

from helikon.backends.causes import cause_of
from helikon.errors import EngineError

__all__ = ["end_jvm", "is_gone", "launch_jvm"]

_NOISE = (b"WARNING: Using incubator modules",)
_N_KEPT = 60
_ENDS_S = 10.0


def launch_jvm(conf: Any) -> Any:
    """Start a JVM for a configuration, and return pyspark's gateway to it.

    What it writes to stderr goes to ours, but for what it always says. It
    watches a pipe from this process and ends with it.

    Raises
    ------
    EngineError
        With what the JVM said, if it ended before it answered.
    """
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway

    listener = _Listener()
    try:
        gateway = launch_gateway(conf, {"stderr": listener.writing})
    except PySparkRuntimeError as error:
        raise EngineError(
            "Spark does not start",
            got=cause_of(1, listener.last_words()),
            next_step="look at spark.master, spark.driver_memory_gib and spark.conf in the settings",
        ) from error
    finally:
        listener.let_go()
    return gateway


def is_gone(gateway: Any) -> bool:
    """Whether the JVM that we started has ended."""
    process = getattr(gateway, "proc", None)
    return process is not None and process.poll() is not None


def end_jvm(gateway: Any) -> None:
    """End the JVM behind a gateway, if we started it, and wait until it is gone."""
    with contextlib.suppress(Exception):  # of one that is gone already
        gateway.shutdown()
    if (process := getattr(gateway, "proc", None)) is None:
        return
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_ENDS_S)
    except Exception:
        process.kill()
        process.wait()


class _Listener:
    """Passes a JVM's stderr on, and remembers its end."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        self._kept: collections.deque[bytes] = collections.deque(maxlen=_N_KEPT)
        self._thread = threading.Thread(target=self._pump, name="spark-stderr", daemon=True)
        self._thread.start()

    def let_go(self) -> None:
        """Close our copy of the end that the JVM writes to."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def last_words(self) -> str:
        """Return the end of what was written, once the writer is gone."""
        self.let_go()
        self._thread.join(1.0)
        return b"".join(self._kept).decode(errors="replace")

    def _pump(self) -> None:
        with contextlib.suppress(OSError), open(self._reading, "rb") as stream:
            for line in stream:
                if not line.startswith(_NOISE):
                    self._kept.append(line)
                    os.write(2, line)
