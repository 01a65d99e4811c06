"""A study in MLflow: one run for it, and one under it for each trial that has ended.

A trial's run is written at once when the trial is over, with its true times:
many in one transaction where MLflow's store is a database here
(``history_rows.py``), else each in three calls.
"""

import contextlib
import importlib.util
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from helikon.settings import Settings
from helikon.spark.failures import ERROR
from helikon.spark.history_rows import EndedRun, write_rows
from helikon.spark.study import summarise

if TYPE_CHECKING:
    from datetime import datetime

    import optuna

__all__ = ["History", "record_study"]

_PARENT, _TRIAL = "mlflow.parentRunId", "helikon.trial"


class History(Protocol):
    """Where ended trials are written down."""

    def add_ended(self, study: "optuna.Study") -> None:
        """Record trials that have ended and are not recorded yet."""
        ...

    def finish(self, study: "optuna.Study", result: Path, plots: Sequence[Path] = ()) -> None:
        """Record all that is left, the best values, the result file and the plots."""
        ...


@contextlib.contextmanager
def record_study(settings: Settings, study: "optuna.Study", **parameters: object) -> Iterator[History]:
    """Record a study while inside; without MLflow installed nothing is recorded."""
    if importlib.util.find_spec("mlflow") is None:
        yield _NoHistory()
        return
    from helikon.catalogue.runs import record

    with record(settings, kind="tuning", name=study.study_name, parameters=parameters) as run:
        yield _MlflowHistory(settings, run)


class _NoHistory:
    def add_ended(self, study: "optuna.Study") -> None:
        pass

    def finish(self, study: "optuna.Study", result: Path, plots: Sequence[Path] = ()) -> None:
        pass


class _MlflowHistory:
    def __init__(self, settings: Settings, run: Any) -> None:
        self._owner, self._run, self._client = settings.owner, run, run.client
        self._experiment = self._client.get_run(run.run_id).info.experiment_id
        self._known = self._recorded()

    def add_ended(self, study: "optuna.Study") -> None:
        trials = study.get_trials(deepcopy=False)
        ended = [trial for trial in trials if trial.state.is_finished() and trial.number not in self._known]
        runs = [self._run_of(study.study_name, trial) for trial in ended]
        if runs and not write_rows(self._client, self._experiment, runs):
            for run in runs:
                self._add(run)
        self._known.update(trial.number for trial in ended)

    def finish(self, study: "optuna.Study", result: Path, plots: Sequence[Path] = ()) -> None:
        self.add_ended(study)
        self._run.log_file(result)
        for plot in plots:
            self._run.log_file(plot, "plots")
        best = summarise(study, 0)
        if best.best_value is not None:
            self._run.log_metrics({"best_value": best.best_value})
            self._run.set_tags({f"best.{key}": str(value) for key, value in best.best_params})

    def _recorded(self) -> set[int]:
        """Return the trials recorded by an earlier process, and drop what it was killed over."""
        known, token = set(), None
        while True:
            wanted = f"tags.`{_PARENT}` = '{self._run.run_id}'"
            page = self._client.search_runs([self._experiment], wanted, page_token=token)
            for child in page:
                if child.info.status == "RUNNING":
                    self._client.delete_run(child.info.run_id)
                else:
                    known.add(int(child.data.tags[_TRIAL]))
            if not (token := page.token):
                return known

    def _run_of(self, study_name: str, trial: "optuna.trial.FrozenTrial") -> EndedRun:
        name = f"{study_name}-{trial.number}"
        return EndedRun(
            name=name,
            owner=self._owner,
            status="FAILED" if trial.state.name == "FAIL" else "FINISHED",
            started_ms=_milliseconds(trial.datetime_start),
            ended_ms=_milliseconds(trial.datetime_complete),
            tags=self._tags(name, trial),
            params={key: str(value) for key, value in trial.params.items()},
            metrics=_metrics(trial),
        )

    def _add(self, run: EndedRun) -> None:
        """Record a run by MLflow's client."""
        from mlflow.entities import Metric, Param

        child = self._client.create_run(
            self._experiment, run.started_ms, dict(run.tags), run.name
        ).info.run_id
        params = [Param(key, value) for key, value in run.params.items()]
        self._client.log_batch(child, metrics=[Metric(*one) for one in run.metrics], params=params)
        self._client.set_terminated(child, run.status, run.ended_ms)

    def _tags(self, name: str, trial: "optuna.trial.FrozenTrial") -> dict[str, str]:
        tags = {
            "mlflow.runName": name,
            "helikon.job": name,
            "helikon.kind": "trial",
            "helikon.owner": self._owner,
        }
        tags |= {_PARENT: self._run.run_id, "mlflow.user": self._owner, _TRIAL: str(trial.number)}
        tags["helikon.trial_state"] = trial.state.name.lower()
        return tags | ({"helikon.error": str(trial.user_attrs[ERROR])} if ERROR in trial.user_attrs else {})


def _metrics(trial: "optuna.trial.FrozenTrial") -> list[tuple[str, float, int, int]]:
    """Return what a trial reported, step by step, and its value or values."""
    now = _milliseconds(trial.datetime_complete)
    values = trial.values or []
    names = ["value"] if len(values) == 1 else [f"value_{i}" for i in range(len(values))]
    reported = [("reported", value, now, step) for step, value in sorted(trial.intermediate_values.items())]
    known = [one for one in reported if not math.isnan(one[1])]
    return [*known[-900:], *((key, value, now, 0) for key, value in zip(names, values, strict=True))]


def _milliseconds(moment: "datetime | None") -> int:
    return int(moment.timestamp() * 1000) if moment else 0
