"""Checkpoints: whole or not there.

``checkpoint/step-000000120/`` holds ``weights.safetensors``, ``optimiser.pt``
and ``state.json``. It is written beside and renamed, and only then is the one
before it removed: whenever the process is killed, the newest folder of that
name is whole.
"""

import dataclasses
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_model, save_model
from torch import nn

from helikon.errors import InputError

__all__ = ["Position", "load", "save"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a run has come.

    Attributes
    ----------
    recipe : str
        Name of the recipe and its options as text, to refuse another's checkpoint.
    step : int
        Steps made.
    elapsed_s : float
        Seconds trained, all attempts together.
    metrics : Mapping[str, float]
        The newest figures.
    """

    recipe: str
    step: int = 0
    elapsed_s: float = 0.0
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)


def save(folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer, position: Position) -> Path:
    """Write a checkpoint and remove older ones; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    beside, target = folder / ".writing", folder / f"step-{position.step:09d}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    save_model(module, str(beside / "weights.safetensors"))
    torch.save(optimiser.state_dict(), beside / "optimiser.pt")
    (beside / "state.json").write_text(json.dumps(dataclasses.asdict(position)))
    _to_disk(beside)
    if target.exists():  # the same step again, after a resumed run made none
        shutil.rmtree(target)
    os.replace(beside, target)
    for older in _found(folder):
        if older != target:
            shutil.rmtree(older)
    return target


def load(folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer, recipe: str) -> Position | None:
    """Put the newest checkpoint into a module and its optimiser.

    Parameters
    ----------
    folder : Path
        Where checkpoints are.
    module, optimiser
        As :func:`save` got them.
    recipe : str
        What the checkpoint must be of.

    Returns
    -------
    Position or None
        ``None`` if there is no checkpoint yet.

    Raises
    ------
    InputError
        If it is of another recipe or other options.
    """
    found = _found(folder)
    if not found:
        return None
    newest = found[-1]
    position = Position(**json.loads((newest / "state.json").read_text()))
    if position.recipe != recipe:
        raise InputError(
            f"the checkpoint in {newest} is another run's",
            got=position.recipe,
            expected=recipe,
            next_step="take another name",
        )
    load_model(module, newest / "weights.safetensors")
    state = torch.load(newest / "optimiser.pt", weights_only=True, map_location="cpu")
    optimiser.load_state_dict(state)
    return position


def _found(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*"))


def _to_disk(folder: Path) -> None:
    for path in (*folder.iterdir(), folder):
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
