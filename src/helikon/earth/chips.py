"""Where chips lie on the grid, and which split each belongs to. Pure.

Chips stand in rows and columns, one ``size - overlap`` after the other; the
last ones reach over the grid's edge, where there is nothing.
"""

import dataclasses
import hashlib
import math
from collections.abc import Iterator

from helikon.earth.grid import Grid, Window
from helikon.errors import InputError

__all__ = ["SPLITS", "Chip", "ChipPlan"]

SPLITS = ("train", "validation", "test", "guard")
"""``guard`` chips touch a chip of another split and are kept apart."""
_RANK = {"train": 0, "validation": 1, "test": 2}


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Chip:
    """The chip in a row and a column of chips."""

    row: int
    col: int

    @property
    def key(self) -> str:
        """What it is called: ``r00012c00034``."""
        return f"r{self.row:05d}c{self.col:05d}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChipPlan:
    """How a grid is cut.

    Attributes
    ----------
    grid : Grid
    size, overlap : int
        In pixels; ``0 <= overlap < size``.
    shares : tuple of float
        Of train, validation and test; their sum is 1.
    block : int
        Chips along each side of a block; all chips whose centres lie in one
        block are of one split.
    """

    grid: Grid
    size: int
    overlap: int = 0
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15)
    block: int = 4

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        if not 0 <= self.overlap < self.size:
            raise InputError(
                "the overlap of chips cannot be used",
                got=f"{self.overlap} of {self.size} pixels",
                expected="0 or more, and less than the chip",
            )
        if min(self.shares) < 0 or not math.isclose(sum(self.shares), 1, abs_tol=1e-6) or self.block < 1:
            raise InputError(
                "the split cannot be used",
                got=f"{self.shares}, blocks of {self.block} chips",
                expected="three shares that add up to 1, and blocks of 1 or more",
            )

    @property
    def stride(self) -> int:
        """Pixels from one chip to the next."""
        return self.size - self.overlap

    @property
    def n_rows(self) -> int:
        """Rows of chips."""
        return max(1, math.ceil((self.grid.height - self.overlap) / self.stride))

    @property
    def n_cols(self) -> int:
        """Columns of chips."""
        return max(1, math.ceil((self.grid.width - self.overlap) / self.stride))

    def window(self, chip: Chip) -> Window:
        """Return a chip's pixels; it may reach over the grid's edge."""
        row, col = chip.row * self.stride, chip.col * self.stride
        return Window(row=row, col=col, height=self.size, width=self.size)

    def block_of(self, chip: Chip) -> tuple[int, int]:
        """Return the block that a chip's centre lies in, counted from the CRS's origin.

        So another grid of the same CRS and resolution, from another scene of
        the same place, has the same blocks.
        """
        (a, _, c, _, e, f), window = self.grid.transform, self.window(chip)
        x, y = c + a * (window.col + self.size / 2), f + e * (window.row + self.size / 2)
        width, height = self.grid.resolution
        length = self.block * self.stride
        return math.floor(x / (length * width)), math.floor(y / (length * height))

    def block_split(self, block: tuple[int, int]) -> str:
        """Return the split of a block: the SHA-256 of CRS, block size and place decides."""
        length = self.block * self.stride * self.grid.resolution[0]
        text = f"{self.grid.crs} {length:.6g} {block[0]} {block[1]}"
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
        if number < self.shares[0]:
            return "train"
        return "validation" if number < self.shares[0] + self.shares[1] else "test"

    def split(self, chip: Chip) -> str:
        """Return a chip's split.

        A chip that touches or overlaps one of a split that weighs more (test,
        then validation, then train) is a guard, so no two splits ever touch.
        """
        own = self.block_split(self.block_of(chip))
        around = {self.block_split(self.block_of(other)) for other in self.around(chip)}
        return "guard" if any(_RANK[split] > _RANK[own] for split in around) else own

    def around(self, chip: Chip) -> Iterator[Chip]:
        """Yield the chips that touch or overlap a chip."""
        reach = self.size // self.stride
        for row in range(max(0, chip.row - reach), min(self.n_rows, chip.row + reach + 1)):
            for col in range(max(0, chip.col - reach), min(self.n_cols, chip.col + reach + 1)):
                if (row, col) != (chip.row, chip.col):
                    yield Chip(row, col)
