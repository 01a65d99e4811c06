"""What a survey keeps beside its output until it ends: each file whole, named after its task."""

import contextlib
import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from helikon.errors import AlreadyExists
from helikon.space.background import BackgroundMesh, MeshPart
from helikon.space.survey.claims import Claim
from helikon.space.whole import made_folder

__all__ = [
    "Result",
    "claim_folder",
    "read_mesh",
    "read_part",
    "read_result",
    "write_mesh",
    "write_part",
    "write_result",
]

_PREFIX = "unfinished-"
_LOCK = ".lock"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one window gave: columns of the catalogue, and a claim for each row."""

    values: dict[str, Any]
    claims: tuple[Claim, ...]


@contextlib.contextmanager
def claim_folder(folder: Path) -> Iterator[None]:
    """Make the folder, keep other runs out of it, and remove it when all has gone well.

    What other runs have left beside it, of another map or other settings, goes too.

    Raises
    ------
    AlreadyExists
        If another run works there.
    InputError
        If it cannot be made.
    """
    made_folder(folder)
    try:
        with filelock.FileLock(folder / _LOCK, timeout=0):
            yield
            for left in folder.parent.glob(f"{_PREFIX}*"):
                if left != folder and not _is_locked(left):
                    shutil.rmtree(left, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
    except filelock.Timeout:
        raise AlreadyExists(
            f"another run searches this map in {folder.parent}",
            next_step="wait for it, or give another --out",
        ) from None


def _is_locked(folder: Path) -> bool:
    try:
        with filelock.FileLock(folder / _LOCK, timeout=0):
            return False
    except (filelock.Timeout, OSError):
        return True


def write_part(path: Path, part: MeshPart) -> None:
    """Write the cells of one window."""
    _save(path, dataclasses.asdict(part))


def read_part(path: Path) -> MeshPart:
    """Read the cells of one window."""
    with np.load(path, allow_pickle=False) as kept:
        numbers = {"row": int(kept["row"]), "column": int(kept["column"]), "peak": float(kept["peak"])}
        return MeshPart(**(dict(kept) | numbers))


def write_mesh(path: Path, mesh: BackgroundMesh) -> None:
    """Write the background of the whole map."""
    _save(path, dataclasses.asdict(mesh))


def read_mesh(path: Path) -> BackgroundMesh:
    """Read the background of the whole map."""
    with np.load(path, allow_pickle=False) as kept:
        ny, nx = (int(n) for n in kept["shape"])
        numbers = {"shape": (ny, nx), "mesh_pixels": int(kept["mesh_pixels"])}
        return BackgroundMesh(**(dict(kept) | numbers))


def write_result(path: Path, result: Result) -> None:
    """Write what a window gave; floats keep every bit."""
    claims = [dataclasses.asdict(claim) | {"pieces": sorted(claim.pieces)} for claim in result.claims]
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    text = json.dumps({"values": result.values, "claims": claims}, default=_plain)
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def read_result(path: Path) -> Result:
    """Read what a window gave."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Result(values=kept["values"], claims=tuple(_claim(claim) for claim in kept["claims"]))


def _claim(kept: dict[str, Any]) -> Claim:
    y0, x0, y1, x1 = kept.pop("box")
    pieces = frozenset((int(y), int(x)) for y, x in kept.pop("pieces"))
    return Claim(**kept, pieces=pieces, box=(y0, x0, y1, x1))


def _plain(value: Any) -> Any:
    """Turn numpy's numbers and arrays to Python's."""
    return value.tolist()


def _save(path: Path, arrays: dict[str, Any]) -> None:
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    with beside.open("wb") as stream:
        np.savez(stream, **arrays)
    os.replace(beside, path)
