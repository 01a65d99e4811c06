"""Training on a GPU: by one process, and by more processes than there are GPUs."""

import dataclasses
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from tests.training.tiny import line
from torch import Tensor, nn

from helikon.training.loop import train
from helikon.training.recipe import Recipe, on_cpu
from helikon.training.world import find_world, moved

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@dataclasses.dataclass(frozen=True, slots=True)
class _Batch:
    x: Tensor
    more: list[Tensor]
    name: str = "batch"


def test_tensors_of_a_batch_are_moved_wherever_they_are() -> None:
    given = {"batch": _Batch(torch.zeros(2), [torch.zeros(3)]), "both": (torch.ones(1), 7)}
    there = moved(given, torch.device("meta"))
    assert [t.device.type for t in (there["batch"].x, there["batch"].more[0], there["both"][0])] == [
        "meta"
    ] * 3
    assert (there["batch"].name, there["both"][1]) == ("batch", 7)
    assert given["both"][0].device.type == "cpu"


def test_a_module_that_is_on_the_cpu_is_not_copied() -> None:
    here = nn.Linear(2, 2)
    assert on_cpu(here) is here


def _dataclass_line() -> Recipe:
    recipe = line({"n_steps": "400"})

    def batch(step: int, rank: int, size: int) -> _Batch:
        x, y = recipe.batch(step, rank, size)
        return _Batch(x, [y])

    def losses(module: nn.Module, given: _Batch) -> Mapping[str, Tensor]:
        return recipe.losses(module, (given.x, given.more[0]))

    def validate(module: nn.Module) -> Mapping[str, float]:
        assert recipe.validate is not None
        return recipe.validate(on_cpu(module))

    return dataclasses.replace(recipe, batch=batch, losses=losses, validate=validate)


def main(folder: Path) -> None:
    """Train; the first process writes what it came to."""
    world, recipe = find_world(), _dataclass_line()
    outcome = train(recipe, world, folder / "checkpoint", lambda figures: None)
    devices = {str(p.device) for p in outcome.module.parameters()}
    if world.rank == 0:
        assert recipe.validate is not None
        torch.manual_seed(0)
        errors = [recipe.validate(module.eval())["error"] for module in (outcome.module, recipe.model())]
        learnt = errors[0] < 0.8 * errors[1]
        (folder / "came-to.txt").write_text(f"{world.size} {sorted(devices)} {learnt}")
    world.close()


@on_gpu
@pytest.mark.parametrize("n_processes", [1, 1 + torch.cuda.device_count()])
def test_processes_train_on_gpus_of_their_own_or_share_them(tmp_path: Path, n_processes: int) -> None:
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    subprocess.run(
        [*run, str(n_processes), "-m", "tests.training.test_gpu", str(tmp_path)], check=True, timeout=240
    )
    assert (tmp_path / "came-to.txt").read_text() == f"{n_processes} ['cuda:0'] True"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
