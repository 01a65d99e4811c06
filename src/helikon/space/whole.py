"""Folders, and files that appear whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from helikon.errors import InputError

__all__ = ["made_folder", "whole_files"]


def made_folder(folder: Path) -> Path:
    """Return a folder, made if need be.

    Raises
    ------
    InputError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder {folder} cannot be made", got=error.strerror, expected="a folder to write to"
        ) from error
    return folder


@contextlib.contextmanager
def whole_files(folder: Path, names: tuple[str, ...]) -> Iterator[dict[str, Path]]:
    """Give paths to write to; on success they take their names in ``folder``, else they vanish.

    Raises
    ------
    InputError
        If the folder cannot be made or written to.
    """
    made_folder(folder)
    beside = {name: folder / f".{os.getpid()}.{name}" for name in names}
    try:
        yield beside
        for name, path in beside.items():
            os.replace(path, folder / name)
    except OSError as error:
        raise InputError(f"the files cannot be written to {folder}", got=error.strerror) from error
    finally:
        for path in beside.values():
            path.unlink(missing_ok=True)
