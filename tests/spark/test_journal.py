import os
import pickle
import resource
import threading
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from helikon.spark.journal import Journal, open_journal

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


def study_on(path: Path) -> optuna.Study:
    return optuna.create_study(storage=open_journal(path), study_name="s", load_if_exists=True)


def fill(study: optuna.Study, n_trials: int) -> None:
    for _ in range(n_trials):
        trial = study.ask()
        trial.set_user_attr("note", {"filter": ["g", 1.5]})
        trial.report(trial.suggest_float("x", 0, 1), 3)
        study.tell(trial, trial.params["x"])


def told(study: optuna.Study) -> list[tuple]:
    return [
        (t.number, t.state, t.values, t.params, t.user_attrs, t.intermediate_values, t.datetime_complete)
        for t in study.get_trials()
    ]


def test_optuna_reads_our_file_and_we_read_optunas(tmp_path: Path) -> None:
    ours = study_on(tmp_path / "journal.log")
    fill(ours, 3)
    theirs = JournalStorage(JournalFileBackend(str(tmp_path / "journal.log")))
    study = optuna.load_study(study_name="s", storage=theirs)
    assert told(study) == told(ours)
    fill(study, 2)
    again = study_on(tmp_path / "journal.log")
    assert told(again) == told(study)
    fill(again, 1)
    assert len(told(again)) == 6


def test_the_disk_is_waited_for_when_asked_and_only_for_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced, fsync = tmp_path / "journal.log", [], os.fsync

    def note(descriptor: int) -> None:
        synced.append(path.read_bytes())
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", note)
    storage = open_journal(path)
    fill(optuna.create_study(storage=storage, study_name="s"), 2)
    assert synced == []
    storage.sync()
    storage.sync()
    assert synced == [path.read_bytes()]


def test_threads_lose_nothing_of_each_other(tmp_path: Path) -> None:
    study = study_on(tmp_path / "journal.log")
    threads = [threading.Thread(target=fill, args=(study, 25)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [t.number for t in study.get_trials(states=[TrialState.COMPLETE])] == list(range(200))
    assert told(study_on(tmp_path / "journal.log")) == told(study)


def test_a_disk_that_takes_no_more_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal.log"
    study = study_on(path)
    fill(study, 1)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            study.set_user_attr("long", "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    fill(study, 1)
    assert told(study_on(path)) == told(study)


def test_a_pickled_study_is_opened_again(tmp_path: Path) -> None:
    study = study_on(tmp_path / "journal.log")
    fill(study, 2)
    assert told(pickle.loads(pickle.dumps(study))) == told(study)


def test_what_was_read_is_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.log")
    journal.append_logs([{"n": n} for n in range(5)])
    assert [log["n"] for log in journal.read_logs(0)] == [0, 1, 2, 3, 4]
    assert [log["n"] for log in journal.read_logs(3)] == [3, 4]
    assert list(journal.read_logs(5)) == []
    journal.append_logs([{"n": 5}])
    assert [log["n"] for log in journal.read_logs(5)] == [5]
