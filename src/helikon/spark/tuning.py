"""Search hyper-parameters: an Optuna study whose trials run in Spark's Python workers.

The driver keeps the study (``study.py``), hands out its trials (``desk.py``)
and serves its storage (``storage.py``); a few long-lived Spark tasks run them
(``worker.py``), and MLflow keeps the history (``history.py``).
"""

import contextlib
import functools
import importlib.util
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helikon.errors import EngineError, InputError
from helikon.settings import Settings
from helikon.spark.conf import is_local
from helikon.spark.desk import Desk
from helikon.spark.dispatch import run_partitions
from helikon.spark.failures import ERROR
from helikon.spark.given import check_given, enqueue_first, points_of, untried
from helikon.spark.history import History, record_study
from helikon.spark.objectives import space_objective
from helikon.spark.sessions import session
from helikon.spark.shipping import pack, pack_function
from helikon.spark.storage import serve
from helikon.spark.study import StudyUpdate, open_study, study_folder, summarise, write_result
from helikon.spark.worker import Orders, run_slot

if TYPE_CHECKING:
    import optuna

__all__ = ["tune"]

_MOST_ROUNDS_WITHOUT_A_TRIAL = 3


def tune(
    objective: Callable[..., float | Sequence[float]],
    space: Mapping[str, Any] | None = None,
    *,
    settings: Settings,
    n_trials: int,
    n_workers: int = 2,
    study_name: str,
    storage_folder: Path | None = None,
    directions: Sequence[str] = ("maximize",),
    first: Sequence[Mapping[str, Any]] = (),
    sampler: "optuna.samplers.BaseSampler | None" = None,
    pruner: "optuna.pruners.BasePruner | None" = None,
    timeout_s: float | None = None,
    resume: bool = False,
    plots: bool = True,
    on_update: Callable[[StudyUpdate], None] | None = None,
) -> "optuna.Study":
    """Run trials of an objective in Spark's workers until the study has ``n_trials``.

    It ends earlier when the time is over, when the objective calls
    ``trial.study.stop()``, or when a sampler has tried everything.

    Parameters
    ----------
    objective : callable
        Returns the value, or values, of what it is called with: the parameters
        of the space by their names, or, without a space, Optuna's trial. What it
        raises makes one failed trial. A worker that is killed gives its trial, with
        the parameters suggested so far, to its successor; killed twice, the
        trial has failed.
    space : Mapping[str, range], optional
        Parameter to what is searched: text (``"1e-3..1e3 log"``, ``"2..8"``,
        ``"rbf,linear"``), a sequence of values, or an Optuna distribution.
    settings : Settings
        Of the session, the state folder and MLflow.
    n_trials : int
        Trials that the study has in the end, complete, pruned or failed.
    n_workers : int
        Trials at a time.
    study_name : str
        Of the study, its folder and its MLflow run.
    storage_folder : Path, optional
        Where the study is kept; ``<state_dir>/studies/<study_name>`` by default.
    directions : sequence of {"maximize", "minimize"}
        One for each value of the objective.
    first : sequence of mapping
        Parameters of trials that come before those the sampler chooses, what is
        known to be good, say; those that a mapping leaves out are sampled. What
        the objective does not ask for, or out of its range, is refused; where that is
        not known before it runs (see :mod:`helikon.spark.asked`), the trial fails.
    sampler, pruner : optional
        Optuna's; TPE and median by default. With several workers, every one
        seeds its copy of the sampler anew. A grid's points are handed out by the
        driver, each once.
    timeout_s : float, optional
        Seconds after which no trial is begun; those that run end by themselves.
    resume : bool
        Go on with a study that is there; trials whose process was killed are done again.
    plots : bool
        Draw history, importance of parameters, parallel coordinates and, of
        several objectives, the front, into the study's folder and its MLflow run.
    on_update : callable, optional
        Called on the driver when the counts have changed.

    Returns
    -------
    optuna.Study
        On the study's own journal.

    Raises
    ------
    AlreadyExists
        If the study is there and ``resume`` is not set, or another process tunes it.
    InputError
        If the directions, numbers, space or first trials cannot be used or the
        objective cannot be sent.
    EngineError
        If all trials failed, with the first one's error, or Spark failed for good.
    """
    _check(n_trials, n_workers, directions)
    of_trial = objective if space is None else space_objective(objective, space)
    points = points_of(sampler)
    known = check_given(first, of_trial, points)
    folder = storage_folder or study_folder(settings, study_name)
    with _quiet(), open_study(folder, study_name, directions, resume=resume) as study:
        enqueue_first(study, known)
        desk = Desk(study, n_trials, timeout_s, None if points is None else untried(study, points))
        packed = (pack_function(of_trial), pack(_of_workers(sampler, points)), pack(pruner))
        with record_study(settings, study, n_trials=n_trials, n_workers=n_workers) as history:
            told = _Told(study, desk.n_trials, history, on_update)
            try:
                _run(settings, study, desk, packed, n_workers, told)
            except BaseException:
                desk.close("stopped before it ended")
                raise
            finally:
                desk.close()
                result = write_result(study, summarise(study, n_trials), folder)
            drawn = _plots(study, folder) if plots else []
            history.finish(study, result, drawn)
            told.tell()
        _refuse_if_all_failed(study)
    return study


