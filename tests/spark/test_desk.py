import optuna
import pytest
from optuna.trial import TrialState

from helikon.spark.desk import Desk


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(direction="maximize")


def states(study: optuna.Study) -> list[str]:
    return [trial.state.name for trial in study.trials]


def end(study: optuna.Study, trial_id: int) -> None:
    study._storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [1.0])


def test_as_many_trials_are_handed_out_as_asked_for(study: optuna.Study) -> None:
    desk = Desk(study, 3)
    for slot in (0, 1, 0):
        end(study, desk.next(slot))
    assert desk.next(1) is None
    assert desk.n_left == 0
    assert states(study) == ["COMPLETE"] * 3


def test_the_successor_of_a_dead_worker_gets_the_same_trial(study: optuna.Study) -> None:
    desk = Desk(study, 1)
    first = desk.next(0)
    assert desk.next(0) == first
    end(study, first)
    assert desk.next(0) is None
    assert states(study) == ["COMPLETE"]


def test_a_trial_that_kills_two_workers_has_failed(study: optuna.Study) -> None:
    desk = Desk(study, 2)
    first = desk.next(0)
    desk.next(0)
    second = desk.next(0)
    assert second != first
    assert states(study) == ["FAIL", "RUNNING"]
    assert "killed 2 times" in study.trials[0].user_attrs["helikon:error"]


def test_trials_of_a_driver_that_died_are_handed_out_first(study: optuna.Study) -> None:
    lost = study.ask()
    end(study, study.ask()._trial_id)
    desk = Desk(study, 3)
    assert desk.n_left == 2
    assert desk.next(0) == lost._trial_id
    end(study, lost._trial_id)
    end(study, desk.next(0))
    assert desk.next(0) is None
    assert len(study.trials) == 3


def test_trials_that_the_user_enqueued_come_first(study: optuna.Study) -> None:
    study.enqueue_trial({"x": 0.25})
    desk = Desk(study, 2)
    trial = optuna.trial.Trial(study, desk.next(0))
    assert trial.suggest_float("x", 0, 1) == 0.25


def test_trials_that_were_stopped_do_not_count(study: optuna.Study) -> None:
    desk = Desk(study, 2)
    desk.next(0)
    desk.close("stopped")
    assert states(study) == ["FAIL"]
    assert desk.next(1) is None
    assert Desk(study, 2).n_left == 2


def test_after_the_time_is_over_no_trial_is_begun(study: optuna.Study) -> None:
    desk = Desk(study, 2, timeout_s=0)
    assert desk.next(0) is None
    assert desk.n_left == 0
