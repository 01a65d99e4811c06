"""Trials whose parameters are given: what is known to be good comes first, and a grid has its points.

The desk hands them out like all others, so that each is tried once, however
many workers there are and however often the study is stopped or killed.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helikon.errors import InputError
from helikon.spark.asked import Asked, asked_by
from helikon.spark.failures import STOPPED

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

__all__ = ["POINT", "check_given", "enqueue", "enqueue_first", "points_of", "untried"]

POINT = "helikon:point"
"""System attribute of a trial that has a point of a grid."""
Params = Mapping[str, Any]


def points_of(sampler: Any) -> list[dict[str, Any]] | None:
    """Return the points of Optuna's grid sampler in its order; nothing of other samplers."""
    from optuna.samplers import GridSampler

    if type(sampler) is not GridSampler:
        return None
    names: list[str] = sampler._param_names
    points = (dict(zip(names, values, strict=True)) for values in sampler._all_grids)
    return list({_key(point, names): point for point in points}.values())


def check_given(
    first: Sequence[Params], objective: Callable[..., Any], points: Sequence[Params] | None
) -> list[dict[str, Any]]:
    """Return the parameters of first trials as the objective takes them.

    Parameters
    ----------
    first : sequence of mapping
        Parameters by their names.
    objective : callable
        What is tuned; if it is not known what it asks for, all is taken as it is.
    points : sequence of mapping, optional
        Of a grid, whose trials have all of its parameters.

    Raises
    ------
    InputError
        If the objective does not ask for a parameter, a value is out of its
        range, or one of a grid's parameters is left out.
    """
    asked = asked_by(objective) if first else None
    for params in first:
        if lacking := [name for name in (points or [{}])[0] if name not in params]:
            raise InputError(
                f"a first trial leaves out {lacking[0]}",
                got=_written(params),
                expected="all parameters of the grid",
            )
    return [dict(params) if asked is None else _fitted(params, asked) for params in first]


def enqueue_first(study: "optuna.Study", first: Iterable[Params]) -> None:
    """Let the study begin with these trials; those that it has had, or is about to have, are left out."""
    for params in first:
        had = (_given(trial) for trial in _counted(study))
        if all(_key(one, one) != _key(params, params) for one in had):
            study.enqueue_trial(dict(params))


def untried(study: "optuna.Study", points: Sequence[Params]) -> list[Params]:
    """Return the points of a grid that no trial has, but for trials that were stopped."""
    names = points[0].keys() if points else set()
    had = ({**_given(trial), **trial.params} for trial in _counted(study))
    tried = {_key(params, names) for params in had if names <= params.keys()}
    return [point for point in points if _key(point, names) not in tried]


def enqueue(study: "optuna.Study", point: Params) -> None:
    """Let a point of a grid be the next trial; it is written down in one line, so that no kill parts it."""
    from optuna.trial import TrialState, create_trial

    attributes = {"fixed_params": dict(point), POINT: True}
    study.add_trial(create_trial(state=TrialState.WAITING, system_attrs=attributes))


def _counted(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    return [trial for trial in study.get_trials(deepcopy=False) if STOPPED not in trial.user_attrs]


def _given(trial: "optuna.trial.FrozenTrial") -> dict[str, Any]:
    found: dict[str, Any] = trial.system_attrs.get("fixed_params", trial.params)
    return found


def _key(params: Params, names: Iterable[str]) -> str:
    """Return what tells points apart: whole numbers and the same floats are one."""
    chosen = {name: params[name] for name in names}
    numbers = {name: float(one) for name, one in chosen.items() if type(one) is int}
    return json.dumps(chosen | numbers, sort_keys=True, default=repr)


def _fitted(params: Params, asked: Asked) -> dict[str, Any]:
    if unknown := [name for name in params if name not in asked]:
        raise InputError(
            f"a first trial gives {unknown[0]}, which the objective does not ask for",
            got=_written(params),
            expected=f"one of {', '.join(asked)}" if asked else "nothing, for it asks for nothing",
        )
    return {name: _value(name, value, asked[name]) for name, value in params.items()}


def _value(name: str, value: Any, what: "BaseDistribution | None") -> Any:
    """Return a value as the objective will get it: a number as a number, a word as a word."""
    from optuna.distributions import CategoricalDistribution

    if what is None:
        return value
    if isinstance(what, CategoricalDistribution) and value not in what.choices and str(value) in what.choices:
        return str(value)
    try:
        inside = what.to_internal_repr(value)
        if what._contains(inside):
            return what.to_external_repr(inside)
    except (ValueError, TypeError):
        pass
    raise InputError(f"a first trial gives {name} a value out of its range", got=value, expected=_range(what))


def _range(what: Any) -> str:
    from optuna.distributions import CategoricalDistribution

    if isinstance(what, CategoricalDistribution):
        return f"one of {', '.join(str(one) for one in what.choices)}"
    steps = f" in steps of {what.step:g}" if what.step not in (None, 1) else ""
    return f"{what.low:g} to {what.high:g}{steps}" + (", whole" if isinstance(what.low, int) else "")


def _written(params: Params) -> str:
    return ",".join(f"{name}={value}" for name, value in params.items())
