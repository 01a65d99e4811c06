"""The loop in one process: same seed same numbers, resumes as if unbroken, agrees to stop."""

import dataclasses
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.tiny import line
from torch import nn

from helikon.errors import EngineError
from helikon.training.loop import Outcome, train
from helikon.training.recipe import Recipe
from helikon.training.world import Alone


@pytest.fixture(autouse=True)
def _handlers_come_back() -> Any:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _train(recipe: Recipe, folder: Path, records: list[Mapping[str, float]] | None = None) -> Outcome:
    return train(recipe, Alone(), folder, (records if records is not None else []).append)


def _same(one: nn.Module, other: nn.Module) -> bool:
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


def _stopping_at(recipe: Recipe, step: int, number: int = signal.SIGTERM) -> Recipe:
    def batch(at: int, rank: int, size: int) -> Any:
        if at == step:
            os.kill(os.getpid(), number)
        return recipe.batch(at, rank, size)

    return dataclasses.replace(recipe, batch=batch)


def test_the_loss_falls_and_is_reported(tmp_path: Path) -> None:
    records: list[Mapping[str, float]] = []
    outcome = _train(line({"n_steps": "400"}), tmp_path, records)
    assert outcome.is_done
    assert outcome.position.step == 400
    last = records[-1]
    assert (last["step"], last["progress"]) == (400, 1.0)
    assert {"loss", "squared", "error", "points_per_s", "learning_rate", "elapsed_s"} <= set(last)
    assert outcome.position.metrics["loss"] == last["loss"]
    with torch.no_grad():
        x = torch.randn(200, 2)
        untrained = line({"n_steps": "1"}).model()
        y = x @ torch.tensor([2.0, -1.0]) + 0.5
        assert (outcome.module.eval()(x)[:, 0] - y).abs().mean() < (
            untrained.eval()(x)[:, 0] - y
        ).abs().mean()


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(tmp_path: Path) -> None:
    runs = [
        _train(line({"n_steps": "40", "seed": seed}), tmp_path / name).module
        for name, seed in zip("abc", "112", strict=True)
    ]
    assert _same(runs[0], runs[1])
    assert not _same(runs[0], runs[2])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_and_resumed_ends_as_an_unbroken_one(tmp_path: Path, number: int) -> None:
    recipe = line({"n_steps": "60"})
    unbroken = _train(recipe, tmp_path / "unbroken")
    stopped = _train(_stopping_at(recipe, 20, number), tmp_path / "broken")
    assert not stopped.is_done
    assert stopped.position.step == 21
    resumed = _train(recipe, tmp_path / "broken")
    assert resumed.is_done
    assert _same(unbroken.module, resumed.module)
    assert resumed.position.elapsed_s > stopped.position.elapsed_s


def test_validation_does_not_change_what_is_learnt(tmp_path: Path) -> None:
    recipe = line({"n_steps": "60"})
    often = _train(dataclasses.replace(recipe, validate_every_s=0.0), tmp_path / "often")
    never = _train(dataclasses.replace(recipe, validate=None), tmp_path / "never")
    assert _same(often.module, never.module)


def test_the_speed_is_that_of_the_steps_and_not_of_validation(tmp_path: Path) -> None:
    def validate(module: nn.Module) -> Mapping[str, float]:
        time.sleep(0.5)
        return {}

    recipe = dataclasses.replace(line({"n_steps": "10", "pause_s": "0.02"}), validate=validate)
    speed = _train(recipe, tmp_path).position.metrics["points_per_s"]
    assert 16 * 10 / 0.5 < speed < 16 * 10 / 0.2


def test_time_counts_over_all_attempts(tmp_path: Path) -> None:
    recipe = line({"time_limit_s": "1.0", "pause_s": "0.02"})
    first = _train(_stopping_at(recipe, 20), tmp_path)
    assert 0.3 < first.position.elapsed_s < 1.0
    second = _train(recipe, tmp_path)
    assert second.is_done
    assert second.position.elapsed_s >= 1.0
    assert _train(recipe, tmp_path).position.step == second.position.step


def test_a_loss_that_is_not_finite_ends_the_run_and_leaves_the_checkpoint(tmp_path: Path) -> None:
    recipe = line({"n_steps": "30"})

    def losses(module: nn.Module, batch: Any) -> Mapping[str, Any]:
        loss = recipe.losses(module, batch)["squared"]
        return {"squared": loss * float("nan")}

    stopped = _train(_stopping_at(recipe, 10), tmp_path)
    with pytest.raises(EngineError, match="the loss of line is not finite at step 11: got loss nan"):
        _train(dataclasses.replace(recipe, losses=losses), tmp_path)
    assert _train(_stopping_at(recipe, 11), tmp_path).position.step == stopped.position.step + 1
