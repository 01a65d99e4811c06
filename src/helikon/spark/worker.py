"""What runs in a Spark task during a study: ask the desk for a trial, run it, tell, until there is none."""

import dataclasses
import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from helikon.spark.failures import ERROR
from helikon.spark.given import POINT
from helikon.spark.shipping import unpack, unpack_function
from helikon.spark.storage import Address, ask_desk, connect, stop_desk

if TYPE_CHECKING:
    import optuna

__all__ = ["Orders", "run_slot"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What all slots of a study are told.

    Attributes
    ----------
    address : Address
        Of the storage and the desk.
    study_name : str
        Of the study.
    packed : bytes
        The objective, the sampler and the pruner, as ``shipping`` packs them.
    reseed : bool
        Whether the sampler draws other numbers in every slot.
    """

    address: Address
    study_name: str
    packed: tuple[bytes, bytes, bytes]
    reseed: bool


def run_slot(orders: Orders, slot: int) -> bytes:
    """Run trials until the desk has none left; returns how many, as decimal text."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    objective = unpack_function(orders.packed[0])
    sampler, pruner = unpack(orders.packed[1]), unpack(orders.packed[2])
    if orders.reseed and sampler is not None:
        sampler.reseed_rng()
    storage, channel = connect(orders.address)
    n_run = 0
    with channel, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The reported value is ignored")
        warnings.filterwarnings("ignore", message="Fixed parameter")  # such a trial fails, and says so
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.load_study(
            study_name=orders.study_name, storage=storage, sampler=sampler, pruner=pruner
        )
        study._thread_local.in_optimize_loop = True  # so that objectives and samplers may end the study
        while (trial_id := ask_desk(channel, slot)) is not None:
            run_trial(study, trial_id, objective)
            n_run += 1
            if study._stop_flag:
                stop_desk(channel)
    return str(n_run).encode()


def run_trial(study: "optuna.Study", trial_id: int, objective: Callable[..., Any]) -> None:
    """Run one trial and tell how it ended; an exception is a failed trial, and no more."""
    import optuna

    trial = optuna.trial.Trial(study, trial_id)
    try:
        values = _checked(objective(trial), len(study.directions))
        _check_given(study, trial_id)
    except optuna.TrialPruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except Exception as error:
        trial.set_user_attr(ERROR, f"{type(error).__name__}: {error}".splitlines()[0][:500])
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    else:
        study.tell(trial, values)


def _check_given(study: "optuna.Study", trial_id: int) -> None:
    """Raise ValueError if a trial did not ask for what it was given, or not within a range that holds it."""
    trial = study._storage.get_trial(trial_id)
    if POINT in trial.system_attrs:  # a grid may hold what is asked for in some of its points alone
        return
    for name, value in trial.system_attrs.get("fixed_params", {}).items():
        if name not in trial.params:
            asked = f"; it asks for {', '.join(trial.params)}" if trial.params else ""
            raise ValueError(f"the objective asks for no {name}, which was given{asked}")
        asked = trial.distributions[name]
        if not asked._contains(asked.to_internal_repr(value)):
            raise ValueError(f"{name} = {value} was given and is not in the range that is searched")


def _checked(returned: Any, n_values: int) -> list[float]:
    """Return an objective's value or values as finite or infinite floats."""
    given = list(returned) if isinstance(returned, tuple | list) else [returned]
    values = [float(value) for value in given]
    if len(values) != n_values:
        raise ValueError(f"the objective returned {len(values)} values, not {n_values}")
    if any(math.isnan(value) for value in values):
        raise ValueError("the objective returned NaN")
    return values
