"""SHA-256 of files and folders."""

import hashlib
from pathlib import Path

__all__ = ["sha256_of_file", "sha256_of_folder"]


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_folder(folder: Path) -> str:
    """Return the SHA-256 of a folder's files.

    It is the SHA-256 of the text that ``sha256sum`` prints for all files,
    their paths relative to the folder and in the order of the paths' bytes::

        cd FOLDER && find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum

    Times, owners and modes do not count.
    """
    files = sorted(
        (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()),
        key=lambda name: name.encode(),
    )
    lines = [f"{sha256_of_file(folder / name)}  {name}\n" for name in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
