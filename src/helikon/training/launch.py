"""From a recipe's name to a training job that a backend can run; imports nothing heavy."""

import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from helikon.apps import find_recipe
from helikon.errors import InputError, Missing
from helikon.settings import Settings
from helikon.workload import TrainingJob

__all__ = ["output_folder", "recipe_target", "training_job"]


def training_job(
    settings: Settings,
    recipe: str,
    *,
    options: Mapping[str, str] | None = None,
    n_processes: int = 1,
    name: str | None = None,
    engine: Literal["torchrun", "horovod"] = "torchrun",
) -> TrainingJob:
    """Make the workload that trains a recipe.

    Parameters
    ----------
    settings : Settings
        Say who the owner is.
    recipe : str
        ``APP/RECIPE`` that an application registered, or ``module:function``.
    options : Mapping[str, str], optional
        The recipe's own options.
    n_processes : int
        Processes; the cores are shared out among them.
    name : str, optional
        Of the job. The same name resumes. By default it is made of the
        recipe, options and number of processes, so the same call is the same job.
    engine : {"torchrun", "horovod"}
        What starts the processes.

    Raises
    ------
    NotFound
        If no application offers the recipe.
    Missing
        If the engine is not installed.
    """
    recipe_target(recipe)
    if n_processes < 1:
        raise InputError("training needs a process", got=n_processes, expected="1 or more")
    if engine == "horovod" and importlib.util.find_spec("horovod") is None:
        raise Missing(
            "the engine horovod is not installed",
            next_step="train with the engine torchrun, or build horovod 0.28 for this PyTorch",
        )
    given = tuple(sorted((options or {}).items()))
    n_threads = max(1, len(os.sched_getaffinity(0)) // n_processes)
    return TrainingJob(
        name=name or _name(recipe, given, n_processes),
        owner=settings.owner,
        recipe=recipe,
        options=given,
        n_processes=n_processes,
        engine=engine,
        environment=(("OMP_NUM_THREADS", str(n_threads)),),
    )


def output_folder(settings: Settings, name: str) -> Path:
    """Return the folder of a job's ``checkpoint/``, ``model/``, ``metrics.jsonl`` and ``result.json``."""
    return settings.state_dir / "training" / name


def recipe_target(recipe: str) -> str:
    """Return ``module:function`` of a recipe, given that or ``APP/RECIPE``."""
    return recipe if ":" in recipe else find_recipe(recipe)


def _name(recipe: str, options: tuple[tuple[str, str], ...], n_processes: int) -> str:
    digest = hashlib.sha256(json.dumps([recipe, options, n_processes]).encode()).hexdigest()[:6]
    words = re.sub(r"[^a-z0-9]+", "-", recipe.lower()).strip("-")
    return f"{words[-46:].lstrip('-')}-{digest}"
