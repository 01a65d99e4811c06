import functools

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from helikon.spark.asked import asked_by
from helikon.spark.objectives import space_objective

HIGH = 9


def plain(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    for step in range(3):
        trial.report(rate, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    depth = trial.suggest_int("depth", 2, high=8)
    return (
        depth
        + trial.number
        + trial.suggest_int("top", 0, HIGH)
        + len(trial.suggest_categorical("k", ["a", "b"]))
    )


def test_names_and_ranges_are_read_from_a_functions_source() -> None:
    assert asked_by(plain) == {
        "rate": FloatDistribution(1e-5, 1e-1, log=True),
        "depth": IntDistribution(2, 8),
        "top": None,
        "k": CategoricalDistribution(("a", "b")),
    }


def test_a_parameter_with_two_ranges_has_none_that_is_known() -> None:
    def either(trial: optuna.Trial) -> float:
        return trial.suggest_float("x", 0, 1) if trial.number else trial.suggest_float("x", 0, 2)

    assert asked_by(either) == {"x": None}


def test_of_a_function_with_arguments_filled_in_its_trial_is_found() -> None:
    def shifted(offset: float, trial: optuna.Trial) -> float:
        return trial.suggest_float("x", 0, 1) + offset

    assert asked_by(functools.partial(shifted, 3.0)) == {"x": FloatDistribution(0, 1)}


def test_a_space_says_what_it_holds() -> None:
    own = FloatDistribution(0, 1, step=0.25)
    space = {"a": "2..8", "b": "1e-3..1 log", "c": "x,y", "d": [1, 2], "e": own}
    assert asked_by(space_objective(lambda a, b, c, d, e: 1.0, space)) == {
        "a": IntDistribution(2, 8),
        "b": FloatDistribution(1e-3, 1, log=True),
        "c": CategoricalDistribution(("x", "y")),
        "d": CategoricalDistribution((1, 2)),
        "e": own,
    }


def test_what_does_more_with_its_trial_is_not_known() -> None:
    def computed(trial: optuna.Trial) -> float:
        return trial.suggest_float(f"x{trial.number}", 0, 1)

    def handed_on(trial: optuna.Trial) -> float:
        return plain(trial)

    def renamed(trial: optuna.Trial) -> float:
        other = trial
        return other.suggest_float("x", 0, 1)

    def aliased(trial: optuna.Trial) -> float:
        ask = trial.suggest_float
        return ask("x", 0, 1)

    @functools.wraps(plain)
    def wrapped(trial: optuna.Trial) -> float:
        return plain(trial) + trial.suggest_float("more", 0, 1)

    made: dict = {}
    exec("def nowhere(trial):\n    return trial.suggest_float('x', 0, 1)", made)
    for objective in (
        computed,
        handed_on,
        renamed,
        aliased,
        wrapped,
        made["nowhere"],
        max,
        lambda trial: 1.0,
    ):
        assert asked_by(objective) is None, objective
