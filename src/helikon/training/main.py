"""What every training process runs: ``python -m helikon.training.main RECIPE --name NAME --option k=v``."""

import argparse
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from helikon.apps import load
from helikon.catalogue.folders import appear, check_model_folder
from helikon.catalogue.runs import Run, code_version, record
from helikon.errors import EngineError, HelikonError, UserError
from helikon.settings import Settings
from helikon.settings import load as load_settings
from helikon.training.launch import output_folder, recipe_target
from helikon.training.loop import Outcome, train
from helikon.training.progress import showing
from helikon.training.recipe import Recipe
from helikon.training.records import Metrics, write_json
from helikon.training.world import World, find_world

__all__ = ["main"]

_log = logging.getLogger("helikon.training")
_STOPPED = 128 + 15


def main(arguments: list[str] | None = None) -> int:
    """Train, and return the exit code: 0 done, 143 stopped by a signal and to be resumed."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        return _run(load_settings(), given.recipe, given.name, dict(_pair(text) for text in given.option))
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
        raise UserError("an option of a recipe has the wrong form", got=repr(text), expected="KEY=VALUE")
    return key, value


def _run(settings: Settings, name: str, job: str, options: Mapping[str, str]) -> int:
    folder = output_folder(settings, job)
    folder.mkdir(parents=True, exist_ok=True)
    recipe: Recipe = load(recipe_target(name))(options)
    world = find_world()
    with _recorded(settings, world, recipe, name, job, options) as run:
        outcome = _train(recipe, world, folder, run, f"{name} {sorted(options.items())}")
        if outcome.is_done and world.rank == 0:
            _finish(
                settings,
                recipe,
                outcome,
                folder,
                _card(settings, recipe, world, outcome, name, job, options, run),
            )
        world.close()
        if not outcome.is_done:
            _log.info("stopped at step %d; the same command goes on from there", outcome.position.step)
            raise SystemExit(_STOPPED)
    return 0


@contextlib.contextmanager
def _recorded(
    settings: Settings, world: World, recipe: Recipe, name: str, job: str, options: Mapping[str, str]
) -> Iterator[Run | None]:
    """Yield the run, in the first process."""
    if world.rank:
        yield None
        return
    facts = {"recipe": name, "n_processes": world.size, "n_steps": recipe.n_steps, "seed": recipe.seed}
    facts |= {"time_limit_s": recipe.time_limit_s, "batch_size": recipe.batch_size}
    parameters = facts | {f"option.{key}": value for key, value in options.items()}
    with record(settings, kind="training", name=job, parameters=parameters, inputs=recipe.inputs) as run:
        yield run


def _train(recipe: Recipe, world: World, folder: Path, run: Run | None, label: str) -> Outcome:
    if run is None:
        return train(recipe, world, folder / "checkpoint", lambda record: None, label=label)
    with showing(recipe.name) as show:
        metrics: list[Metrics] = []

        def begin(position: Any) -> None:
            metrics.append(Metrics(folder / "metrics.jsonl", position.step))
            if position.step:
                _log.info("resuming at step %d, %.0f s into the run", position.step, position.elapsed_s)

        def report(figures: Mapping[str, float]) -> None:
            metrics[0].append(figures)
            show(figures)
            _to_mlflow(run, figures)

        return train(recipe, world, folder / "checkpoint", report, label=label, on_start=begin)


def _to_mlflow(run: Run, figures: Mapping[str, float]) -> None:
    """Record figures; hours of training are not lost because a database is busy."""
    step = int(figures["step"])
    try:
        run.log_metrics({key: value for key, value in figures.items() if key != "step"}, step)
    except EngineError as error:
        _log.warning("%s", error)


def _card(
    settings: Settings,
    recipe: Recipe,
    world: World,
    outcome: Outcome,
    name: str,
    job: str,
    options: Mapping[str, str],
    run: Run | None,
) -> dict[str, Any]:
    return {
        "recipe": name,
        "job": job,
        "options": dict(options),
        "owner": settings.owner,
        "code_version": code_version(),
        "run_id": run.run_id if run else "",
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seed": recipe.seed,
        "inputs": dict(recipe.inputs),
        "n_processes": world.size,
        "step": outcome.position.step,
        "elapsed_s": round(outcome.position.elapsed_s, 1),
        "metrics": dict(outcome.position.metrics),
    }


def _finish(settings: Settings, recipe: Recipe, outcome: Outcome, folder: Path, card: dict[str, Any]) -> None:
    """Write the model folder, then the result that says all is there."""
    export: Callable[[Any, Path, Mapping[str, Any]], None] = recipe.export
    outcome.module.eval()
    appear(folder / "model", lambda beside: export(outcome.module, beside, card))
    check_model_folder(folder / "model")
    write_json(folder / "result.json", card | {"model": str(folder / "model")})
    _log.info("done after %d steps; the model is in %s", outcome.position.step, folder / "model")


if __name__ == "__main__":
    # A process that lost its peers may hang in the destructors of its communicators.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code) if code else sys.exit(0)
