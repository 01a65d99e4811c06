"""How the source model is trained, from nothing or from the weights that come with Helikon."""

import copy
import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN

from helikon.errors import InputError
from helikon.space.batches import Batch, make_batch
from helikon.space.card import SHIPPED
from helikon.space.classes import CLASSES
from helikon.space.mask_rcnn.graphs import export_graphs
from helikon.space.mask_rcnn.model_files import keep_parts, load_network, save_model
from helikon.space.mask_rcnn.network import build_network
from helikon.space.mask_rcnn.tile_score import score_tiles
from helikon.space.mask_rcnn.training_tiles import TRAIN, VALIDATE, Tile, make_tile
from helikon.space.model import SourceModel
from helikon.training import recipe as training
from helikon.training.recipe import Recipe, cosine

__all__ = ["DATA_VERSION", "TrainingOptions", "mask_rcnn", "read_options"]

DATA_VERSION = "made-up skies 6"
"""Changes whenever the same seed gives other training tiles."""
_SCRATCH_RATE, _FINE_RATE = 1.2e-3, 3e-5
_GENTLE_RATE = 1e-4
"""Up to this learning rate the normalisation statistics stay as they are."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """Options of the recipe ``space/mask-rcnn``; each is ``--option NAME=VALUE``.

    Attributes
    ----------
    start : str
        ``shipped`` to go on from the weights that come with Helikon,
        ``scratch`` for random weights, or a model folder. Normalisation
        statistics are trained at learning rates above 1e-4 only.
    time_limit_s : float
        Seconds to train at most; the learning rate falls to zero at its end.
    n_steps : int
        Steps to train at most; 0 for no limit but the time.
    seed : int
        Of weights, tiles and sampling.
    tile_size : int
        Pixels, a multiple of 32.
    batch_size : int
        Tiles a step and process.
    learning_rate : float
        Largest learning rate; 0 takes 1.2e-3 from scratch, 3e-5 else.
    precision : str
        ``bfloat16``, ``float32``, or ``auto``: the former on a CPU that has
        instructions for it, the latter elsewhere.
    templates : str
        Folder of maps of real galaxies (see ``skies.templates``) for half of
        the extended sources; without one all shapes are made up.
    n_validation_tiles : int
        Held-out tiles that the model is judged on now and then.
    """

    start: str = "shipped"
    time_limit_s: float = 60.0
    n_steps: int = 0
    seed: int = 1
    tile_size: int = 256
    batch_size: int = 2
    learning_rate: float = 0.0
    precision: str = "auto"
    templates: str = ""
    n_validation_tiles: int = 12

    @property
    def from_scratch(self) -> bool:
        """Whether training begins with random weights."""
        return self.start == "scratch"

    @property
    def rate(self) -> float:
        """Largest learning rate."""
        return self.learning_rate or (_SCRATCH_RATE if self.from_scratch else _FINE_RATE)


def read_options(options: Mapping[str, str]) -> TrainingOptions:
    """Read options from text.

    Raises
    ------
    InputError
        If a name is unknown or a value cannot be used.
    """
    chosen = training.read_options(TrainingOptions, options, recipe="space/mask-rcnn")
    if chosen.tile_size % 32 or chosen.tile_size < 64:
        expected = "a multiple of 32 from 64"
        raise InputError("tile_size cannot be used", got=chosen.tile_size, expected=expected)
    if chosen.batch_size < 1 or chosen.time_limit_s <= 0 or chosen.rate <= 0:
        raise InputError("batch_size, time_limit_s and learning_rate must be positive", got=dict(options))
    if chosen.precision not in ("auto", "bfloat16", "float32"):
        raise InputError("no such precision", got=chosen.precision, expected="auto, bfloat16 or float32")
    return chosen


def mask_rcnn(options: Mapping[str, str]) -> Recipe:
    """Train the source model on made-up skies.

    Parameters
    ----------
    options : Mapping[str, str]
        See :class:`TrainingOptions`.

    Returns
    -------
    helikon.training.recipe.Recipe
    """
    chosen = read_options(options)
    return Recipe(
        name="space/mask-rcnn",
        model=functools.partial(_model, chosen),
        batch=functools.partial(_batch, chosen),
        losses=functools.partial(_losses, chosen),
        export=functools.partial(_export, chosen),
        validate=functools.partial(_validate, chosen),
        optimiser=functools.partial(_optimiser, chosen),
        schedule=functools.partial(cosine, warm_up=0.03),
        n_steps=chosen.n_steps or None,
        time_limit_s=chosen.time_limit_s,
        batch_size=chosen.batch_size,
        sample="tiles",
        checkpoint_every_s=max(15.0, chosen.time_limit_s / 40),
        validate_every_s=max(30.0, chosen.time_limit_s / 12),
        max_gradient_norm=5.0,
        seed=chosen.seed,
        inputs={"data": f"{DATA_VERSION}, training seed {chosen.seed}", "start": chosen.start},
    )


def _model(options: TrainingOptions) -> nn.Module:
    if options.from_scratch:
        network = build_network(len(CLASSES) + 1)
    else:
        network = load_network(None if options.start == "shipped" else Path(options.start))
    trained: nn.Module = network.to(memory_format=torch.channels_last).train()
    return trained


def _batch(options: TrainingOptions, step: int, rank: int, world_size: int) -> Batch:
    return make_batch(
        TRAIN,
        options.seed,
        step,
        rank=rank,
        batch_size=options.batch_size,
        tile_size=options.tile_size,
        templates=options.templates,
    )


def _losses(options: TrainingOptions, module: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    if options.rate <= _GENTLE_RATE:
        _freeze_norms(module)
    kind = batch.images[0].device.type
    with torch.autocast(kind, torch.bfloat16, enabled=_half(options.precision, kind)):
        losses: dict[str, Tensor] = module(batch.images, batch.targets)
    return {name.removeprefix("loss_"): value.float() for name, value in losses.items()}


def _freeze_norms(module: nn.Module) -> None:
    """Keep normalisation statistics: a few tiles at a small learning rate would only blur them."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eval()


def _half(precision: str, kind: str) -> bool:
    if precision == "auto" and kind == "cpu":
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and "avx512_bf16" in _cpu_flags()
    return precision == "bfloat16"


@functools.cache
def _cpu_flags() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _optimiser(options: TrainingOptions, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=options.rate, weight_decay=1e-3)


@functools.lru_cache(maxsize=1)
def _validation_tiles(n_tiles: int, tile_size: int, templates: str) -> tuple[Tile, ...]:
    """Tiles of ever other fields; seeds apart from training's."""
    return tuple(
        make_tile(VALIDATE, 0, 0, 8 * i, size=tile_size, templates=templates) for i in range(n_tiles)
    )


def _validate(options: TrainingOptions, module: nn.Module) -> Mapping[str, float]:
    model = SourceModel(export_graphs(cast(MaskRCNN, copy.deepcopy(module).cpu())))
    figures = score_tiles(
        model, _validation_tiles(options.n_validation_tiles, options.tile_size, options.templates)
    )
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def _export(options: TrainingOptions, module: nn.Module, folder: Path, card: Mapping[str, Any]) -> None:
    training = {"recipe": "space/mask-rcnn", "options": dataclasses.asdict(options), "data": DATA_VERSION}
    save_model(cast(MaskRCNN, module), training | dict(card), folder)
    if not options.from_scratch:
        keep_parts(SHIPPED if options.start == "shipped" else Path(options.start), folder)
