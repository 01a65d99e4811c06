"""Spark: one warm session, work spread over its Python workers, applications, and tuning with Optuna.

It does not schedule, shuffle or sample itself (Spark and Optuna do), and it
sends no pixels through the JVM: workers write files and return small rows.
Read ``sessions.py`` first, then ``tasks.py``, then ``tuning.py``.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helikon.spark.sessions import close, session
    from helikon.spark.tuning import tune

__all__ = ["close", "session", "tune"]

_HOMES = {"close": "sessions", "session": "sessions", "tune": "tuning"}


def __getattr__(name: str) -> object:
    """Find what is offered when it is first asked for: Spark and Optuna take seconds to import."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
