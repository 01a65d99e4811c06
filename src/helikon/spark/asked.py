"""What an objective asks for, as far as it can be known before it runs: names and ranges of its parameters.

An objective made of a space says it. Of a function it is read from its source:
all that it does with its trial must stand there, ``trial.suggest_float("rate",
0, 1)``. Where a name is computed, or the trial is handed on, nothing is known.
"""

import ast
import functools
import inspect
import textwrap
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from helikon.spark.objectives import SpaceObjective
from helikon.spark.ranges import distribution_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["Asked", "asked_by"]

Asked = Mapping[str, "BaseDistribution | None"]
"""Name of each parameter to its range, or nothing where that is computed."""


def asked_by(objective: Callable[..., Any]) -> "dict[str, BaseDistribution | None] | None":
    """Return what an objective asks its trial for; nothing if that is not known before it runs."""
    if isinstance(objective, SpaceObjective):
        return {name: distribution_of(what) for name, what in objective.space.items()}
    position = 0
    while isinstance(objective, functools.partial):
        position += len(objective.args)
        objective = objective.func
    if not inspect.isfunction(objective):
        return None
    try:
        source = textwrap.dedent(inspect.getsource(objective.__code__))
        function = ast.parse(source).body[0]
        trial = list(inspect.signature(objective, follow_wrapped=False).parameters)[position]
    except (OSError, SyntaxError, IndexError):
        return None
    return _read(function, trial) if isinstance(function, ast.FunctionDef) else None


def _read(function: ast.FunctionDef, trial: str) -> "dict[str, BaseDistribution | None] | None":
    """Read what a function does with its trial; nothing if it does more than ask for what is named."""
    found: dict[str, BaseDistribution | None] = {}
    calls = [node for node in ast.walk(function) if _is_suggestion(node, trial)]
    n_read = sum(_is_plain_use(node, trial) for node in ast.walk(function)) + len(calls)
    if n_read != sum(isinstance(node, ast.Name) and node.id == trial for node in ast.walk(function)):
        return None
    for call in calls:
        name = call.args[0].value  # type: ignore[attr-defined]
        what = _range(call)  # type: ignore[arg-type]
        found[name] = what if found.get(name, what) == what else None
    return found


def _is_suggestion(node: ast.AST, trial: str) -> bool:
    """Whether this is ``trial.suggest_…("name", …)``."""
    match node:
        case ast.Call(
            func=ast.Attribute(
                value=ast.Name(id=name), attr="suggest_float" | "suggest_int" | "suggest_categorical"
            ),
            args=[ast.Constant(value=str()), *_],
        ):
            return name == trial
    return False


def _is_plain_use(node: ast.AST, trial: str) -> bool:
    """Whether this is ``trial.something`` that asks for no parameter."""
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr=what):
            return name == trial and not what.startswith(("suggest", "_"))
    return False


def _range(call: ast.Call) -> "BaseDistribution | None":
    from optuna import distributions

    made = {
        "suggest_float": distributions.FloatDistribution,
        "suggest_int": distributions.IntDistribution,
        "suggest_categorical": distributions.CategoricalDistribution,
    }[call.func.attr]  # type: ignore[attr-defined]
    try:
        given = [ast.literal_eval(one) for one in call.args[1:]]
        named = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: BaseDistribution = made(*given, **named)
    except (ValueError, TypeError, SyntaxError):
        return None
    return found
