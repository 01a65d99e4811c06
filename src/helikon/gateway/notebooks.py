"""The folder that a user's notebooks lie in, and the examples in it."""

import importlib.resources
from pathlib import Path

from helikon.apps import find_apps
from helikon.settings import Settings

__all__ = ["copy_notebooks", "notebook_folder"]


def notebook_folder(settings: Settings, user: str) -> Path:
    """Return ``<state_dir>/notebooks/<user>``."""
    return settings.state_dir / "notebooks" / user


def copy_notebooks(folder: Path) -> list[Path]:
    """Put the applications' example notebooks into a folder, where they are not there yet.

    Returns
    -------
    list of Path
        What was copied. A notebook that is there is never overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copied = []
    for package in (app.notebooks for app in find_apps().values() if app.notebooks):
        for source in importlib.resources.files(package).iterdir():
            target = folder / source.name
            if source.name.endswith(".ipynb") and not target.exists():
                target.write_bytes(source.read_bytes())
                copied.append(target)
    return copied
