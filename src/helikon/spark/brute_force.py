"""Optuna's brute-force sampler for studies behind gRPC, which gives a trial's parameters back in any order.

The sampler walks a tree of parameters in the order in which trials suggested
them. So each trial writes its order down, and is put into it before it is looked at.
"""

import copy
from collections.abc import Sequence
from typing import Any

import optuna

__all__ = ["BruteForceSampler"]

_ORDER = "helikon:order"


class BruteForceSampler(optuna.samplers.BruteForceSampler):  # type: ignore[misc]
    """Tries every combination once, in whatever order the storage gives parameters back."""

    def sample_independent(
        self, study: optuna.Study, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        """See Optuna."""
        storage = study._storage
        before = storage.get_trial_system_attrs(trial._trial_id).get(_ORDER, [])
        storage.set_trial_system_attr(trial._trial_id, _ORDER, [*before, param_name])
        return super().sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: Any, state: Any, values: Sequence[float] | None
    ) -> None:
        """See Optuna."""
        super().after_trial(study, _in_order(trial), state, values)

    @staticmethod
    def _populate_tree(tree: Any, trials: list[Any], params: dict[str, Any]) -> None:
        ordered = [_in_order(trial) for trial in trials]
        optuna.samplers.BruteForceSampler._populate_tree(tree, ordered, params)


def _in_order(trial: Any) -> Any:
    """Return a trial with its parameters as they were suggested; as it is, if it did not write them down."""
    order = [name for name in trial.system_attrs.get(_ORDER, ()) if name in trial.params]
    if len(order) != len(trial.params):
        return trial
    found = copy.copy(trial)
    found.params = {name: trial.params[name] for name in order}
    found.distributions = {name: trial.distributions[name] for name in order}
    return found
