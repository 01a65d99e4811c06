"""What every training process runs: ``python -m helikon.training.main RECIPE --name NAME --option k=v``."""

import argparse
import atexit
import contextlib
import dataclasses
import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from helikon.apps import load
from helikon.catalogue.folders import appear, check_model_folder
from helikon.catalogue.runs import Run, code_version, record
from helikon.errors import EngineError, HelikonError, InputError
from helikon.settings import Settings
from helikon.settings import load as load_settings
from helikon.training.checkpoint import Position
from helikon.training.launch import output_folder, recipe_target
from helikon.training.loop import Outcome, train
from helikon.training.progress import showing
from helikon.training.recipe import Recipe
from helikon.training.records import Metrics, write_json
from helikon.training.world import World, find_world

__all__ = ["main"]

_log = logging.getLogger("helikon.training")
_STOPPED = 128 + 15


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What this process was asked to do."""

    settings: Settings
    name: str
    recipe: str
    options: Mapping[str, str]

    @property
    def folder(self) -> Path:
        return output_folder(self.settings, self.name)

    @property
    def label(self) -> str:
        return f"{self.recipe} {json.dumps(dict(sorted(self.options.items())))}"


def main(arguments: list[str] | None = None) -> int:
    """Train, and return the exit code: 0 done, 143 stopped by a signal and to be resumed."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        options = dict(_pair(text) for text in given.option)
        return _run(_Job(settings=load_settings(), name=given.name, recipe=given.recipe, options=options))
    except HelikonError as error:
        sys.stderr.write(f"helikon: {error}\n")
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m helikon.training.main")
    parser.add_argument("recipe")
    parser.add_argument("--name", required=True)
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE")
    return parser


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        raise InputError("an option of a recipe has the wrong form", got=repr(text), expected="KEY=VALUE")
    return key, value


def _run(job: _Job) -> int:
    job.folder.mkdir(parents=True, exist_ok=True)
    recipe: Recipe = load(recipe_target(job.recipe))(job.options)
    world = find_world()
    try:
        with _recorded(job, recipe, world) as run:
            outcome = _train(job, recipe, world, run)
            if outcome.is_done and run is not None:
                _finish(job, recipe, outcome, _card(job, recipe, world, outcome) | {"run_id": run.run_id})
            world.close()
            if not outcome.is_done:
                _log.info("stopped at step %d; the same command goes on from there", outcome.position.step)
                raise SystemExit(_STOPPED)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


@contextlib.contextmanager
def _recorded(job: _Job, recipe: Recipe, world: World) -> Iterator[Run | None]:
    """Yield the run, in the first process."""
    if world.rank:
        yield None
        return
    facts = {"recipe": job.recipe, "n_processes": world.size, "n_steps": recipe.n_steps, "seed": recipe.seed}
    facts |= {"time_limit_s": recipe.time_limit_s, "batch_size": recipe.batch_size}
    parameters = facts | {f"option.{key}": value for key, value in job.options.items()}
    with record(
        job.settings, kind="training", name=job.name, parameters=parameters, inputs=recipe.inputs
    ) as run:
        yield run


def _train(job: _Job, recipe: Recipe, world: World, run: Run | None) -> Outcome:
    checkpoints = job.folder / "checkpoint"
    if run is None:
        return train(recipe, world, checkpoints, lambda figures: None, label=job.label)
    with showing(recipe.name) as show:
        metrics = Metrics(job.folder / "metrics.jsonl")

        def begin(position: Position) -> None:
            metrics.go_back_to(position.step)
            if position.step:
                _log.info("resuming at step %d, %.0f s into the run", position.step, position.elapsed_s)

        def report(figures: Mapping[str, float]) -> None:
            metrics.append(figures)
            show(figures)
            _to_mlflow(run, figures)

        return train(recipe, world, checkpoints, report, label=job.label, on_start=begin)


def _to_mlflow(run: Run, figures: Mapping[str, float]) -> None:
    """Record figures; hours of training are not lost because a database is busy."""
    try:
        run.log_metrics({key: value for key, value in figures.items() if key != "step"}, int(figures["step"]))
    except EngineError as error:
        _log.warning("%s", error)


def _card(job: _Job, recipe: Recipe, world: World, outcome: Outcome) -> dict[str, Any]:
    return {
        "recipe": job.recipe,
        "job": job.name,
        "options": dict(job.options),
        "owner": job.settings.owner,
        "code_version": code_version(),
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seed": recipe.seed,
        "inputs": dict(recipe.inputs),
        "n_processes": world.size,
        "step": outcome.position.step,
        "elapsed_s": round(outcome.position.elapsed_s, 1),
        "metrics": dict(outcome.position.metrics),
    }


def _finish(job: _Job, recipe: Recipe, outcome: Outcome, card: dict[str, Any]) -> None:
    """Write the model folder, then the result that says all is there."""
    outcome.module.eval().cpu()
    model = job.folder / "model"
    appear(model, lambda beside: recipe.export(outcome.module, beside, card))
    check_model_folder(model)
    write_json(job.folder / "result.json", card | {"model": str(model)})
    _log.info("done after %d steps; the model is in %s", outcome.position.step, model)


def _leave(code: int) -> NoReturn:
    """Exit without taking PyTorch and MLflow apart, which takes seconds and may hang without peers."""
    atexit._run_exitfuncs()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
