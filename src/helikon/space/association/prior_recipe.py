"""How the prior is trained: on made-up maps of many kinds, with galaxies and without."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812, the usual name
from safetensors.torch import save
from torch import Tensor, nn

from helikon.errors import InputError
from helikon.space.association.judge import DOUBTFUL, Judge
from helikon.space.association.judge_examples import concatenated, kin_of, look_at_field
from helikon.space.association.judge_recipe import Layers, model_folder, source_model
from helikon.space.association.prior import PRIOR_FEATURES, prior_features
from helikon.space.association.weighing import paired_features
from helikon.space.mask_rcnn.model_files import save_with_part
from helikon.training.recipe import Recipe, cosine, on_cpu, read_options

__all__ = ["MapPairs", "PriorOptions", "prior"]

TRAIN, VALIDATE = 17, 18
"""First number of every seed: of these fields neither network nor judge nor eye has seen any."""
FIELDS_A_STEP = FIELDS_FOR_SCALE = 64
HIDDEN = (16,)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PriorOptions:
    """Options of the recipe ``space/prior``; each is ``--option NAME=VALUE``.

    Attributes
    ----------
    model : str
        ``shipped`` or a model folder: whose judge is corrected.
    n_fields, n_validation_fields : int
        Made-up fields to learn from, and others to tell how good it is.
    n_steps : int
        Steps of 64 fields.
    seed : int
    templates : str
        Folder of maps of real galaxies, or none.
    """

    model: str = "shipped"
    n_fields: int = 640
    n_validation_fields: int = 64
    n_steps: int = 2000
    seed: int = 1
    templates: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MapPairs:
    """The pairs of some maps that the judge is not sure of.

    Attributes
    ----------
    features : ndarray, shape (n, n_prior_features)
    logits : ndarray, shape (n,)
        The log odds of the judge and the eye.
    kin : ndarray of bool, shape (n,)
        Whether a pair is one source.
    """

    features: npt.NDArray[np.float64]
    logits: npt.NDArray[np.float64]
    kin: npt.NDArray[np.bool_]


NOTHING = MapPairs(
    features=np.zeros((0, len(PRIOR_FEATURES))), logits=np.zeros(0), kin=np.zeros(0, dtype=bool)
)


def prior(options: Mapping[str, str]) -> Recipe:
    """Train the prior.

    Parameters
    ----------
    options : Mapping[str, str]
        See :class:`PriorOptions`.
    """
    chosen = read_options(PriorOptions, options, recipe="space/prior")
    return Recipe(
        name="space/prior",
        model=functools.partial(_model, chosen),
        batch=functools.partial(_batch, chosen),
        losses=_losses,
        export=functools.partial(_export, chosen),
        validate=functools.partial(_validate, chosen),
        optimiser=lambda parameters: torch.optim.AdamW(parameters, lr=5e-3, weight_decay=0.1),
        schedule=functools.partial(cosine, warm_up=0.02),
        n_steps=chosen.n_steps,
        batch_size=FIELDS_A_STEP,
        sample="fields",
        validate_every_s=60.0,
        checkpoint_every_s=60.0,
        seed=chosen.seed,
        inputs={"data": f"made-up skies of any kind, prior's seed {chosen.seed}", "model": chosen.model},
    )


class _Prior(nn.Module):
    def __init__(self, examples: npt.NDArray[np.float64]) -> None:
        super().__init__()
        self.prior = Layers(examples, HIDDEN, 1, dropout=0.0)

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        return logits + cast(Tensor, self.prior(features))[:, 0]


def _model(options: PriorOptions) -> nn.Module:
    return _Prior(_all(options, TRAIN, min(FIELDS_FOR_SCALE, options.n_fields)).features)


@functools.cache
def _field(options: PriorOptions, kind: int, number: int) -> MapPairs:
    """Make a field and keep the pairs that the judge is not sure of, and what the map is like."""
    judge = source_model(options.model).judge
    if not isinstance(judge, Judge):
        raise InputError("a prior corrects a judge", got="a model without one", expected="space/judge first")
    seen = look_at_field(
        (kind, options.seed, number),
        source_model(options.model),
        split="train" if kind == TRAIN else "validation",
        templates=options.templates,
        any_kind=True,
    )
    parts, patches = [NOTHING], seen.patches()
    for evidence in seen.tiles:
        kin, known = kin_of(seen, evidence)
        features = paired_features(seen.pairs, evidence)
        logits = judge.logits(features)
        corrected = judge.corrected(features, logits, *seen.ways_to_look(evidence, patches))
        told = prior_features(seen.shapes.like, logits, features)
        rows = np.flatnonzero(known & (np.abs(logits) < DOUBTFUL))
        parts.append(MapPairs(features=told[rows], logits=corrected[rows], kin=kin[rows]))
    return concatenated(parts)


@functools.lru_cache(maxsize=4)
def _all(options: PriorOptions, kind: int, n_fields: int) -> MapPairs:
    pairs = concatenated([NOTHING, *(_field(options, kind, i) for i in range(n_fields))])
    if not len(pairs.kin):
        raise InputError(
            "there is nothing to learn a prior from",
            got=f"{n_fields} fields without a pair that the judge doubts",
            expected="fields with some",
            next_step="raise n_fields and n_validation_fields",
        )
    return pairs


def _batch(options: PriorOptions, step: int, rank: int, world_size: int) -> tuple[Tensor, ...]:
    """Fields drawn by chance, each process from its own part of them."""
    mine = np.arange(rank, options.n_fields, world_size)
    rng = np.random.default_rng([TRAIN, options.seed, step, rank])
    chosen = rng.choice(mine, FIELDS_A_STEP)
    return _tensors(concatenated([NOTHING, *(_field(options, TRAIN, int(i)) for i in chosen)]))


def _tensors(pairs: MapPairs) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(each).float() for each in (pairs.features, pairs.logits, pairs.kin))


def _losses(module: nn.Module, batch: tuple[Tensor, ...]) -> Mapping[str, Tensor]:
    features, logits, kin = batch
    return {"pair": F.binary_cross_entropy_with_logits(module(features, logits), kin)}


def _validate(options: PriorOptions, module: nn.Module) -> Mapping[str, float]:
    features, logits, kin = _tensors(_all(options, VALIDATE, options.n_validation_fields))
    said = on_cpu(module)(features, logits)
    return {
        "held_out_loss": float(F.binary_cross_entropy_with_logits(said, kin)),
        "held_out_loss_without": float(F.binary_cross_entropy_with_logits(logits, kin)),
    }


def _export(options: PriorOptions, module: nn.Module, folder: Path, card: Mapping[str, Any]) -> None:
    """Write the model folder anew with this prior in it."""
    state = {name.replace("layers.", ""): value.float() for name, value in module.state_dict().items()}
    content = save(state)
    told = dict(card) | {"options": dataclasses.asdict(options)}
    save_with_part("prior", content, told, start=model_folder(options.model), folder=folder)
