"""Ready objectives: a function and a space, a scikit-learn estimator by cross-validation, a training recipe.

All are plain functions of a trial that can be sent to workers. A recipe is
trained by a process of its own (``recipe_trial.py``), which ends with its worker.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helikon.apps import find_recipe
from helikon.errors import InputError
from helikon.settings import Settings
from helikon.spark.ranges import Choice, Range, read_space, suggest
from helikon.spark.shipping import pack_function, unpack_function

if TYPE_CHECKING:
    import optuna

__all__ = ["SpaceObjective", "recipe_objective", "sklearn_objective", "space_objective"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SpaceObjective:
    """An objective that says what it searches.

    Attributes
    ----------
    function : callable
        Takes the space and a trial.
    space : Mapping[str, range]
        Parameter to what is searched: a Range, a Choice, values, or an Optuna distribution.
    """

    function: Callable[..., float | Sequence[float]]
    space: Mapping[str, Any]

    def __call__(self, trial: "optuna.Trial") -> float | Sequence[float]:
        """Return a trial's value, or values."""
        return self.function(self.space, trial)


def space_objective(
    function: Callable[..., float | Sequence[float]], space: Mapping[str, Any]
) -> SpaceObjective:
    """Return an objective: what a function returns for parameters by their names.

    Parameters
    ----------
    function : callable
        Takes the parameters as keywords, and returns a value, or values.
    space : Mapping[str, range]
        As :func:`sklearn_objective` takes it.

    Raises
    ------
    InputError
        If nothing is searched, the function does not take these parameters, it
        cannot be sent, or a range cannot be read.
    """
    if not space:
        raise InputError("there is nothing to search", expected='{"rate": "1e-5..1e-2 log"}, say')
    read = {key: _read(key, one) for key, one in space.items()}
    try:
        inspect.signature(function).bind(**read)
    except TypeError as error:
        raise InputError(
            "the objective does not take the parameters of the space",
            got=str(error),
            expected=f"it can be called with {', '.join(read)}",
        ) from error
    except ValueError:  # a function of C does not say what it takes
        pass
    return SpaceObjective(function=functools.partial(_of_space, pack_function(function)), space=read)


def sklearn_objective(
    estimator: Any,
    space: Mapping[str, Any],
    x: Any,
    y: Any = None,
    *,
    scoring: str | Callable[..., float] | None = None,
    cv: Any = 5,
    groups: Any = None,
) -> SpaceObjective:
    """Return an objective: the mean score of an estimator in cross-validation.

    The folds are scored one by one and their running mean is reported, so that
    a pruner ends a poor trial early. The data travel to every worker once.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Cloned for every fold; a pipeline is one too.
    space : Mapping[str, range]
        Parameter, as ``set_params`` takes it (``svc__C``), to what is
        searched: text (``"1e-3..1e3 log"``, ``"2..8"``, ``"rbf,linear"``), a
        sequence of values, or an Optuna distribution.
    x : array-like of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,), optional
        Targets.
    scoring : str or callable, optional
        scikit-learn's; by default the estimator's own score.
    cv : int or splitter
        Folds; classes keep their shares, as in scikit-learn.
    groups : array-like of shape (n_samples,), optional
        Samples of one group stay together, if the splitter heeds them.

    Raises
    ------
    InputError
        If the estimator has no such parameter, or a range cannot be read.
    """
    known = estimator.get_params()
    if unknown := [key for key in space if key not in known]:
        raise InputError(
            f"{type(estimator).__name__} has no parameter {unknown[0]}",
            expected=f"one of {', '.join(sorted(known))}",
        )
    read = {key: _read(key, one) for key, one in space.items()}
    score = functools.partial(_cross_validated, estimator, (x, y, groups), scoring, cv)
    return SpaceObjective(function=score, space=read)


def recipe_objective(
    settings: Settings,
    recipe: str,
    *,
    fixed: Sequence[str] = (),
    searched: Sequence[str] = (),
    metric: str | None = None,
) -> SpaceObjective:
    """Return an objective: a figure of a training recipe's record, at its end.

    What the recipe records on the way is reported, so that a pruner ends a poor
    trial early.

    Parameters
    ----------
    settings : Settings
        Of the training; a trial's folder is ``<state_dir>/training/<study>-<trial>``.
    recipe : str
        ``APP/RECIPE``, or ``module:function``.
    fixed : sequence of str
        ``key=value`` options that stay as they are.
    searched : sequence of str
        ``key=range`` options that are searched; see :mod:`helikon.spark.ranges`.
    metric : str, optional
        The figure; ``loss`` by default.

    Raises
    ------
    NotFound
        If no application offers the recipe.
    InputError
        If an option or a range cannot be read, or nothing is searched.
    """
    from helikon.spark.recipe_trial import Training, train_trial

    if ":" not in recipe:
        find_recipe(recipe)
    space = read_space(list(searched))
    if not space:
        raise InputError("there is nothing to search", expected='--search KEY=RANGE, as "rate=1e-5..1e-2"')
    if wrong := [pair for pair in fixed if "=" not in pair]:
        raise InputError("an option of a recipe cannot be read", got=repr(wrong[0]), expected="key=value")
    training = Training(
        recipe=recipe,
        options=tuple(fixed),
        metric=metric or "loss",
        settings=settings.model_dump(mode="json"),
    )
    return SpaceObjective(function=functools.partial(train_trial, training), space=space)


def _read(key: str, one: Any) -> Any:
    if isinstance(one, str):
        return read_space([f"{key}={one}"])[key]
    return one


def _of_space(packed: bytes, space: dict[str, Any], trial: "optuna.Trial") -> float | Sequence[float]:
    found: float | Sequence[float] = _unpacked(packed)(
        **{key: _drawn(trial, key, what) for key, what in space.items()}
    )
    return found


@functools.lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> Callable[..., Any]:
    return unpack_function(packed)


def _cross_validated(
    estimator: Any,
    data: tuple[Any, Any, Any],
    scoring: Any,
    cv: Any,
    space: dict[str, Any],
    trial: "optuna.Trial",
) -> float:
    """Score the folds one by one."""
    import numpy as np
    import optuna
    from sklearn.base import clone, is_classifier
    from sklearn.metrics import check_scoring
    from sklearn.model_selection import check_cv
    from sklearn.utils import _safe_indexing as part

    x, y, groups = data
    one = clone(estimator).set_params(**{key: _drawn(trial, key, what) for key, what in space.items()})
    score, scores = check_scoring(one, scoring), []
    folds = check_cv(cv, y, classifier=is_classifier(one)).split(x, y, groups)
    for number, (train, test) in enumerate(folds):
        targets = [() if y is None else (part(y, rows),) for rows in (train, test)]
        fitted = clone(one).fit(part(x, train), *targets[0])
        scores.append(score(fitted, part(x, test), *targets[1]))
        trial.report(float(np.mean(scores)), number)
        if trial.should_prune():
            raise optuna.TrialPruned
    trial.set_user_attr("score_std", float(np.std(scores)))
    return float(np.mean(scores))


def _drawn(trial: "optuna.Trial", key: str, what: Any) -> Any:
    if isinstance(what, Range | Choice):
        return suggest(trial, {key: what})[key]
    if isinstance(what, list | tuple):
        return trial.suggest_categorical(key, what)
    return trial._suggest(key, what)
