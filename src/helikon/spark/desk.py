"""The desk hands out trials: on the driver, one at a time, so that exactly as many are run as asked for.

A worker's slot has one trial at a time. When a slot asks for the next while
its last one still runs, the worker that had it is dead; its successor gets
the same trial again, with the parameters that are set already.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helikon.spark.failures import ERROR, STOPPED
from helikon.spark.given import enqueue

if TYPE_CHECKING:
    import optuna

__all__ = ["Desk"]

_MOST_STARTS = 2


class Desk:
    """Hands out the trials of a study.

    Parameters
    ----------
    study : optuna.Study
        On the driver, on the storage itself.
    n_trials : int
        How many trials shall have ended in the end, those of earlier runs too.
    timeout_s : float, optional
        Seconds after which no trial is handed out any more.
    points : sequence of mapping, optional
        Of a grid: what new trials are given, in this order, besides those that wait already.

    Attributes
    ----------
    n_trials : int
        How many trials the study has in the end: as asked for, or fewer where a grid has no more.
    """

    def __init__(
        self,
        study: "optuna.Study",
        n_trials: int,
        timeout_s: float | None = None,
        points: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        self._study = study
        self._lock = threading.Lock()
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._held: dict[int, int] = {}
        self._starts: Counter[int] = Counter()
        self._is_open = True
        self._lost = _running(study)
        n_had = _n_counted(study) + len(self._lost)
        self._n_new = max(0, n_trials - n_had)
        self._points = None if points is None else deque(points)
        if self._points is not None:
            self._n_new = min(self._n_new, len(self._points) + len(_waiting(study)))
        self.n_trials = min(n_trials, n_had + self._n_new)

    @property
    def n_left(self) -> int:
        """Trials that are still to be handed out, those whose worker died too."""
        with self._lock:
            return self._n_new + len(self._lost) if self._takes_orders() else 0

    def next(self, slot: int) -> int | None:
        """Return the identifier of the trial that a slot runs next, or nothing if it can go home."""
        with self._lock:
            self._clear(slot)
            if not self._takes_orders():
                return None
            trial_id = self._lost.pop(0) if self._lost else self._new()
            if trial_id is not None:
                self._held[slot] = trial_id
                self._starts[trial_id] += 1
            return trial_id

    def clear(self) -> None:
        """Take back the trials of all slots, once no worker is there any more."""
        with self._lock:
            for slot in list(self._held):
                self._clear(slot)

    def close(self, reason: str | None = None) -> None:
        """Hand out nothing more; with a reason, fail what still runs."""
        with self._lock:
            self._is_open = False
            if reason is not None:
                for trial_id in _running(self._study):
                    self._study._storage.set_trial_user_attr(trial_id, STOPPED, True)
                    self._fail(trial_id, reason)

    def _takes_orders(self) -> bool:
        return self._is_open and (self._deadline is None or time.monotonic() < self._deadline)

    def _new(self) -> int | None:
        if self._n_new == 0:
            return None
        self._n_new -= 1
        if self._points and not _waiting(self._study):
            enqueue(self._study, self._points.popleft())
        return int(self._study.ask()._trial_id)

    def _clear(self, slot: int) -> None:
        """See to the trial that a slot had."""
        trial_id = self._held.pop(slot, None)
        if trial_id is None or self._study._storage.get_trial(trial_id).state.is_finished():
            return
        if self._starts[trial_id] < _MOST_STARTS:
            self._lost.append(trial_id)
        else:
            self._fail(trial_id, f"its worker was killed {_MOST_STARTS} times (out of memory?)")

    def _fail(self, trial_id: int, reason: str) -> None:
        from optuna.trial import TrialState

        storage = self._study._storage
        storage.set_trial_user_attr(trial_id, ERROR, reason)
        storage.set_trial_state_values(trial_id, state=TrialState.FAIL)


def _running(study: "optuna.Study") -> list[int]:
    from optuna.trial import TrialState

    return [trial._trial_id for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))]


def _waiting(study: "optuna.Study") -> "Sequence[optuna.trial.FrozenTrial]":
    from optuna.trial import TrialState

    found: Sequence[optuna.trial.FrozenTrial] = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    return found


def _n_counted(study: "optuna.Study") -> int:
    trials: Sequence[optuna.trial.FrozenTrial] = study.get_trials(deepcopy=False)
    return sum(trial.state.is_finished() and STOPPED not in trial.user_attrs for trial in trials)
