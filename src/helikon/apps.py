"""How an application joins the platform.

An application (space, yours) is one :class:`App` object found by the
entry-point group ``helikon.apps``. It names everything by ``module:attribute``
text, so that finding it imports nothing heavy. It is not a plug-in framework:
there are no hooks and no order. Read :class:`App` first.
"""

import contextlib
import dataclasses
import importlib
import importlib.metadata
from collections.abc import Iterator, Mapping
from typing import Any

from helikon.errors import Missing, NotFound

__all__ = ["App", "find_apps", "find_objective", "find_recipe", "find_service", "load", "needing"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What an application offers.

    Attributes
    ----------
    name : str
        The noun of its commands: ``helikon NAME …``.
    summary : str
        One line for ``helikon --help``.
    commands : str
        ``module:attribute`` of its click group.
    recipes : Mapping[str, str]
        Training recipes: name to ``module:function``. ``helikon train NAME/…``.
    objectives : Mapping[str, str]
        Objectives for tuning: name to ``module:function``.
    services : Mapping[str, str]
        BentoML services: name to ``module:Class``.
    demo : str
        ``module:function`` that ``helikon demo`` calls, or nothing.
    notebooks : str
        Package that holds its example notebooks, or nothing.
    """

    name: str
    summary: str
    commands: str
    recipes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    objectives: Mapping[str, str] = dataclasses.field(default_factory=dict)
    services: Mapping[str, str] = dataclasses.field(default_factory=dict)
    demo: str = ""
    notebooks: str = ""


def find_apps() -> dict[str, App]:
    """Return the installed applications by name."""
    found = (entry.load() for entry in importlib.metadata.entry_points(group="helikon.apps"))
    return {app.name: app for app in sorted(found, key=lambda app: app.name)}


def load(target: str) -> Any:
    """Import ``module:attribute``.

    Raises
    ------
    NotFound
        If there is no such module.
    Missing
        If the module needs something that is not installed.
    """
    module, _, attribute = target.partition(":")
    with needing(f"{target} needs a package that is not installed", "all"):
        try:
            return getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
            raise NotFound(
                f"no module {error.name}",
                expected=f"{error.name}.py or a folder of that name here, or an installed package",
                next_step="go to the folder that it lies in",
            ) from error


@contextlib.contextmanager
def needing(what: str, extra: str) -> Iterator[None]:
    """Tell of a package that cannot be imported as :class:`~helikon.errors.Missing`.

    Parameters
    ----------
    what : str
        What cannot be done without it: ``the catalogue needs MLflow``.
    extra : str
        Of this distribution.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise Missing(
            what, got=f"no module named {error.name}", next_step=f'pip install "helikon[{extra}]"'
        ) from error


def find_recipe(name: str) -> str:
    """Return ``module:function`` of the training recipe ``APP/RECIPE``."""
    return _find("recipes", name)


def find_objective(name: str) -> str:
    """Return ``module:function`` of the objective ``APP/OBJECTIVE``."""
    return _find("objectives", name)


def find_service(name: str) -> str:
    """Return ``module:Class`` of the service ``APP/SERVICE``."""
    return _find("services", name)


def _find(table: str, name: str) -> str:
    known: dict[str, str] = {
        f"{app.name}/{key}": target
        for app in find_apps().values()
        for key, target in getattr(app, table).items()
    }
    if name not in known:
        raise NotFound(
            f"no application offers this of its {table}",
            got=repr(name),
            expected=f"one of {', '.join(known) or 'none, for no application is installed'}",
        )
    return known[name]