def _run(
    settings: Settings,
    study: "optuna.Study",
    desk: Desk,
    packed: tuple[bytes, bytes, bytes],
    n_workers: int,
    told: "_Told",
) -> None:
    """Run rounds, normally one, until the desk has no trial left."""
    n_vain = n_rounds = 0
    while (n_left := desk.n_left) > 0:
        before = summarise(study, 0).n_ended
        spark = session(settings, f"helikon-tune-{study.study_name}")
        reseed = n_workers > 1 or n_rounds > 0
        bind, host = _place(settings)
        with serve(study._storage, desk.next, desk.close, bind=bind, host=host) as address:
            orders = Orders(address=address, study_name=study.study_name, packed=packed, reseed=reseed)
            n_slots = min(n_workers, n_left)
            work = functools.partial(run_slot, orders)
            label = f"study {study.study_name}"
            try:
                run_partitions(spark, work, n_slots, label=label, on_poll=told.poll)
            except EngineError:
                n_vain = n_vain + 1 if summarise(study, 0).n_ended == before else 0
                if n_vain == _MOST_ROUNDS_WITHOUT_A_TRIAL:
                    raise
        desk.clear()
        n_rounds += 1


class _Told:
    """Tells the caller and MLflow how far a study is."""

    def __init__(
        self,
        study: "optuna.Study",
        n_trials: int,
        history: History,
        on_update: Callable[[StudyUpdate], None] | None,
    ) -> None:
        self._study, self._n_trials, self._history, self._on_update = study, n_trials, history, on_update
        self._states: Counter[str] = Counter()

    def poll(self, _n_ended_tasks: int) -> None:
        """Make the journal durable, record what has ended, and tell; called a few times a second."""
        storage: Any = self._study._storage
        storage.sync()
        self._history.add_ended(self._study)
        self.tell()

    def tell(self) -> None:
        """Tell the caller if anything has changed."""
        states = Counter(trial.state.name for trial in self._study.get_trials(deepcopy=False))
        if self._on_update is not None and states != self._states:
            self._states = states
            self._on_update(summarise(self._study, self._n_trials))


def _plots(study: "optuna.Study", folder: Path) -> list[Path]:
    """Draw a study; without matplotlib there are no plots."""
    if importlib.util.find_spec("matplotlib") is None:
        return []
    from helikon.spark.plots import draw_study

    return draw_study(study, folder / "plots")


def _of_workers(sampler: Any, points: Sequence[Mapping[str, Any]] | None) -> Any:
    """Return what samples in the workers: of a grid nothing, for the desk hands its points out."""
    if not points:
        return sampler
    from helikon.spark.given_only import GivenOnly

    return GivenOnly(list(points[0]))


def _place(settings: Settings) -> tuple[str, str]:
    """Return where the storage listens and what the workers dial."""
    if is_local(settings.spark.master) and not settings.spark.remote:
        return "127.0.0.1", "127.0.0.1"
    host = settings.spark.conf.get("spark.driver.host") or socket.gethostbyname(socket.getfqdn())
    return "0.0.0.0", host


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from logging every trial on the driver, and put it back."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _check(n_trials: int, n_workers: int, directions: Sequence[str]) -> None:
    for name, number in (("trials", n_trials), ("workers", n_workers)):
        if number < 1:
            raise InputError(f"the number of {name} cannot be used", got=number, expected="1 or more")
    if not directions or any(direction not in ("maximize", "minimize") for direction in directions):
        raise InputError("the directions cannot be used", got=directions, expected="maximize or minimize")


def _refuse_if_all_failed(study: "optuna.Study") -> None:
    trials: list[Any] = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
    if trials and all(trial.state.name == "FAIL" for trial in trials):
        raise EngineError(
            f"all {len(trials)} trials of study {study.study_name} failed",
            got=trials[0].user_attrs.get(ERROR),
            next_step="put the objective right, then take another study name",
        )
