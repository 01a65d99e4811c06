"""Cut the work into units of two to five seconds, whose bytes follow from the plan alone. Pure.

A unit is a rectangle of chips. It is planned from pixels and bands, at a rate
that was measured, and from what it writes; never from the number of cores, so
that every engine writes the same shards.
"""

import dataclasses
import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from helikon.earth.chips import Chip, ChipPlan
from helikon.earth.grid import Grid, Window
from helikon.earth.read import Wanted
from helikon.earth.scene import Scene
from helikon.earth.shards import shard_key
from helikon.spark.tasks import plan_groups

if TYPE_CHECKING:
    from helikon.spark.objects import Folder

__all__ = ["EARTH_VERSION", "Job", "Step", "Task", "Unit", "cut_units"]

EARTH_VERSION = 1
"""Raised when the same scenes and options would give other numbers."""

_RATE = 25e6
"""Pixels of one band that a core reads, masks, indexes and writes in a second."""
_UNIT_S = 3.0
_SHARD_BYTES = 48 * 2**20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A time step: its label and the scenes that it is made of, in order."""

    label: str
    scenes: tuple[Scene, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is the same for all units.

    Attributes
    ----------
    out : Folder
        Where everything is written.
    chips : ChipPlan
        The grid and how it is cut.
    wanted : Wanted
        What is made of each scene, with what only guides the composite.
    names : tuple of str
        Bands that are kept, the first of what is wanted.
    composite : str
        See :func:`helikon.earth.composite.composite`.
    guide : int
        Number of the band that holds the NDVI, or -1.
    min_clear : float
        Chips with a smaller clear fraction are left out.
    fill : float
        Stands for nothing in chips.
    form : str
        ``npz``, ``zarr``, or ``none`` for no chips.
    image : bool
        Whether pieces of the composite are written.
    n_slots : int
        Most chips in a unit.
    raw : bool
        Shards are an intermediate, to be normalised.
    """

    out: "Folder"
    chips: ChipPlan
    wanted: Wanted
    names: tuple[str, ...]
    composite: str
    guide: int = -1
    min_clear: float = 0.5
    fill: float = math.nan
    form: str = "npz"
    image: bool = True
    n_slots: int = 1
    raw: bool = False

    def shard_key(self, number: int, n_steps: int) -> str:
        """Return the key of a unit's shard, as its first pass writes it."""
        key = shard_key(self.form, number, 1 + len(self.chip_shape(n_steps)))
        return f"raw/{key}" if self.raw else key

    def chip_shape(self, n_steps: int) -> tuple[int, ...]:
        """Return the shape of a chip, which has a time axis if there are several time steps."""
        shape = (len(self.names), self.chips.size, self.chips.size)
        return (n_steps, *shape) if n_steps > 1 else shape


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A rectangle of chips: their rows and columns, ends exclusive."""

    number: int
    rows: tuple[int, int]
    cols: tuple[int, int]

    def chips(self) -> list[Chip]:
        """Return its chips, row by row."""
        return [Chip(row, col) for row in range(*self.rows) for col in range(*self.cols)]

    def window(self, plan: ChipPlan) -> Window:
        """Return the pixels that its chips need, within the grid."""
        first, last = (
            plan.window(Chip(self.rows[0], self.cols[0])),
            plan.window(Chip(self.rows[1] - 1, self.cols[1] - 1)),
        )
        whole = Window(
            row=first.row,
            col=first.col,
            height=last.row + last.height - first.row,
            width=last.col + last.width - first.col,
        )
        return whole.meet(plan.grid.window)

    def own(self, plan: ChipPlan) -> Window:
        """Return the pixels that are its alone: without what the next unit has too."""
        window = self.window(plan)
        height = window.height if self.rows[1] == plan.n_rows else (self.rows[1] - self.rows[0]) * plan.stride
        width = window.width if self.cols[1] == plan.n_cols else (self.cols[1] - self.cols[0]) * plan.stride
        return dataclasses.replace(window, height=height, width=width)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A unit and the scenes that reach into it, by time step.

    Attributes
    ----------
    job : Job
    unit : Unit
    steps : tuple of Step
        All time steps, with the scenes that reach into the unit.
    finished : bool
        The whole job was finished before, so that pieces and raw shards are
        gone and need not be there.
    """

    job: Job
    unit: Unit
    steps: tuple[Step, ...]
    finished: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides on what the unit writes."""
        content: dict[str, Any] = dataclasses.asdict(self)
        content["job"]["out"] = content["finished"] = ""
        for step in content["steps"]:
            for scene in step["scenes"]:
                for part in (*scene["bands"], *scene["quality"]):
                    part["raster"]["folder"] = part["raster"]["folder"]["url"]
        content["version"] = EARTH_VERSION
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def cut_units(chips: ChipPlan, seconds_per_chip: float, bytes_per_chip: int) -> list[Unit]:
    """Cut the rows and columns of chips into units.

    Parameters
    ----------
    chips : ChipPlan
    seconds_per_chip : float
        See :func:`chip_seconds`.
    bytes_per_chip : int
        That one chip is written with.
    """
    most = max(1, min(int(_UNIT_S / seconds_per_chip), _SHARD_BYTES // bytes_per_chip))
    n_cols = min(chips.n_cols, most)
    n_rows = max(1, most // n_cols)
    rows = plan_groups(chips.n_rows, math.ceil(chips.n_rows / n_rows))
    cols = plan_groups(chips.n_cols, math.ceil(chips.n_cols / n_cols))
    spans = [((r.start, r.stop), (c.start, c.stop)) for r in rows for c in cols]
    return [Unit(number=number, rows=rows, cols=cols) for number, (rows, cols) in enumerate(spans)]


def chip_seconds(chips: ChipPlan, native: Grid, n_scenes: float, n_inputs: int) -> float:
    """Return about how many seconds a core needs for one chip.

    Parameters
    ----------
    chips : ChipPlan
    native : Grid
        Of the scenes.
    n_scenes : float
        That cover a place, on average.
    n_inputs : int
        Files that are read of each.
    """
    own, its = chips.grid.bounds_in(native.crs), native.resolution
    per_pixel = (own[2] - own[0]) * (own[3] - own[1]) / (chips.grid.width * chips.grid.height)
    ratio = max(1.0, per_pixel / (its[0] * its[1]))
    return max(1e-6, chips.stride**2 * ratio * max(1.0, n_scenes) * n_inputs / _RATE)
