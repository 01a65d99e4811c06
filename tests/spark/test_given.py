import math
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from helikon.errors import InputError
from helikon.spark.choices import make_sampler
from helikon.spark.desk import Desk
from helikon.spark.given import check_given, enqueue_first, points_of, untried
from helikon.spark.objectives import space_objective
from helikon.spark.study import open_study

GRID = {"x": [0, 1, 2], "kind": ["a", "b"]}


def points(seed: int = 1, **grid: list[object]) -> list[dict[str, object]]:
    found = points_of(make_sampler("grid", seed=seed, options={"search_space": grid or GRID}))
    assert found is not None
    return found


def run(study: optuna.Study, trial_id: int, state: TrialState = TrialState.COMPLETE) -> tuple[object, ...]:
    """Ask for the parameters as an objective does, and end the trial."""
    trial = optuna.trial.Trial(study, trial_id)
    found = (trial.suggest_int("x", 0, 2), trial.suggest_categorical("kind", ["a", "b"]))
    study._storage.set_trial_state_values(trial_id, state, [1.0] if state is TrialState.COMPLETE else None)
    return found


def all_of(study: optuna.Study, desk: Desk) -> list[tuple[object, ...]]:
    tried = []
    while (trial_id := desk.next(0)) is not None:
        tried.append(run(study, trial_id))
    return tried


def test_each_point_of_a_grid_is_handed_out_once_and_then_none() -> None:
    study = optuna.create_study(direction="maximize")
    desk = Desk(study, 50, points=points())
    assert desk.n_trials == 6
    tried = all_of(study, desk)
    assert len(tried) == len(set(tried)) == 6
    assert desk.n_left == 0
    assert untried(study, points(seed=7)) == []


def test_a_grid_goes_on_after_a_kill_with_another_seed_and_a_stop(tmp_path: Path) -> None:
    with open_study(tmp_path, "s", ["maximize"], resume=False) as study:
        desk = Desk(study, 50, points=points())
        first = [run(study, desk.next(0)), run(study, desk.next(1), TrialState.FAIL)]
        desk.next(0)  # the driver is killed with these two running
        desk.next(1)
    with open_study(tmp_path, "s", ["maximize"], resume=True) as study:
        desk = Desk(study, 50, points=untried(study, points(seed=9)))
        assert (desk.n_left, desk.n_trials) == (4, 6)
        first.append(run(study, desk.next(0)))
        desk.next(0)
        desk.next(1)
        desk.close("stopped before it ended")
    with open_study(tmp_path, "s", ["maximize"], resume=True) as study:
        left = untried(study, points())
        assert len(left) == 3
        first += all_of(study, Desk(study, 50, points=left))
        assert len(first) == len(set(first)) == 6
        assert untried(study, points()) == []


def test_a_grid_that_grew_has_its_new_points_tried_alone() -> None:
    study = optuna.create_study(direction="maximize")
    all_of(study, Desk(study, 50, points=points(x=[0, 1], kind=["a"])))
    left = untried(study, points(x=[0.0, 1.0, 2.0], kind=["a"]))
    assert left == [{"kind": "a", "x": 2.0}]


def test_what_comes_first_is_of_the_grid_too_and_points_that_are_there_twice_are_one() -> None:
    study = optuna.create_study(direction="maximize")
    enqueue_first(study, [{"x": 1, "kind": "b"}])
    left = untried(study, points(x=[0, 1, 1], kind=["a", "b"]))
    assert len(left) == 3
    assert all_of(study, Desk(study, 50, points=left))[0] == (1, "b")
    assert len(study.trials) == 4


def test_nan_and_nothing_are_points_like_others() -> None:
    study = optuna.create_study()
    grid = points(x=[math.nan, None, 1.0])
    assert len(grid) == 3
    desk = Desk(study, 9, points=grid)
    while (trial_id := desk.next(0)) is not None:
        optuna.trial.Trial(study, trial_id).suggest_categorical("x", [math.nan, None, 1.0])
        study._storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [1.0])
    assert untried(study, grid) == []


def test_a_first_trial_that_was_stopped_comes_first_again() -> None:
    study = optuna.create_study()
    for _ in range(2):
        enqueue_first(study, [{"x": 0.25}])
    assert len(study.trials) == 1
    desk = Desk(study, 3)
    desk.next(0)
    desk.close("stopped before it ended")
    enqueue_first(study, [{"x": 0.25}])
    assert [trial.state.name for trial in study.trials] == ["FAIL", "WAITING"]


def loss(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("rate", 1e-5, 0.1, log=True)
    return (
        rate
        * trial.suggest_int("depth", 2, 8, step=2)
        * (trial.suggest_categorical("kind", ["a", "b"]) == "a")
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"rat": 0.01},
            "gives rat, which the objective does not ask for: got rat=0.01, expected one of rate, dep",
        ),
        ({"rate": 1}, "gives rate a value out of its range: got 1, expected 1e-05 to 0.1"),
        ({"rate": "fast"}, "got fast, expected 1e-05 to 0.1"),
        ({"depth": 3}, "got 3, expected 2 to 8 in steps of 2, whole"),
        ({"kind": "c"}, "got c, expected one of a, b"),
    ],
)
def test_what_an_objective_does_not_ask_for_is_refused(params: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_given([{"rate": 0.01}, params], loss, None)


def test_values_come_as_the_objective_will_get_them() -> None:
    given = [{"rate": "1e-3", "depth": 4.0, "kind": "b"}]
    assert check_given(given, loss, None) == [{"rate": 0.001, "depth": 4, "kind": "b"}]
    of_space = space_objective(lambda size, on: 1.0, {"size": "16,32", "on": [True, False]})
    assert check_given([{"size": 16, "on": False}], of_space, None) == [{"size": "16", "on": False}]
    with pytest.raises(InputError, match="expected one of size, on"):
        check_given([{"sise": 16}], of_space, None)


def test_what_is_not_known_before_it_runs_is_taken_as_it_is() -> None:
    def computed(trial: optuna.Trial) -> float:
        return sum(trial.suggest_float(f"x{i}", 0, 1) for i in range(3))

    assert check_given([{"x7": 1}], computed, None) == [{"x7": 1}]


def test_a_first_trial_of_a_grid_needs_all_of_its_parameters() -> None:
    with pytest.raises(InputError, match="leaves out kind: got x=1, expected all parameters of the grid"):
        check_given([{"x": 1}], loss, points())
