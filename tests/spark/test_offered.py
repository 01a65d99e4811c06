"""What ``helikon.spark`` offers by itself: the session, and tuning, as a notebook writes them."""

from collections.abc import Callable

import optuna
import pytest

import helikon.spark
from helikon import spark
from helikon.errors import InputError
from helikon.settings import Settings
from helikon.spark.objectives import space_objective


def bowl(x: float, y: int, side: str = "up") -> float:
    return x**2 + y if side == "up" else -(x**2) - y


def test_the_package_imports_neither_spark_nor_optuna(
    imported: Callable[[str, set[str]], set[str]],
) -> None:
    names = {"helikon.spark", "pyspark", "optuna", "numpy", "pyarrow"}
    assert imported("import helikon.spark", names) == {"helikon.spark"}


def test_all_that_is_offered_is_there_and_nothing_else() -> None:
    assert all(callable(getattr(spark, name)) for name in helikon.spark.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'sessoin'"):
        _ = spark.sessoin


def test_the_session_is_the_one_warm_session(warm: Settings) -> None:
    assert spark.session(warm) is spark.session(warm)
    assert spark.session(warm).range(3).count() == 3


def test_tune_searches_a_space_for_a_function_of_its_parameters(warm: Settings) -> None:
    space = {"x": "-1.0..1.0", "y": "2..5", "side": "up,down"}
    study = spark.tune(bowl, space, settings=warm, n_trials=6, study_name="offered", plots=False)
    for trial in study.trials:
        assert trial.state.name == "COMPLETE"
        assert trial.value == bowl(**trial.params)
        assert set(trial.params) == {"x", "y", "side"}


def test_a_function_of_a_notebook_is_tuned_too(warm: Settings) -> None:
    made: dict = {"__name__": "__main__"}
    exec("def twice(rate):\n    return [rate, 2 * rate]", made)
    study = spark.tune(
        made["twice"],
        {"rate": optuna.distributions.FloatDistribution(0, 1)},
        settings=warm,
        n_trials=2,
        study_name="twice",
        directions=("minimize", "maximize"),
        plots=False,
    )
    assert all(trial.values == [trial.params["rate"], 2 * trial.params["rate"]] for trial in study.trials)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({}, "there is nothing to search"),
        ({"x": "1..2"}, r"does not take the parameters.*missing a required argument: 'y'.*called with x"),
        ({"x": "1..2", "y": "1..2", "z": "1..2"}, "unexpected keyword argument 'z'"),
        ({"x": "2..1", "y": "1..2"}, "a range to search is empty"),
    ],
)
def test_a_space_that_cannot_be_used_is_a_clear_error(space: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        space_objective(bowl, space)
