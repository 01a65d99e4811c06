"""How the eye is trained: on the pairs of made-up skies that a trained judge is not sure of."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, the usual name
from torch import Tensor, nn

from helikon.errors import InputError
from helikon.space.association.eye import EYE_INPUTS
from helikon.space.association.eye_examples import Doubts, join_doubts, kept_doubts
from helikon.space.association.judge_recipe import Standardised, best_temperature, model_folder, source_model
from helikon.space.association.patches import SHAPE
from helikon.space.mask_rcnn.graphs import export_graph
from helikon.space.mask_rcnn.model_files import save_with_part
from helikon.space.mask_rcnn.network import Residual
from helikon.training.recipe import Recipe, cosine, on_cpu, read_options

__all__ = ["EyeOptions", "eye"]

TRAIN, VALIDATE = 15, 16
"""First number of every seed: neither the network nor the judge was trained on these fields."""
SHARE = 0.25
"""A step takes a share of the pairs of some fields, for pairs of one field are alike."""
FIELDS_FOR_SCALE = 32
N_CHANNELS, N_HIDDEN = 16, 96
DROPOUT = 0.25
LOGIT_UNIT = 3.0
AT_ONCE = 1000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EyeOptions:
    """Options of the recipe ``space/eye``; each is ``--option NAME=VALUE``.

    Attributes
    ----------
    model : str
        ``shipped`` or a model folder: whose judge is corrected.
    n_fields, n_validation_fields : int
        Made-up fields to learn from, and others to calibrate on.
    n_steps : int
    batch_size : int
        Fields that a process's step takes pairs of, about ten of each.
    seed : int
    templates : str
        Folder of maps of real galaxies, or none.
    keep : str
        Folder where the pairs of each field are kept for the next run, or none.
    """

    model: str = "shipped"
    n_fields: int = 800
    n_validation_fields: int = 64
    n_steps: int = 3000
    batch_size: int = 24
    seed: int = 1
    templates: str = ""
    keep: str = ""


def eye(options: Mapping[str, str]) -> Recipe:
    """Train the eye.

    Parameters
    ----------
    options : Mapping[str, str]
        See :class:`EyeOptions`.
    """
    chosen = read_options(EyeOptions, options, recipe="space/eye")
    return Recipe(
        name="space/eye",
        model=functools.partial(_model, chosen),
        batch=functools.partial(_batch, chosen),
        losses=_losses,
        export=functools.partial(_export, chosen),
        validate=functools.partial(_validate, chosen),
        optimiser=lambda parameters: torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.1),
        schedule=functools.partial(cosine, warm_up=0.02),
        n_steps=chosen.n_steps,
        batch_size=chosen.batch_size,
        sample="fields",
        validate_every_s=120.0,
        checkpoint_every_s=60.0,
        seed=chosen.seed,
        inputs={"data": f"made-up skies, eye's seed {chosen.seed}", "model": chosen.model},
    )


class _Eye(Standardised):
    """Patches through residual convolutions, then with the features through two layers to a correction."""

    def __init__(self, features: np.ndarray) -> None:
        super().__init__(features)
        n = N_CHANNELS
        self.look = nn.Sequential(
            _convolution(SHAPE[0], n),
            _convolution(n, 2 * n, stride=2), _residual(2 * n),
            _convolution(2 * n, 4 * n, stride=2), _residual(4 * n),
            _convolution(4 * n, 4 * n, stride=2), _residual(4 * n),
            nn.Flatten(), nn.Dropout(DROPOUT),
            nn.Linear(4 * n * (SHAPE[1] // 8) * (SHAPE[2] // 8), N_HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT),
        )  # fmt: skip
        self.weigh = nn.Sequential(
            nn.Linear(N_HIDDEN + features.shape[1] + 1, N_HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT)
        )
        self.correct = nn.Linear(N_HIDDEN, 1)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)

    def forward(self, patches: Tensor, features: Tensor, logits: Tensor) -> Tensor:
        scaled = self.standard(features)
        seen = [self.look(patches), scaled, logits[:, None] / LOGIT_UNIT]
        return logits + cast(Tensor, self.correct(self.weigh(torch.cat(seen, dim=1))))[:, 0]


class _Both(nn.Module):
    """What the eye says of the patches and of their mirror images, on average, over a temperature."""

    def __init__(self, eye: nn.Module, temperature: float = 1.0) -> None:
        super().__init__()
        self.eye, self.temperature = eye, temperature

    def forward(self, patches: Tensor, features: Tensor, logits: Tensor) -> Tensor:
        seen, mirrored = (self.eye(each, features, logits) for each in (patches, patches.flip(2)))
        return cast(Tensor, seen + mirrored) / (2 * self.temperature)


def _residual(n: int) -> Residual:
    """Make a block that begins as none: what its convolutions add is zero."""
    block = Residual(n, n, 1)
    nn.init.zeros_(cast(nn.BatchNorm2d, block.body[-1]).weight)
    return block


def _convolution(n_in: int, n_out: int, *, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.ReLU())


def _model(options: EyeOptions) -> nn.Module:
    n_fields = min(FIELDS_FOR_SCALE, options.n_fields)
    return _Eye(join_doubts([_field(options, TRAIN, i) for i in range(n_fields)]).features)


@functools.cache
def _field(options: EyeOptions, kind: int, number: int) -> Doubts:
    return kept_doubts(
        options.keep,
        (kind, options.seed, number),
        source_model(options.model),
        split="train" if kind == TRAIN else "validation",
        templates=options.templates,
    )


def _batch(options: EyeOptions, step: int, rank: int, world_size: int) -> tuple[Tensor, ...]:
    """Pairs drawn by chance from fields drawn by chance, each process from its own part of them.

    Half the batches are mirrored at the line through the two pieces, half are turned end to end.
    """
    mine = np.arange(rank, options.n_fields, world_size)
    rng = np.random.default_rng([TRAIN, options.seed, step, rank])
    fields = [_field(options, TRAIN, int(i)) for i in rng.choice(mine, options.batch_size)]
    batch = join_doubts([field.only(rng.random(len(field)) < SHARE) for field in fields])
    patches, *others = _tensors(batch)
    for side in (2, 3):
        patches = patches.flip(side) if rng.random() < 0.5 else patches
    return patches, *others, torch.from_numpy(batch.kin).float()


def _losses(module: nn.Module, batch: tuple[Tensor, ...]) -> Mapping[str, Tensor]:
    *shown, kin = batch
    return {"pair": F.binary_cross_entropy_with_logits(module(*shown), kin)}


def _tensors(batch: Doubts) -> tuple[Tensor, Tensor, Tensor]:
    patches = torch.from_numpy(batch.patches).float().contiguous(memory_format=torch.channels_last)
    return patches, torch.from_numpy(batch.features), torch.from_numpy(batch.logits)


def _said(module: nn.Module, doubts: Doubts) -> Tensor:
    parts = [doubts.only(slice(first, first + AT_ONCE)) for first in range(0, len(doubts), AT_ONCE)]
    return torch.cat([module(*_tensors(part)) for part in parts])


def _validation(options: EyeOptions) -> Doubts:
    doubts = join_doubts([_field(options, VALIDATE, i) for i in range(options.n_validation_fields)])
    if not len(doubts):
        raise InputError(
            "there is nothing to validate the eye on",
            got=f"{options.n_validation_fields} fields without a pair that the judge doubts",
            expected="fields with some",
            next_step="raise n_validation_fields",
        )
    return doubts


def _validate(options: EyeOptions, module: nn.Module) -> Mapping[str, float]:
    doubts = _validation(options)
    kin, logits = torch.from_numpy(doubts.kin), torch.from_numpy(doubts.logits)
    said = _said(_Both(on_cpu(module)), doubts)
    figures: dict[str, float] = {}
    for name, values in (("", said), ("_without", logits)):
        joined = values > 0
        figures |= {
            f"held_out_loss{name}": float(F.binary_cross_entropy_with_logits(values, kin.float())),
            f"precision{name}": float((kin & joined).sum() / max(int(joined.sum()), 1)),
            f"recall{name}": float((kin & joined).sum() / max(int(kin.sum()), 1)),
        }
    return figures


def _export(options: EyeOptions, module: nn.Module, folder: Path, card: Mapping[str, Any]) -> None:
    """Write the model folder anew with this eye in it."""
    content = _graph(_Both(module.eval(), _temperature(options, module)))
    told = dict(card) | {"options": dataclasses.asdict(options)}
    save_with_part("eye", content, told, start=model_folder(options.model), folder=folder)


def _temperature(options: EyeOptions, module: nn.Module) -> float:
    doubts = _validation(options)
    kin = torch.from_numpy(doubts.kin).float()
    with torch.inference_mode():
        said = _said(_Both(module.eval()), doubts)
    return best_temperature(lambda temperature: F.binary_cross_entropy_with_logits(said / temperature, kin))


def _graph(module: nn.Module) -> bytes:
    n_features = len(cast(Tensor, module.eye.mean))
    example = torch.zeros((2, *SHAPE)), torch.zeros((2, n_features)), torch.zeros(2)
    n_pairs = {name: {0: "n"} for name in (*EYE_INPUTS, "corrected")}
    return export_graph(module, example, list(EYE_INPUTS), ["corrected"], n_pairs)
