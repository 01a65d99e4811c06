"""What to train, said apart from how it is run.

A training recipe is a function from its options (text) to a :class:`Recipe`:
a handful of functions and numbers. The loop is the same for one process and
for many, and the recipe does not know which it is in.
"""

import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from helikon.errors import InputError

__all__ = ["Recipe", "adamw", "constant", "cosine", "on_cpu", "read_options"]

_Options = TypeVar("_Options")


def read_options(kind: type[_Options], options: Mapping[str, str], *, recipe: str) -> _Options:
    """Read a recipe's options from text.

    Parameters
    ----------
    kind : type
        A dataclass; every field has a default of the type that its text is read as.
    options : Mapping[str, str]
        Name to text.
    recipe : str
        Its name, for messages.

    Raises
    ------
    InputError
        If a name is unknown or a value cannot be read.
    """
    types = {field.name: type(field.default) for field in dataclasses.fields(cast(Any, kind))}
    if unknown := sorted(set(options) - set(types)):
        expected = f"one of {', '.join(types)}"
        raise InputError(f"no such option of {recipe}", got=", ".join(unknown), expected=expected)
    return kind(**{name: _value(name, text, types[name]) for name, text in options.items()})


def _value(name: str, text: str, kind: type[Any]) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise InputError(f"option {name} cannot be read", got=repr(text), expected=kind.__name__) from None


def on_cpu(module: nn.Module) -> nn.Module:
    """Return a module that is on the CPU: itself, or a copy of one that trains elsewhere."""
    if all(tensor.device.type == "cpu" for tensor in module.state_dict().values()):
        return module
    return copy.deepcopy(module).cpu()


def adamw(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return AdamW with a learning rate of 1e-3 and PyTorch's own defaults else."""
    return torch.optim.AdamW(parameters, lr=1e-3)


def constant(progress: float) -> float:
    """Leave the learning rate as the optimiser has it."""
    return 1.0


def cosine(progress: float, *, warm_up: float = 0.05) -> float:
    """Rise linearly over ``warm_up`` of the run, then fall as half a cosine to zero."""
    import math

    if progress < warm_up:
        return max(progress, 0.01 * warm_up) / warm_up
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (progress - warm_up) / (1.0 - warm_up))))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training run.

    Attributes
    ----------
    name : str
        What is trained, for records and messages.
    model : callable
        Makes the network, with the weights it starts from. The global random
        generator is seeded with ``seed`` before the call.
    batch : callable
        ``(step, rank, world_size)`` to whatever ``losses`` takes. It must
        depend on nothing else: a run that resumes asks for the same steps again.
        Tensors in lists, tuples, dictionaries and dataclasses are moved to the
        device before ``losses`` gets them.
    losses : callable
        ``(module, batch)`` to named scalar losses; their sum is minimised.
        Call ``module`` itself, not a part of it: gradients are averaged over
        the processes by what is wrapped around it.
    export : callable
        ``(module, folder, card)`` writes the model folder: at least
        ``weights.safetensors`` and ``model.json``, into which it puts
        ``card``, what the loop knows of the run. ``folder`` exists and is
        empty; the module is in evaluation mode and on the CPU.
    validate : callable, optional
        ``module`` to named figures; run by the first process, without
        gradients, with the module in evaluation mode, on the device that it
        trains on (see :func:`on_cpu`).
    optimiser : callable
        Parameters that need gradients to an optimiser.
    schedule : callable
        Progress through the run, 0 to 1, to a factor on the learning rate.
    n_steps : int, optional
        Steps to make.
    time_limit_s : float, optional
        Seconds to train at most, all attempts together. One of the two must
        be given; with both, whichever comes first.
    batch_size : int
        Samples in one process's batch; only for the record.
    sample : str
        What a sample is called, in the plural, in the progress line.
    checkpoint_every_s, validate_every_s : float
        Seconds between two.
    max_gradient_norm : float, optional
        Gradients are scaled down to this norm.
    seed : int
        Of the weights and of every random number in the loop.
    find_unused_parameters : bool
        Set it if some parameters take no part in some steps.
    inputs : Mapping[str, str]
        What goes in, name to a path or a description; kept with the run.
    """

    name: str
    model: Callable[[], nn.Module]
    batch: Callable[[int, int, int], Any]
    losses: Callable[[nn.Module, Any], Mapping[str, Tensor]]
    export: Callable[[nn.Module, Path, Mapping[str, Any]], None]
    validate: Callable[[nn.Module], Mapping[str, float]] | None = None
    optimiser: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] = adamw
    schedule: Callable[[float], float] = constant
    n_steps: int | None = None
    time_limit_s: float | None = None
    batch_size: int = 1
    sample: str = "images"
    checkpoint_every_s: float = 15.0
    validate_every_s: float = 30.0
    max_gradient_norm: float | None = None
    seed: int = 0
    find_unused_parameters: bool = False
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a run that would never end."""
        if self.n_steps is None and self.time_limit_s is None:
            raise InputError(
                f"recipe {self.name} would never end", expected="n_steps or time_limit_s", got="neither"
            )
