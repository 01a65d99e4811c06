"""A checkpoint is whole or not there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from helikon.errors import InputError
from helikon.training.checkpoint import Position, load, save

_SAVE_FOREVER = """
import sys
from pathlib import Path
import torch
from helikon.training.checkpoint import Position, save

module = torch.nn.Linear(300, 300)
optimiser = torch.optim.SGD(module.parameters(), lr=1.0)
step = 0
while True:
    step += 1
    torch.nn.init.constant_(module.weight, step)
    save(Path(sys.argv[1]), module, optimiser, Position(recipe="r", step=step))
"""


def _pair(size: int = 3) -> tuple[nn.Module, torch.optim.Optimizer]:
    module = nn.Linear(size, size)
    return module, torch.optim.AdamW(module.parameters(), lr=0.1)


def _trained() -> tuple[nn.Module, torch.optim.Optimizer]:
    module, optimiser = _pair()
    module(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    return module, optimiser


def test_a_checkpoint_brings_everything_back(tmp_path: Path) -> None:
    module, optimiser = _trained()
    position = Position(recipe="r", step=7, elapsed_s=2.5, metrics={"loss": 0.1})
    save(tmp_path, module, optimiser, position)
    other, its_optimiser = _pair()
    assert load(tmp_path, other, its_optimiser, "r") == position
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), other.parameters(), strict=True))
    before, after = optimiser.state_dict(), its_optimiser.state_dict()
    assert before["param_groups"] == after["param_groups"]
    for key, state in before["state"].items():
        assert all(torch.equal(value, after["state"][key][name]) for name, value in state.items())


def test_tied_weights_are_kept_tied(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    module[1].weight = module[0].weight
    optimiser = torch.optim.SGD(module.parameters(), lr=1.0)
    save(tmp_path, module, optimiser, Position(recipe="r", step=1))
    assert load(tmp_path, module, optimiser, "r") == Position(recipe="r", step=1)


def test_there_is_none_at_first(tmp_path: Path) -> None:
    assert load(tmp_path / "nowhere", *_pair(), "r") is None


def test_only_the_newest_is_kept(tmp_path: Path) -> None:
    for step in (1, 2, 10):
        save(tmp_path, *_pair(), Position(recipe="r", step=step))
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000010"]


def test_another_recipes_checkpoint_is_refused(tmp_path: Path) -> None:
    save(tmp_path, *_pair(), Position(recipe="r", step=1))
    with pytest.raises(InputError, match="is another run's: got r, expected s; take another name"):
        load(tmp_path, *_pair(), "s")


def test_a_kill_at_any_moment_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _SAVE_FOREVER, str(tmp_path)])
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("step-*")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        before = {path.name for path in tmp_path.glob("step-*")}
        while {path.name for path in tmp_path.glob("step-*")} <= before:
            assert time.monotonic() < deadline
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    module, _ = _pair(300)
    position = load(tmp_path, module, torch.optim.SGD(module.parameters(), lr=1.0), "r")
    assert position is not None
    assert torch.equal(module.weight, torch.full((300, 300), float(position.step)))
    save(tmp_path, *_pair(), Position(recipe="r", step=position.step))
