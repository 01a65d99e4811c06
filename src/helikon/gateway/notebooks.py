"""The folder that a user's notebooks lie in, and the examples in it."""

import importlib.resources
from collections.abc import Iterable
from pathlib import Path

from helikon.apps import find_apps
from helikon.settings import Settings

__all__ = ["copy_notebooks", "notebook_folder"]


def notebook_folder(settings: Settings, user: str) -> Path:
    """Return ``<state_dir>/notebooks/<user>``."""
    return settings.state_dir / "notebooks" / user


def copy_notebooks(folder: Path, packages: Iterable[str] | None = None) -> list[Path]:
    """Put example notebooks into a folder, where they are not there yet.

    Parameters
    ----------
    folder : Path
        Where to; made if it is not there.
    packages : iterable of str, optional
        Packages that hold them; by default those that the applications name.

    Returns
    -------
    list of Path
        What was copied. A notebook that is there is never overwritten.
    """
    if packages is None:
        packages = [app.notebooks for app in find_apps().values() if app.notebooks]
    folder.mkdir(parents=True, exist_ok=True)
    copied = []
    for package in packages:
        for source in importlib.resources.files(package).iterdir():
            target = folder / source.name
            if source.name.endswith(".ipynb") and not target.exists():
                target.write_bytes(source.read_bytes())
                copied.append(target)
    return copied
