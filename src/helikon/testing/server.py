"""A model server for tests: real process, real HTTP, no model.

It listens where a workload's server must (``HELIKON_PORT`` on loopback),
answers ``/readyz`` and says its model at every other path. The environment
variable ``READY`` set to ``never`` keeps it from getting ready.
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from helikon.backends.commands import argv
from helikon.workload import ModelServer, Workload

__all__ = ["server_commands"]


def server_commands(workload: Workload, python: str) -> tuple[str, ...]:
    """Return what is run for a workload, with this module in the place of real model servers."""
    if isinstance(workload, ModelServer):
        return (python, "-m", "helikon.testing.server", workload.model)
    return argv(workload, python)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_wanted = self.path != "/readyz" or os.environ.get("READY") != "never"
        body = sys.argv[1].encode()
        self.send_response(200 if is_wanted else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["HELIKON_PORT"])), _Handler).serve_forever()
