"""A sampler that samples nothing: for trials that the desk hands out whole, as those of a grid."""

from collections.abc import Sequence
from typing import Any

import optuna

__all__ = ["GivenOnly"]


class GivenOnly(optuna.samplers.BaseSampler):  # type: ignore[misc]
    """Fails a trial that asks for what it was not given.

    Optuna's grid sampler chooses a point in each worker by what it sees of the
    others, so that two may choose the same.

    Parameters
    ----------
    names : sequence of str
        What trials are given.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)

    def infer_relative_search_space(self, study: optuna.Study, trial: Any) -> dict[str, Any]:
        """See Optuna."""
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: Any, search_space: dict[str, Any]
    ) -> dict[str, Any]:
        """See Optuna."""
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        """See Optuna."""
        raise ValueError(f"the grid has no {param_name}: it has {', '.join(self._names)}")
