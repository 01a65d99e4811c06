"""What can be run, said apart from where it runs.

Four frozen kinds of work and the status that a backend reports of them. No
I/O, no paths of a machine, no engine: a workload written on a laptop is the
same on a cluster. Read :class:`Workload` first, then ``backends/__init__.py``.
"""

import dataclasses
import enum
import json
import re
from typing import Any, ClassVar, Literal

from helikon.errors import InputError

__all__ = [
    "BatchJob",
    "ModelServer",
    "Resources",
    "SparkJob",
    "State",
    "Status",
    "TrainingJob",
    "Workload",
    "from_json",
    "to_json",
]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What one process of a workload asks for.

    Attributes
    ----------
    n_cpus : int
        CPU cores.
    memory_gib : float
        Main memory in GiB.
    n_gpus : int
        Accelerators.
    """

    n_cpus: int = 1
    memory_gib: float = 2.0
    n_gpus: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What all kinds of work have in common.

    Attributes
    ----------
    name : str
        The handle: lower-case letters, digits and hyphens, 53 characters at
        most (a Helm release name; also a DNS label).
    owner : str
        Who asked for it.
    environment : tuple of (str, str)
        Extra environment variables. Never secrets: a workload is written to disk.
    resources : Resources
        What one process of it needs.
    """

    kind: ClassVar[str] = "workload"
    name: str
    owner: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    resources: Resources = Resources()

    def __post_init__(self) -> None:
        """Refuse names that Kubernetes would refuse."""
        if not _NAME.fullmatch(self.name):
            raise InputError(
                "a workload's name cannot be used",
                got=repr(self.name),
                expected="1 to 53 lower-case letters, digits and hyphens, not at the ends",
            )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob(Workload):
    """A command that runs to its end.

    Attributes
    ----------
    command : tuple of str
        The argument vector. A leading ``python`` means the environment's own.
    """

    kind: ClassVar[str] = "batch"
    command: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob(Workload):
    """A training recipe run by several processes.

    Attributes
    ----------
    recipe : str
        Name of a recipe that an application registered, ``space/mask-rcnn`` say.
    options : tuple of (str, str)
        The recipe's own options, as text.
    n_processes : int
        Processes on each node.
    engine : {"torchrun", "horovod"}
        What starts and joins the processes.
    """

    kind: ClassVar[str] = "training"
    recipe: str
    options: tuple[tuple[str, str], ...] = ()
    n_processes: int = 1
    engine: Literal["torchrun", "horovod"] = "torchrun"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SparkJob(Workload):
    """A Spark application.

    Attributes
    ----------
    application : str
        A Python file, or ``module:function``.
    arguments : tuple of str
        What the application is given.
    n_executors : int
        Executors on a cluster; a laptop's ``local[*]`` ignores it.
    conf : tuple of (str, str)
        Spark's own options, passed on untranslated.
    """

    kind: ClassVar[str] = "spark"
    application: str
    arguments: tuple[str, ...] = ()
    n_executors: int = 2
    conf: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModelServer(Workload):
    """A model behind HTTP.

    Attributes
    ----------
    service : str
        ``module:Class`` of the BentoML service.
    model : str
        ``models:/NAME/VERSION`` in the registry.
    n_replicas : int
        How many servers share the load on a cluster.
    """

    kind: ClassVar[str] = "server"
    service: str
    model: str
    n_replicas: int = 1


class State(enum.StrEnum):
    """Where a workload is in its life."""

    PENDING = "pending"
    """Accepted, not yet running; a server: not yet answering."""
    RUNNING = "running"
    """Running; a server: answering."""
    SUCCEEDED = "succeeded"
    """Ended by itself with exit code 0."""
    FAILED = "failed"
    """Ended with another exit code, was killed, or was lost with its machine."""
    STOPPED = "stopped"
    """Ended because somebody asked for it."""

    @property
    def is_alive(self) -> bool:
        """Whether processes of it may exist."""
        return self in (State.PENDING, State.RUNNING)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a backend knows of one workload.

    Attributes
    ----------
    name, kind, owner : str
        As in the workload.
    state : State
        Where it is in its life.
    exit_code : int or None
        Of its main process; negative is the signal that killed it.
    started, ended : float or None
        Unix time in seconds.
    url : str or None
        Where a server answers.
    cause : str or None
        One line on why it failed.
    attempt : int
        How often it has been started.
    model : str or None
        What a server serves, ``models:/NAME/VERSION``.
    """

    name: str
    kind: str
    owner: str
    state: State
    exit_code: int | None = None
    started: float | None = None
    ended: float | None = None
    url: str | None = None
    cause: str | None = None
    attempt: int = 1
    model: str | None = None


_KINDS: dict[str, type[Workload]] = {
    kind.kind: kind for kind in (BatchJob, TrainingJob, SparkJob, ModelServer)
}


def to_json(workload: Workload) -> str:
    """Text that :func:`from_json` reads back as an equal workload; sorted, so it can be compared."""
    return json.dumps({"kind": workload.kind, **dataclasses.asdict(workload)}, sort_keys=True, indent=1)


def from_json(text: str) -> Workload:
    """Read what :func:`to_json` wrote.

    Raises
    ------
    InputError
        If the text is no workload of a known kind.
    """
    try:
        fields = json.loads(text)
        kind = _KINDS[fields.pop("kind")]
        resources = Resources(**fields.pop("resources"))
        return kind(resources=resources, **{key: _frozen(value) for key, value in fields.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "this is no workload", got=repr(error), expected=f"JSON with a kind of {', '.join(_KINDS)}"
        ) from error


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
