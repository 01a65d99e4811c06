"""What is typed for a workload: pure functions from a workload to an argument vector.

The same vector is run by a process here and by a container on a cluster, so
it holds no path of a machine but that of the interpreter it is given.
"""

from pathlib import PurePath

from helikon.errors import InputError
from helikon.workload import BatchJob, ModelServer, SparkJob, TrainingJob, Workload

__all__ = ["argv"]


def argv(workload: Workload, python: str = "python") -> tuple[str, ...]:
    """Return the argument vector that runs a workload.

    Parameters
    ----------
    workload : Workload
        Any of the four kinds.
    python : str
        The interpreter, ``sys.executable`` here, ``python`` in an image.

    Raises
    ------
    InputError
        If the workload is of no kind that can be run, or is a batch job
        without a command.
    """
    match workload:
        case BatchJob():
            return _batch(workload, python)
        case TrainingJob():
            return _training(workload, python)
        case SparkJob():
            return _spark(workload, python)
        case ModelServer():
            return (python, "-m", "helikon.serving.main", workload.service, "--model", workload.model)
    raise InputError(
        "this kind of workload cannot be run",
        got=type(workload).__name__,
        expected="BatchJob, TrainingJob, SparkJob or ModelServer",
    )


def _batch(job: BatchJob, python: str) -> tuple[str, ...]:
    if not job.command:
        raise InputError(
            f"batch job {job.name} cannot be run", got="an empty command", expected="a program and arguments"
        )
    first, *rest = job.command
    return (python if first == "python" else first, *rest)


def _training(job: TrainingJob, python: str) -> tuple[str, ...]:
    recipe = (job.recipe, "--name", job.name, *_repeated("--option", job.options))
    program = ("-m", "helikon.training.main", *recipe)
    if job.engine == "horovod":
        horovodrun = str(PurePath(python).with_name("horovodrun"))
        return (horovodrun, "--gloo", "-np", str(job.n_processes), python, *program)
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(job.n_processes))
    return (python, *torchrun, *program)


def _spark(job: SparkJob, python: str) -> tuple[str, ...]:
    conf = _repeated("--conf", job.conf)
    return (python, "-m", "helikon.spark.main", job.application, *conf, "--", *job.arguments)


def _repeated(option: str, pairs: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(word for key, value in pairs for word in (option, f"{key}={value}"))
