"""Model folders: whether one is whole, and how it is copied."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from helikon.errors import InputError

__all__ = ["CARD", "WEIGHTS", "appear", "check_model_folder"]

WEIGHTS, CARD = "weights.safetensors", "model.json"


def check_model_folder(folder: Path) -> None:
    """Refuse what is no whole model folder.

    Raises
    ------
    InputError
        If a file is missing, the card is no JSON object, or the weights are
        cut short. The weights' numbers are not read.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no model folder", got="no folder", expected=f"{WEIGHTS} and {CARD} in it"
        )
    missing = [name for name in (WEIGHTS, CARD) if not (folder / name).is_file()]
    if missing:
        there = ", ".join(sorted(os.listdir(folder))[:5]) or "an empty folder"
        raise InputError(f"{folder} is no model folder", got=there, expected=f"{' and '.join(missing)} in it")
    _check_card(folder / CARD)
    _check_weights(folder / WEIGHTS)


def appear(target: Path, fill: Callable[[Path], object]) -> None:
    """Let a folder appear whole: ``fill`` one beside it, then put it in its place.

    What is in its place already is removed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        fill(beside)
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
            os.replace(target, old / "it")
            os.replace(beside, target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(beside, target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _check_card(path: Path) -> None:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read", got=str(error), expected="a JSON object") from error
    if not isinstance(card, dict):
        raise InputError(f"{path} is no model card", got=type(card).__name__, expected="a JSON object")


def _check_weights(path: Path) -> None:
    """Compare the size of the file with what its header says."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if length < size else {}
        tensors = [entry for key, entry in header.items() if key != "__metadata__"]
        expected = 8 + length + max((entry["data_offsets"][1] for entry in tensors), default=0)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged", got=str(error), expected="a safetensors file") from error
    if size != expected:
        raise InputError(f"{path} is damaged", got=f"{size} bytes", expected=f"{expected} bytes")
