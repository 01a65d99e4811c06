import inspect

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from helikon.errors import InputError
from helikon.spark.choices import PRUNERS, SAMPLERS, make_pruner, make_sampler, read_options

NEEDED = {
    "grid": {"search_space": {"x": [0.25, 0.5], "kind": ["a", "b"]}},
    "partial-fixed": {"fixed_params": {"x": 0.5}, "base_sampler": "random"},
    "percentile": {"percentile": 25.0},
    "threshold": {"upper": 1.0},
    "patient": {"wrapped_pruner": "median", "patience": 2},
}


def classes(module: object, base: type) -> set[str]:
    """Return the names of Optuna's own classes of a kind that can be made."""
    found = (getattr(module, name) for name in module.__all__)
    return {
        one.__name__
        for one in found
        if inspect.isclass(one) and issubclass(one, base) and not inspect.isabstract(one)
    }


def test_all_of_optunas_samplers_and_pruners_have_a_name() -> None:
    assert set(SAMPLERS.values()) == classes(optuna.samplers, optuna.samplers.BaseSampler)
    assert set(PRUNERS.values()) == classes(optuna.pruners, optuna.pruners.BasePruner)


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_samples(name: str) -> None:
    space = {"x": FloatDistribution(0, 1), "kind": CategoricalDistribution(["a", "b"])}
    if name == "brute-force":
        space["x"] = FloatDistribution(0, 1, step=0.5)
    study = optuna.create_study(sampler=make_sampler(name, seed=1, options=NEEDED.get(name)))
    for _ in range(3):
        trial = study.ask(space)
        study.tell(trial, trial.params["x"])
    assert {trial.params["kind"] for trial in study.trials} <= {"a", "b"}
    assert name != "partial-fixed" or {trial.params["x"] for trial in study.trials} == {0.5}


@pytest.mark.parametrize("name", PRUNERS)
def test_every_pruner_judges(name: str) -> None:
    study = optuna.create_study(pruner=make_pruner(name, options=NEEDED.get(name)))
    trial = study.ask()
    trial.report(2.0, 0)
    assert trial.should_prune() is (name == "threshold")


def test_a_seed_repeats_a_search() -> None:
    def drawn() -> list[float]:
        study = optuna.create_study(sampler=make_sampler("tpe", seed=3, options={"multivariate": True}))
        return [study.ask({"x": FloatDistribution(0, 1)}).params["x"] for _ in range(3)]

    assert drawn() == drawn()


def test_options_are_read_as_yaml() -> None:
    pairs = ["multivariate=true", "n=3", "space={x: [1, 2]}", "name=a=b", "nothing=", "small=[1e-3, -2E+1]"]
    assert read_options(pairs) == {
        "multivariate": True,
        "n": 3,
        "space": {"x": [1, 2]},
        "name": "a=b",
        "nothing": None,
        "small": [0.001, -20.0],
    }


@pytest.mark.parametrize(("text", "message"), [("novalue", "expected key=value"), ("a=[", "expected YAML")])
def test_an_option_that_cannot_be_read_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_options([text])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("annealing", {}, "there is no sampler annealing: expected one of tpe, random"),
        ("tpe", {"colour": 1}, "sampler tpe has no option colour: expected one of .*multivariate"),
        ("grid", {}, "sampler grid cannot be made: got missing 1 required"),
    ],
)
def test_what_cannot_be_made_is_explained(name: str, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_sampler(name, options=options)
    with pytest.raises(InputError, match="there is no pruner"):
        make_pruner(name)
