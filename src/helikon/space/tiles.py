"""Cut a map into tiles that overlap.

A tile is a window; its *core* is the part that no other tile owns, so that the
cores of a plan cover the map once. What is found in a window counts for the
tile in whose core it lies.
"""

import dataclasses
from itertools import pairwise

from helikon.errors import InputError

__all__ = ["Tile", "plan_tiles"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A window of a map in pixels; ends are exclusive.

    Attributes
    ----------
    index : int
        Place in the plan, row by row.
    y0, y1, x0, x1 : int
        The window, overlap included.
    core_y0, core_y1, core_x0, core_x1 : int
        The part that this tile owns.
    """

    index: int
    y0: int
    y1: int
    x0: int
    x1: int
    core_y0: int
    core_y1: int
    core_x0: int
    core_x1: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the window."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the window, counted."""
        return self.y1 - self.y0, self.x1 - self.x0

    def owns(self, y: float, x: float) -> bool:
        """Say whether a position in pixels of the map lies in the core.

        Pixel (0, 0) reaches from -0.5 to 0.5 and belongs to the first tile.
        """
        return self.core_y0 - 0.5 <= y < self.core_y1 - 0.5 and self.core_x0 - 0.5 <= x < self.core_x1 - 0.5


def plan_tiles(shape: tuple[int, int], size: int = 512, overlap: int = 128) -> tuple[Tile, ...]:
    """Plan tiles that cover a map of ``shape`` (ny, nx).

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the map.
    size : int
        Side of a tile in pixels; a map that is smaller gets one smaller tile.
    overlap : int
        How many pixels two neighbours share, at least; less than ``size``.

    Raises
    ------
    InputError
        If the overlap leaves no step.
    """
    if not 0 <= overlap < size:
        raise InputError(
            "tiles cannot overlap so", got=f"{overlap} of {size} pixels", expected="less than a tile"
        )
    rows, columns = (_spans(length, size, overlap) for length in shape)
    return tuple(
        Tile(
            index=i * len(columns) + j,
            y0=y0,
            y1=y1,
            core_y0=core_y0,
            core_y1=core_y1,
            x0=x0,
            x1=x1,
            core_x0=core_x0,
            core_x1=core_x1,
        )
        for i, (y0, y1, core_y0, core_y1) in enumerate(rows)
        for j, (x0, x1, core_x0, core_x1) in enumerate(columns)
    )


def _spans(length: int, size: int, overlap: int) -> list[tuple[int, int, int, int]]:
    """(start, stop, core start, core stop) along one axis, tiles spread evenly."""
    size = min(size, length)
    step = max(1, size - overlap)
    n_tiles = 1 + max(0, -(-(length - size) // step))
    starts = [round(i * (length - size) / max(1, n_tiles - 1)) for i in range(n_tiles)]
    borders = [0, *((a + size + b) // 2 for a, b in pairwise(starts)), length]
    return [(s, s + size, borders[i], borders[i + 1]) for i, s in enumerate(starts)]
