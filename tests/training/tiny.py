"""A recipe of seconds: a small network learns a line; for tests only."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_model
from torch import Tensor, nn

from helikon.training.recipe import Recipe, cosine


def line(options: Mapping[str, str]) -> Recipe:
    """Learn y = 2 x1 - x2 + 0.5."""
    pause_s = float(options.get("pause_s", "0"))

    def batch(step: int, rank: int, world_size: int) -> tuple[Tensor, Tensor]:
        time.sleep(pause_s)
        if step == int(options.get("die_at", "-1")) and rank == int(options.get("die_rank", "0")):
            os.kill(os.getpid(), 9)
        generator = torch.Generator().manual_seed(1000 * step + rank)
        x = torch.randn(16, 2, generator=generator)
        return x, x @ torch.tensor([2.0, -1.0]) + 0.5

    def losses(module: nn.Module, sample: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        x, y = sample
        loss = ((module(x)[:, 0] - y) ** 2).mean()
        return {"squared": loss * float(options.get("scale", "1"))}

    def validate(module: nn.Module) -> dict[str, float]:
        x = torch.randn(64, 2)
        return {"error": float((module(x)[:, 0] - (x @ torch.tensor([2.0, -1.0]) + 0.5)).abs().mean())}

    return Recipe(
        name="line",
        model=lambda: nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 1)),
        batch=batch,
        losses=losses,
        validate=validate,
        export=export,
        schedule=cosine,
        n_steps=int(options["n_steps"]) if "n_steps" in options else None,
        time_limit_s=float(options["time_limit_s"]) if "time_limit_s" in options else None,
        batch_size=16,
        sample="points",
        checkpoint_every_s=float(options.get("checkpoint_every_s", "0.2")),
        validate_every_s=0.3,
        max_gradient_norm=1.0,
        seed=int(options.get("seed", "3")),
        inputs={"points": "made up"},
    )


def export(module: nn.Module, folder: Path, card: Mapping[str, Any]) -> None:
    """Write the model folder."""
    save_model(module, str(folder / "weights.safetensors"))
    (folder / "model.json").write_text(json.dumps(dict(card)))
