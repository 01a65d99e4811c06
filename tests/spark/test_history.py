import math
from pathlib import Path

import optuna
import pytest

from helikon.catalogue.tracking import client, prepare
from helikon.settings import Settings
from helikon.spark import history
from helikon.spark.history import record_study
from helikon.spark.history_rows import EndedRun, write_rows


def study_of_all_ends() -> optuna.Study:
    """Return a study with trials that ended in every way, and one that runs."""
    study = optuna.create_study(study_name="ends")
    for end in (1.5, math.inf, -math.inf, None, "pruned", "run"):
        trial = study.ask()
        trial.suggest_float("rate", 0, 1)
        trial.suggest_categorical("kind", ["a", None, 3])
        trial.report(0.5, 1)
        trial.report(0.25, 0)
        trial.report(math.nan, 2)
        if end == "pruned":
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        elif end is None:
            trial.set_user_attr("helikon:error", "ValueError: no such band")
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        elif end != "run":
            study.tell(trial, end)
    return study


def recorded(settings: Settings, study: optuna.Study, folder: Path) -> list[dict]:
    """Record a study, and return what MLflow says of each trial's run."""
    result = folder / "result.json"
    result.write_text("{}")
    with record_study(settings, study, n_trials=6) as kept:
        kept.add_ended(study)
        kept.finish(study, result)
        kept.finish(study, result)
    mlflow = client(settings)
    (experiment,) = (e for e in mlflow.search_experiments() if e.name == "helikon")
    runs = mlflow.search_runs([experiment.experiment_id])
    (parent,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    return [
        _facts(mlflow, run, parent.info.run_id) for run in sorted(children, key=lambda run: run.info.run_name)
    ]


def _facts(mlflow: object, run: object, parent: str) -> dict:
    info = run.info
    steps = [(m.step, m.value, m.timestamp) for m in mlflow.get_metric_history(info.run_id, "reported")]
    tags = {key: value for key, value in run.data.tags.items() if value != parent}
    times = (info.start_time, info.end_time)
    place = info.artifact_uri.replace(info.run_id, "ID").partition("artifacts/")[2]
    own = (info.run_name, info.user_id, info.status, info.lifecycle_stage, times, place)
    return {
        "own": own,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "tags": tags,
        "steps": sorted(steps),
    }


def at(folder: Path, settings: Settings) -> Settings:
    folder.mkdir()
    return settings.model_copy(update={"state_dir": folder})


def test_rows_say_the_same_as_mlflows_client(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of_all_ends()
    by_rows = recorded(at(tmp_path / "rows", settings), study, tmp_path)
    monkeypatch.setattr(history, "write_rows", lambda *_: False)
    by_client = recorded(at(tmp_path / "client", settings), study, tmp_path)
    assert by_rows == by_client
    assert len(by_rows) == 5
    assert [run["own"][2] for run in by_rows] == ["FINISHED"] * 3 + ["FAILED", "FINISHED"]
    assert by_rows[0]["metrics"] == {"value": 1.5, "reported": 0.5}
    assert by_rows[3]["tags"]["helikon.error"] == "ValueError: no such band"


def test_where_the_tables_are_not_as_they_were_nothing_is_written(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.store.tracking.dbmodels import models

    def refuse(**_: object) -> None:
        raise TypeError("'step' is an invalid keyword argument for SqlMetric")

    changed = at(tmp_path / "changed", settings)
    prepare(changed)
    monkeypatch.setattr(models, "SqlLatestMetric", refuse)
    mlflow = client(changed)
    (experiment,) = (e.experiment_id for e in mlflow.search_experiments() if e.name == "helikon")
    assert not write_rows(mlflow, experiment, [_one_run()])
    monkeypatch.undo()
    assert write_rows(mlflow, experiment, [_one_run()])
    assert [run.info.run_name for run in mlflow.search_runs([experiment])] == ["one"]


def _one_run() -> EndedRun:
    return EndedRun(
        name="one",
        owner="ada",
        status="FINISHED",
        started_ms=1,
        ended_ms=2,
        tags={},
        params={},
        metrics=[("value", 1.0, 2, 0)],
    )
