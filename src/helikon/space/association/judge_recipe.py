"""How the judges are trained: on what a trained network and the classical step say of made-up fields."""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, the usual name
from safetensors.torch import save
from torch import Tensor, nn

from helikon.space.association.glance_fit import fit_glance
from helikon.space.association.judge_examples import Examples, join_examples, make_examples
from helikon.space.association.perceptron import Perceptron
from helikon.space.card import SHIPPED
from helikon.space.classes import CLASSES
from helikon.space.mask_rcnn.model_files import save_with_part
from helikon.space.model import SourceModel, load_model
from helikon.training.recipe import Recipe, cosine, on_cpu, read_options

__all__ = [
    "JudgeOptions",
    "Layers",
    "Standardised",
    "best_temperature",
    "judge",
    "model_folder",
    "source_model",
]

_Tensors = tuple[Tensor, Tensor, Tensor, Tensor]

TRAIN, VALIDATE = 11, 12
"""First number of every seed: these fields are not those that the network was trained on."""
HIDDEN, DROPOUT = (96, 96), 0.1
FIELDS_A_STEP = 8
FIELDS_FOR_SCALE = 8
FIELDS_FOR_GLANCE = 400


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOptions:
    """Options of the recipe ``space/judge``; each is ``--option NAME=VALUE``.

    Attributes
    ----------
    model : str
        ``shipped`` or a model folder: whose network is listened to.
    n_fields, n_validation_fields : int
        Made-up fields to learn from, and others to stop and calibrate on.
    n_steps : int
        Steps of eight fields.
    seed : int
    templates : str
        Folder of maps of real galaxies, or none.
    """

    model: str = "shipped"
    n_fields: int = 320
    n_validation_fields: int = 24
    n_steps: int = 3000
    seed: int = 1
    templates: str = ""


def judge(options: Mapping[str, str]) -> Recipe:
    """Train the judges of pairs and of sources.

    Parameters
    ----------
    options : Mapping[str, str]
        See :class:`JudgeOptions`.
    """
    chosen = read_options(JudgeOptions, options, recipe="space/judge")
    return Recipe(
        name="space/judge",
        model=functools.partial(_model, chosen),
        batch=functools.partial(_batch, chosen),
        losses=_losses,
        export=functools.partial(_export, chosen),
        validate=functools.partial(_validate, chosen),
        optimiser=lambda parameters: torch.optim.AdamW(parameters, lr=2e-3, weight_decay=1e-3),
        schedule=functools.partial(cosine, warm_up=0.02),
        n_steps=chosen.n_steps,
        batch_size=FIELDS_A_STEP,
        sample="fields",
        validate_every_s=60.0,
        checkpoint_every_s=60.0,
        seed=chosen.seed,
        inputs={"data": f"made-up skies, judge's seed {chosen.seed}", "model": chosen.model},
    )


class Standardised(nn.Module):
    """A network of features whose mean and deviation, those of some examples, are not trained."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, examples: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(examples.mean(axis=0)).float())
        self.register_buffer("deviation", torch.from_numpy(np.maximum(examples.std(axis=0), 1e-3)).float())

    def standard(self, features: Tensor) -> Tensor:
        """Return features in deviations from the mean, six at most."""
        return ((features - self.mean) / self.deviation).clamp(-6, 6)


class Layers(Standardised):
    """Hidden layers of so many cells each, and an output layer; ``Perceptron`` reads it."""

    def __init__(self, examples: np.ndarray, hidden: tuple[int, ...], n_out: int, *, dropout: float) -> None:
        super().__init__(examples)
        self.dropout = dropout
        sizes = [examples.shape[1], *hidden, n_out]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))

    def forward(self, features: Tensor) -> Tensor:
        """Return the last layer's values (n, n_out)."""
        x = self.standard(features)
        for number, layer in enumerate(self.layers):
            x = layer(F.dropout(torch.relu(x), self.dropout, self.training) if number else x)
        return x


class _Judges(nn.Module):
    def __init__(self, examples: Examples) -> None:
        super().__init__()
        self.pair = Layers(examples.pairs, HIDDEN, 1, dropout=DROPOUT)
        self.source = Layers(examples.sources, HIDDEN, len(CLASSES), dropout=DROPOUT)

    def forward(self, pairs: Tensor, sources: Tensor) -> tuple[Tensor, Tensor]:
        return self.pair(pairs)[:, 0], self.source(sources)


