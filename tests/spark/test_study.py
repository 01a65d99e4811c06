import json
from pathlib import Path

import optuna
import pytest

from helikon.errors import AlreadyExists, InputError
from helikon.settings import Settings
from helikon.spark.study import open_study, study_folder, summarise, write_result


def test_a_study_is_found_again(tmp_path: Path) -> None:
    with open_study(tmp_path, "s", ["minimize"], resume=False) as study:
        study.add_trial(optuna.trial.create_trial(value=2.0))
    with open_study(tmp_path, "s", ["minimize"], resume=True) as study:
        assert [trial.value for trial in study.trials] == [2.0]


def test_a_study_that_is_there_is_not_taken_by_accident(tmp_path: Path) -> None:
    with open_study(tmp_path, "s", ["minimize"], resume=False):
        pass
    with (
        pytest.raises(AlreadyExists, match="--resume"),
        open_study(tmp_path, "s", ["minimize"], resume=False),
    ):
        pass


def test_a_study_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        open_study(tmp_path, "s", ["minimize"], resume=False),
        pytest.raises(AlreadyExists, match="another process is tuning"),
        open_study(tmp_path, "s", ["minimize"], resume=True),
    ):
        pass


def test_a_study_keeps_its_directions(tmp_path: Path) -> None:
    with open_study(tmp_path, "s", ["minimize"], resume=False):
        pass
    with (
        pytest.raises(InputError, match="got maximize, expected minimize"),
        open_study(tmp_path, "s", ["maximize"], resume=True),
    ):
        pass


def test_what_a_killed_driver_left_is_mended(tmp_path: Path) -> None:
    with open_study(tmp_path, "s", ["minimize"], resume=False) as study:
        study.add_trial(optuna.trial.create_trial(value=2.0))
    journal = tmp_path / "journal.log"
    journal.write_bytes(journal.read_bytes() + b'{"op_code": 4, "worker')
    (tmp_path / "journal.log.lock").symlink_to(journal)
    with open_study(tmp_path, "s", ["minimize"], resume=True) as study:
        study.add_trial(optuna.trial.create_trial(value=3.0))
        assert [trial.value for trial in study.trials] == [2.0, 3.0]


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden"])
def test_a_name_that_is_no_folder_is_refused(settings: Settings, name: str) -> None:
    with pytest.raises(InputError, match="study's name cannot be used"):
        study_folder(settings, name)


def test_the_result_names_the_best_of_each_kind(tmp_path: Path) -> None:
    study = optuna.create_study(study_name="s", direction="minimize")
    for value in (3.0, 1.0, 2.0):
        study.add_trial(optuna.trial.create_trial(value=value))
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
    update = summarise(study, 4)
    assert (update.n_complete, update.n_failed, update.n_ended) == (3, 1, 4)
    assert (update.best_number, update.best_value) == (1, 1.0)
    written = json.loads(write_result(study, update, tmp_path).read_text())
    assert written["best"] == [{"number": 1, "values": [1.0], "params": {}}]
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
