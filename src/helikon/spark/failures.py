"""Trials that failed: how they are marked, and their causes, told together where they are the same."""

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import optuna

__all__ = ["ERROR", "STOPPED", "Failure", "failures_of"]

STOPPED = "helikon:stopped"
"""Attribute of a trial that failed because the study was stopped; it does not count."""
ERROR = "helikon:error"
"""Attribute of a trial that failed: why, in one line."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why trials failed.

    Attributes
    ----------
    cause : str
        In one line.
    trials : tuple of int
        Numbers of the trials that failed of it, in order.
    """

    cause: str
    trials: tuple[int, ...]


def failures_of(study: "optuna.Study") -> tuple[Failure, ...]:
    """Return the causes of a study's failed trials, those of most trials first."""
    from optuna.trial import TrialState

    numbers: dict[str, list[int]] = {}
    for trial in study.get_trials(deepcopy=False, states=(TrialState.FAIL,)):
        numbers.setdefault(str(trial.user_attrs.get(ERROR, "no cause was told")), []).append(trial.number)
    found = [Failure(cause=cause, trials=tuple(trials)) for cause, trials in numbers.items()]
    return tuple(sorted(found, key=lambda one: (-len(one.trials), one.trials)))
