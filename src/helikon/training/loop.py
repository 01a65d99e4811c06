"""The training loop: one for a single process and for many.

Every step is a function of its number, the seed and the world, so a run that
was killed and resumed ends where an unbroken one does. All processes agree
before each step on what to do next; the first one has the clock and writes.
"""

import dataclasses
import math
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import torch
from torch import nn

from helikon.errors import EngineError
from helikon.training import checkpoint
from helikon.training.checkpoint import Position
from helikon.training.recipe import Recipe
from helikon.training.world import World, moved

__all__ = ["Outcome", "train"]

_REPORT_EVERY_S = 2.0
_DONE, _SIGNALLED = 1.0, 2.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is there when the loop ends.

    Attributes
    ----------
    module : nn.Module
        The trained network.
    position : Position
        How far it came.
    is_done : bool
        ``False`` if a signal ended the loop; it can be resumed.
    """

    module: nn.Module
    position: Position
    is_done: bool


def train(
    recipe: Recipe,
    world: World,
    folder: Path,
    report: Callable[[Mapping[str, float]], None],
    *,
    label: str = "",
    on_start: Callable[[Position], None] = lambda position: None,
) -> Outcome:
    """Run a recipe from its newest checkpoint to its end.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    world : World
        With whom.
    folder : Path
        Where checkpoints are kept.
    report : callable
        Given a record now and then, in the first process only: ``step``,
        ``progress``, ``elapsed_s``, ``learning_rate``, losses, speed and what
        ``validate`` returns.
    label : str
        Recipe and options as text; a checkpoint of another is refused.
    on_start : callable
        Given the position that the run starts from.

    Raises
    ------
    EngineError
        If a loss is not finite.
    """
    loop = _Loop(recipe, world, folder, report, label or recipe.name)
    on_start(loop.position())
    return loop.run()


@dataclasses.dataclass(slots=True)
class _Decision:
    """What all processes do before the next step."""

    stop: float
    save: bool
    validate: bool
    report: bool
    progress: float


class _Loop:
    def __init__(
        self,
        recipe: Recipe,
        world: World,
        folder: Path,
        report: Callable[[Mapping[str, float]], None],
        label: str,
    ) -> None:
        self._recipe, self._world, self._folder, self._report = recipe, world, folder, report
        self._label = label
        torch.manual_seed(recipe.seed)
        self._module = recipe.model().to(world.device)
        self._optimiser = recipe.optimiser(p for p in self._module.parameters() if p.requires_grad)
        self._rates = [float(group["lr"]) for group in self._optimiser.param_groups]
        start = checkpoint.load(folder, self._module, self._optimiser, label) or Position(recipe=label)
        self._step, self._figures = start.step, dict(start.metrics)
        self._joined = world.join(self._module, find_unused_parameters=recipe.find_unused_parameters)
        self._began = time.monotonic() - start.elapsed_s
        self._signalled = False
        self._saved_step = start.step if start.step else -1
        self._last = dict.fromkeys(("save", "validate", "report"), time.monotonic())
        self._losses: dict[str, float] = {}
        self._n_summed, self._summed_s = 0, 0.0

    def position(self) -> Position:
        return Position(
            recipe=self._label, step=self._step, elapsed_s=self._elapsed(), metrics=dict(self._figures)
        )

    def run(self) -> Outcome:
        self._listen()
        self._module.train()
        while not (decision := self._agree()).stop:
            self._act(decision)
            self._make_step(decision.progress)
        is_done = decision.stop == _DONE
        decision.validate, decision.report, decision.save = is_done, is_done, True
        self._act(decision)
        return Outcome(module=self._module, position=self.position(), is_done=is_done)

    def _agree(self) -> _Decision:
        """Decide in the first process; any process can tell that it was asked to stop."""
        values = [_SIGNALLED if self._signalled else 0.0, 0.0, 0.0, 0.0, 0.0]
        if self._world.rank == 0:
            progress = self._progress()
            stop = values[0] or (_DONE if progress >= 1.0 else 0.0)
            due = [float(self._is_due(what)) for what in ("save", "validate", "report")]
            values = [stop, *due, progress]
        stop, save, validate, report, progress = self._world.highest(values)
        return _Decision(stop, bool(save), bool(validate), bool(report), progress)

    def _act(self, decision: _Decision) -> None:
        if decision.validate:
            self._validate()
        if decision.report:
            self._tell(decision.progress)
        if decision.save and self._world.rank == 0 and self._step != self._saved_step:
            checkpoint.save(self._folder, self._module, self._optimiser, self.position())
            self._saved_step = self._step
        now = time.monotonic()
        for what in ("save", "validate", "report"):
            if getattr(decision, what):
                self._last[what] = now

    def _make_step(self, progress: float) -> None:
        recipe, world, began = self._recipe, self._world, time.monotonic()
        torch.manual_seed(_mixed(recipe.seed, self._step, world.rank))
        factor = recipe.schedule(progress)
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        batch = moved(recipe.batch(self._step, world.rank, world.size), world.device)
        losses = recipe.losses(self._joined, batch)
        total = torch.stack(list(losses.values())).sum()
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        self._add({"loss": float(total.detach()), **{key: float(v.detach()) for key, v in losses.items()}})
        if recipe.max_gradient_norm is not None:
            nn.utils.clip_grad_norm_(self._module.parameters(), recipe.max_gradient_norm)
        self._optimiser.step()
        self._step += 1
        self._summed_s += time.monotonic() - began

    def _add(self, losses: dict[str, float]) -> None:
        if not math.isfinite(losses["loss"]):
            parts = ", ".join(f"{key} {value}" for key, value in losses.items())
            raise EngineError(
                f"the loss of {self._recipe.name} is not finite at step {self._step}",
                got=parts,
                next_step="lower the learning rate; the last checkpoint is from before",
            )
        for key, value in losses.items():
            self._losses[key] = self._losses.get(key, 0.0) + value
        self._n_summed += 1

    def _tell(self, progress: float) -> None:
        """Average the losses since the last time over steps and processes, and report them."""
        if self._n_summed:
            means = self._world.mean([value / self._n_summed for value in self._losses.values()])
            n_samples = self._n_summed * self._recipe.batch_size * self._world.size
            self._figures |= dict(zip(self._losses, means, strict=True))
            self._figures[f"{self._recipe.sample}_per_s"] = n_samples / max(self._summed_s, 1e-9)
            self._losses, self._n_summed, self._summed_s = {}, 0, 0.0
        if self._world.rank == 0:
            self._report(
                {
                    "step": self._step,
                    "progress": progress,
                    "elapsed_s": round(self._elapsed(), 3),
                    "learning_rate": float(self._optimiser.param_groups[0]["lr"]),
                    **self._figures,
                }
            )

    def _validate(self) -> None:
        if self._recipe.validate is None or self._world.rank:
            return
        self._module.eval()
        with torch.no_grad(), torch.random.fork_rng():
            self._figures |= {key: float(value) for key, value in self._recipe.validate(self._module).items()}
        self._module.train()

    def _is_due(self, what: str) -> bool:
        recipe = self._recipe
        every = {
            "save": recipe.checkpoint_every_s,
            "validate": recipe.validate_every_s,
            "report": _REPORT_EVERY_S,
        }
        return time.monotonic() - self._last[what] >= every[what]

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _progress(self) -> float:
        steps = self._step / self._recipe.n_steps if self._recipe.n_steps else 0.0
        limit = self._recipe.time_limit_s
        return min(1.0, max(steps, self._elapsed() / limit if limit else 0.0))

    def _listen(self) -> None:
        """Take SIGTERM and Ctrl-C as the wish to stop after this step."""

        def note(number: int, frame: FrameType | None) -> None:
            self._signalled = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, note)


def _mixed(seed: int, step: int, rank: int) -> int:
    """Return a seed of its own for each step of each process (odd multipliers, 63 bits)."""
    mixed = seed * 0x9E3779B97F4A7C15 + step * 0xBF58476D1CE4E5B9 + rank * 0x94D049BB133111EB
    return mixed & 0x7FFF_FFFF_FFFF_FFFF