def _model(options: JudgeOptions) -> nn.Module:
    return _Judges(
        join_examples([_field(options, TRAIN, i) for i in range(min(FIELDS_FOR_SCALE, options.n_fields))])
    )


@functools.cache
def source_model(folder: str) -> SourceModel:
    """Read a model folder once, or ``shipped``."""
    return load_model(model_folder(folder))


def model_folder(name: str) -> Path:
    """Return the folder of a model, or of the one that is ``shipped``."""
    return SHIPPED if name == "shipped" else Path(name)


@functools.cache
def _field(options: JudgeOptions, kind: int, number: int) -> Examples:
    return make_examples(
        (kind, options.seed, number),
        source_model(options.model),
        split="train" if kind == TRAIN else "validation",
        templates=options.templates,
    )


def _batch(options: JudgeOptions, step: int, rank: int, world_size: int) -> _Tensors:
    """Fields drawn by chance, each process from its own part of them."""
    mine = np.arange(rank, options.n_fields, world_size)
    rng = np.random.default_rng([TRAIN, options.seed, step, rank])
    return _tensors(join_examples([_field(options, TRAIN, int(i)) for i in rng.choice(mine, FIELDS_A_STEP)]))


def _tensors(examples: Examples) -> _Tensors:
    pairs, kin, sources = (
        torch.from_numpy(each).float() for each in (examples.pairs, examples.kin, examples.sources)
    )
    return pairs, kin, sources, torch.from_numpy(examples.classes)


def _losses(module: nn.Module, batch: _Tensors) -> Mapping[str, Tensor]:
    pairs, kin, sources, classes = batch
    of_pairs, of_sources = module(pairs, sources)
    return {
        "pair": F.binary_cross_entropy_with_logits(of_pairs, kin) * 4,
        "source": F.cross_entropy(of_sources, classes),
    }


def _validation(options: JudgeOptions) -> Examples:
    return join_examples([_field(options, VALIDATE, i) for i in range(options.n_validation_fields)])


def _validate(options: JudgeOptions, module: nn.Module) -> Mapping[str, float]:
    examples = _validation(options)
    features, _, groups, _ = _tensors(examples)
    pairs, sources = on_cpu(module)(features, groups)
    kin, said = examples.kin > 0.5, (pairs > 0).numpy()
    best = sources.argmax(dim=1).numpy()
    figures = {
        "pair_precision": float((kin & said).sum() / max(said.sum(), 1)),
        "pair_recall": float((kin & said).sum() / max(kin.sum(), 1)),
    }
    for index, name in enumerate(CLASSES):
        both = ((best == index) & (examples.classes == index)).sum()
        either = (best == index).sum() + (examples.classes == index).sum()
        figures[f"f1_{name.replace('-', '_')}"] = float(2 * both / max(either, 1))
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def _export(options: JudgeOptions, module: nn.Module, folder: Path, card: Mapping[str, Any]) -> None:
    """Write the model folder anew with these judges in it."""
    state = {name.replace("layers.", ""): value.float() for name, value in module.state_dict().items()}
    with torch.inference_mode():
        _cool(state, module, _validation(options))
    some = [_field(options, TRAIN, i) for i in range(min(FIELDS_FOR_GLANCE, options.n_fields))]
    state |= fit_glance(join_examples(some), Perceptron.read(_arrays(state), "pair"))
    content = save({name: value.contiguous() for name, value in state.items()})
    told = dict(card) | {"options": dataclasses.asdict(options)}
    save_with_part("judge", content, told, start=model_folder(options.model), folder=folder)


def _cool(state: dict[str, Tensor], module: nn.Module, examples: Examples) -> None:
    """Divide the last layers by the temperature that fits held-out fields best."""
    features, kin, groups, classes = _tensors(examples)
    pairs, sources = module(features, groups)
    temperatures = {
        "pair": best_temperature(lambda t: F.binary_cross_entropy_with_logits(pairs / t, kin)),
        "source": best_temperature(lambda t: F.cross_entropy(sources / t, classes)),
    }
    for name, temperature in temperatures.items():
        for part in ("weight", "bias"):
            state[f"{name}.2.{part}"] = state[f"{name}.2.{part}"] / temperature


def _arrays(state: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in state.items()}


def best_temperature(loss: Callable[[float], Tensor]) -> float:
    """Return the temperature of the least loss, from 0.5 to 3 (Guo et al. 2017, ICML 70)."""
    temperatures = np.geomspace(0.5, 3, 60).tolist()
    return float(min(temperatures, key=lambda temperature: float(loss(temperature))))
