"""A study in MLflow: one run for it, and one under it for each trial that has ended.

A trial's run is written at once when the trial is over, with its true times,
in three calls; opening and closing one as a job does would cost more than many
a trial.
"""

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from helikon.settings import Settings
from helikon.spark.study import ERROR, summarise

if TYPE_CHECKING:
    from datetime import datetime

    import optuna

__all__ = ["History", "record_study"]

_PARENT, _TRIAL = "mlflow.parentRunId", "helikon.trial"


class History(Protocol):
    """Where ended trials are written down."""

    def add_ended(self, study: "optuna.Study", *, at_most: int | None = None) -> None:
        """Record trials that have ended and are not recorded yet."""
        ...

    def finish(self, study: "optuna.Study", result: Path) -> None:
        """Record all that is left, the best values and the result file."""
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
    def add_ended(self, study: "optuna.Study", *, at_most: int | None = None) -> None:
        pass

    def finish(self, study: "optuna.Study", result: Path) -> None:
        pass


class _MlflowHistory:
    def __init__(self, settings: Settings, run: Any) -> None:
        self._owner, self._run, self._client = settings.owner, run, run.client
        self._experiment = self._client.get_run(run.run_id).info.experiment_id
        self._known = self._recorded()

    def add_ended(self, study: "optuna.Study", *, at_most: int | None = None) -> None:
        trials = study.get_trials(deepcopy=False)
        ended = [trial for trial in trials if trial.state.is_finished() and trial.number not in self._known]
        for trial in ended[:at_most]:
            self._add(study.study_name, trial)
            self._known.add(trial.number)

    def finish(self, study: "optuna.Study", result: Path) -> None:
        self.add_ended(study)
        self._run.log_file(result)
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

    def _add(self, study_name: str, trial: "optuna.trial.FrozenTrial") -> None:
        from mlflow.entities import Param

        name = f"{study_name}-{trial.number}"
        child = self._client.create_run(
            self._experiment, _milliseconds(trial.datetime_start), self._tags(name, trial), name
        ).info.run_id
        parameters = [Param(key, str(value)) for key, value in trial.params.items()]
        self._client.log_batch(child, metrics=_metrics(trial), params=parameters)
        status = "FAILED" if trial.state.name == "FAIL" else "FINISHED"
        self._client.set_terminated(child, status, _milliseconds(trial.datetime_complete))

    def _tags(self, name: str, trial: "optuna.trial.FrozenTrial") -> dict[str, str]:
        tags = {"helikon.job": name, "helikon.kind": "trial", "helikon.owner": self._owner}
        tags |= {_PARENT: self._run.run_id, "mlflow.user": self._owner, _TRIAL: str(trial.number)}
        tags["helikon.trial_state"] = trial.state.name.lower()
        return tags | ({"helikon.error": str(trial.user_attrs[ERROR])} if ERROR in trial.user_attrs else {})


def _metrics(trial: "optuna.trial.FrozenTrial") -> list[Any]:
    """Return what a trial reported, step by step, and its value or values."""
    from mlflow.entities import Metric

    now = _milliseconds(trial.datetime_complete)
    values = trial.values or []
    names = ["value"] if len(values) == 1 else [f"value_{i}" for i in range(len(values))]
    reported = [Metric("reported", value, now, step) for step, value in trial.intermediate_values.items()]
    return [*reported[-900:], *(Metric(key, value, now, 0) for key, value in zip(names, values, strict=True))]


def _milliseconds(moment: "datetime | None") -> int:
    return int(moment.timestamp() * 1000) if moment else 0
