"""The service that ``HELIKON_SERVICE`` names, guarded and set up: what BentoML is told to serve.

BentoML starts a worker that failed again and again. A service whose
``__init__`` fails will fail again, so here it ends the server instead, and the
backend tells the cause.
"""

import functools
import os
import signal
import sys
from typing import Any

from helikon.apps import load
from helikon.serving.security import secure
from helikon.serving.server import SERVER_PID, SERVICE
from helikon.settings import load as load_settings

__all__ = ["service"]

_EXIT_CODE = 70


def _service() -> Any:
    serving = load_settings().serving
    found = secure(load(os.environ[SERVICE]))
    found.config["workers"] = 1
    found.config["threads"] = serving.n_threads
    found.config.setdefault("traffic", {})["timeout"] = serving.timeout_s
    _end_when_it_cannot_start(found.inner, int(os.environ.get(SERVER_PID, "0")))
    return found


def _end_when_it_cannot_start(service_class: Any, server_pid: int) -> None:
    """Let the worker tell the server of a failure; BentoML imports this in both."""
    if server_pid == os.getpid():
        signal.signal(signal.SIGUSR2, lambda number, frame: os._exit(_EXIT_CODE))
    elif server_pid and server_pid == os.getppid():
        service_class.__init__ = _ending(service_class.__init__, server_pid)


def _ending(make: Any, server_pid: int) -> Any:
    @functools.wraps(make)
    def make_or_end(*arguments: Any) -> None:
        try:
            make(*arguments)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
            os.kill(server_pid, signal.SIGUSR2)
            os._exit(_EXIT_CODE)

    return make_or_end


service = _service()
"""The BentoML service."""
