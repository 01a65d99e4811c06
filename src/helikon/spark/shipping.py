"""Send functions to the workers: by name where they can import them, else whole.

A function takes this process's import path along, so that a worker that was
started before the path grew finds the same modules.
"""

import functools
import importlib.machinery
import io
import os
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from helikon.errors import InputError
from helikon.spark.conf import search_path

__all__ = ["pack", "pack_function", "unpack", "unpack_function"]

_CACHE = type(functools.cache(str))


def pack_function(function: Callable[..., Any]) -> bytes:
    """Pickle a function for the workers.

    Functions of notebooks, of scripts and of files outside the import path
    travel whole; all others by name.

    Raises
    ------
    InputError
        If it cannot be pickled: it holds an open file, a lock or the session.
    """
    return pack((search_path(), pack(function)))


def unpack_function(packed: bytes) -> Callable[..., Any]:
    """Return the function that was packed, in a worker, after growing its import path."""
    path, function = unpack(packed)
    sys.path.extend(entry for entry in path if entry not in sys.path)
    found: Callable[..., Any] = unpack(function)
    return found


def pack(thing: Any) -> bytes:
    """Pickle a value.

    Raises
    ------
    InputError
        If it cannot be pickled.
    """
    from pyspark import cloudpickle

    module = _home(thing)
    whole = module is not None and not _can_be_imported(module)
    if whole:
        cloudpickle.register_pickle_by_value(module)
    try:
        return _dumps(thing)
    except Exception as error:
        raise InputError(
            f"{_name(thing)} cannot be sent between the driver and its workers",
            got=f"{type(error).__name__}: {error}".splitlines()[0],
            expected="functions and values that can be pickled",
            next_step="open files, models and connections inside the function",
        ) from error
    finally:
        if whole:
            cloudpickle.unregister_pickle_by_value(module)


def _dumps(thing: Any) -> bytes:
    """Pickle as cloudpickle does, and caches around functions that travel whole with them, but empty."""
    from pyspark import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, one: Any) -> Any:
            if isinstance(one, _CACHE) and _is_whole(one):
                return _cached, (one.__wrapped__, one.cache_parameters())
            return super().reducer_override(one)

    with io.BytesIO() as file:
        Pickler(file).dump(thing)
        return file.getvalue()


def _is_whole(function: Any) -> bool:
    """Whether a function's module cannot be imported by a worker."""
    module = sys.modules.get(function.__module__)
    return module is None or function.__module__ == "__main__" or not _can_be_imported(module)


def _cached(function: Callable[..., Any], parameters: Mapping[str, Any]) -> Callable[..., Any]:
    cached: Callable[..., Any] = functools.lru_cache(**parameters)(function)
    return cached


def unpack(packed: bytes) -> Any:
    """Return what was packed."""
    from pyspark import cloudpickle

    return cloudpickle.loads(packed)


def _home(thing: Any) -> ModuleType | None:
    """Return the module of a function, or of what it wraps, or of an object's class."""
    while isinstance(thing, functools.partial):
        thing = thing.func
    name = getattr(thing, "__module__", None) or type(thing).__module__
    return None if name == "__main__" else sys.modules.get(name)


def _can_be_imported(module: ModuleType) -> bool:
    """Whether the import path leads to this very module."""
    if (file := getattr(module, "__file__", None)) is None:
        return True
    spec = importlib.machinery.PathFinder.find_spec(module.__name__.partition(".")[0])
    if spec is None:
        return False
    places = spec.submodule_search_locations or [spec.origin or ""]
    return any(_is_inside(file, place) for place in places)


def _is_inside(file: str, place: str) -> bool:
    file, place = os.path.realpath(file), os.path.realpath(place)
    return file == place or file.startswith(place + os.sep)


def _name(thing: Any) -> str:
    while isinstance(thing, functools.partial):
        thing = thing.func
    return str(getattr(thing, "__qualname__", "a value"))
