"""A study in MLflow: one run for it, and one under it for each trial that has ended."""

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from helikon.settings import Settings
from helikon.spark.study import ERROR

if TYPE_CHECKING:
    import optuna

__all__ = ["History", "record_study"]


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
        self._settings, self._run = settings, run
        self._known = _recorded(run)

    def add_ended(self, study: "optuna.Study", *, at_most: int | None = None) -> None:
        ended = [
            trial
            for trial in study.get_trials(deepcopy=False)
            if trial.state.is_finished() and trial.number not in self._known
        ]
        for trial in ended[:at_most]:
            _record_trial(self._settings, study, trial, self._run.run_id)
            self._known.add(trial.number)

    def finish(self, study: "optuna.Study", result: Path) -> None:
        self.add_ended(study)
        self._run.log_file(result)
        if len(study.directions) == 1 and any(t.state.name == "COMPLETE" for t in study.trials):
            self._run.log_metrics({"best_value": study.best_value})
            self._run.set_tags({f"best.{key}": str(value) for key, value in study.best_params.items()})


class _Failed(Exception):
    """Carries a trial's error out of its run."""


def _recorded(run: Any) -> set[int]:
    """Return the numbers of the trials that an earlier process recorded to the end."""
    experiment = run.client.get_run(run.run_id).info.experiment_id
    wanted = f"tags.`mlflow.parentRunId` = '{run.run_id}' and attributes.status != 'RUNNING'"
    found, token = set(), None
    while True:
        page = run.client.search_runs([experiment], wanted, page_token=token)
        found |= {
            int(child.data.tags["helikon.trial"]) for child in page if "helikon.trial" in child.data.tags
        }
        if not (token := page.token):
            return found


def _record_trial(settings: Settings, study: "optuna.Study", trial: Any, parent: str) -> None:
    from helikon.catalogue.runs import record

    name = f"{study.study_name}-{trial.number}"
    with (
        contextlib.suppress(_Failed),
        record(settings, kind="trial", name=name, parameters=trial.params, parent=parent) as run,
    ):
        run.set_tags({"helikon.trial": str(trial.number), "helikon.trial_state": trial.state.name.lower()})
        for step, value in sorted(trial.intermediate_values.items()):
            run.log_metrics({"intermediate": value}, step)
        if trial.values:
            run.log_metrics(_named(trial.values))
        if trial.state.name == "FAIL":
            raise _Failed(trial.user_attrs.get(ERROR, "failed"))


def _named(values: list[float]) -> dict[str, float]:
    return {"value": values[0]} if len(values) == 1 else {f"value_{i}": v for i, v in enumerate(values)}
