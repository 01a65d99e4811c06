"""How long one waits: the command line, the gateway, a model server; beside the bare engines.

Run it with ``python benchmarks/start_up.py [--runs 5]``; it needs the whole
installation and free loopback ports. The rivals are what one would start by
hand: ``jupyterhub --version`` for the command line, JupyterHub with the same
proxy and no portal or MLflow for the gateway. Prints a table of medians and
ratios, and as its last line one JSON object.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

BARE_HUB = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.proxy_class = "traefik_file"
c.TraefikProxy.traefik_api_url = "http://127.0.0.1:{api}"
c.TraefikFileProviderProxy.static_config_file = "{folder}/static.toml"
c.TraefikFileProviderProxy.dynamic_config_file = "{folder}/dynamic.toml"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/secret"
"""


def timed(command: list[str], **environment: str) -> float:
    """Run a command to its end; return its seconds."""
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, env=os.environ | environment)
    return time.monotonic() - start


def free_ports(n: int) -> list[int]:
    """Return ``n`` free loopback ports."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def helikon_up() -> float:
    """Start the gateway in a state folder of its own, and stop it again."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"HELIKON_STATE_DIR": folder, "HELIKON_GATEWAY_PORT": "0"}
        seconds = timed([sys.executable, "-m", "helikon.cli", "up"], **environment)
        timed([sys.executable, "-m", "helikon.cli", "down"], **environment)
        return seconds


def bare_hub() -> float:
    """Start JupyterHub and traefik alone, wait for the login page, and stop them."""
    port, hub, api = free_ports(3)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.py"
        config.write_text(BARE_HUB.format(port=port, hub=hub, api=api, folder=folder))
        start = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        )
        while not answers(f"http://127.0.0.1:{port}/hub/login"):
            if process.poll() is not None:
                raise SystemExit(f"the bare hub ended with exit code {process.returncode}")
            time.sleep(0.05)
        seconds = time.monotonic() - start
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        process.send_signal(signal.SIGTERM)
        process.wait()
        for one in psutil.wait_procs(family, timeout=10)[1]:
            one.kill()
        return seconds


def answers(url: str) -> bool:
    """Whether a page answers with 200."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url).status_code == 200
    return False


MEASURES: dict[str, tuple[Callable[[], float], Callable[[], float], str]] = {
    "command line": (
        lambda: timed([sys.executable, "-m", "helikon.cli", "--help"]),
        lambda: timed([sys.executable, "-m", "jupyterhub", "--version"]),
        "helikon --help / jupyterhub --version",
    ),
    "gateway": (helikon_up, bare_hub, "helikon up (hub, portal, MLflow) / bare hub and proxy"),
}


def main() -> None:
    """Measure in turn, print the table and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    n_runs = parser.parse_args().runs
    figures = {}
    print("| what | ours s | rival s | ratio | which |\n|---|---|---|---|---|")
    for name, (ours, rival, which) in MEASURES.items():
        pairs = [(ours(), rival()) for _ in range(n_runs)]
        mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        figures[name] = {"ours_s": round(mine, 3), "rival_s": round(theirs, 3), "ratio": round(ratio, 3)}
        print(f"| {name} | {mine:.2f} | {theirs:.2f} | {ratio:.2f} | {which} |")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
