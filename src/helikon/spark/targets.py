"""Find a function that the command line names."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from helikon.apps import find_objective
from helikon.errors import InputError, Missing, NotFound

__all__ = ["find_function", "load_objective"]


def load_objective(text: str) -> Callable[..., Any]:
    """Return the objective ``APP/OBJECTIVE``, ``module:function`` or ``file.py:function``.

    Raises
    ------
    NotFound
        If there is no such objective, module, file or function.
    Missing
        If a module needs something that is not installed.
    InputError
        If the text is of none of these forms, or the file cannot be run.
    """
    return find_function(text if ":" in text else find_objective(text))


def find_function(text: str) -> Callable[..., Any]:
    """Return the function ``module:function`` or ``file.py:function``; see :func:`load_objective`."""
    place, _, name = text.rpartition(":")
    if not place or not name:
        raise InputError(
            "a function's name cannot be used", got=repr(text), expected="module:function or file.py:function"
        )
    module = _from_file(Path(place)) if place.endswith(".py") else _by_name(place)
    function = getattr(module, name, None)
    if not callable(function):
        raise NotFound(f"{place} has no function {name}")
    found: Callable[..., Any] = function
    return found


def _by_name(name: str) -> ModuleType:
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name or name.startswith(f"{error.name}."):
            raise NotFound(f"there is no module {name}", expected="a module in the import path") from error
        raise Missing(f"{name} needs a package that is not installed", got=error.name) from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    name = f"helikon_file_{path.stem}"  # not to be imported under: such a function is sent whole
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise InputError(f"{path} cannot be imported", expected="a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.append(str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(
            f"{path} cannot be run", got=f"{type(error).__name__}: {error}", expected="a Python file"
        ) from error
    return module
