"""The grid that everything is put on: a CRS, a north-up affine transform, a size."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.transform import Affine, array_bounds
from rasterio.warp import transform_bounds

from helikon.errors import InputError

__all__ = ["Grid", "Window", "make_grid"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Rows and columns of a grid, ends exclusive."""

    row: int
    col: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns as slices."""
        return slice(self.row, self.row + self.height), slice(self.col, self.col + self.width)

    def meet(self, other: "Window") -> "Window":
        """Return what two windows have in common; height or width is 0 if nothing."""
        row, col = max(self.row, other.row), max(self.col, other.col)
        bottom = min(self.row + self.height, other.row + other.height)
        right = min(self.col + self.width, other.col + other.width)
        return Window(row=row, col=col, height=max(0, bottom - row), width=max(0, right - col))

    @property
    def is_empty(self) -> bool:
        """Whether there is no pixel in it."""
        return self.height == 0 or self.width == 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A raster's geometry.

    Attributes
    ----------
    crs : str
        ``EPSG:32617`` or WKT.
    transform : tuple of float
        GDAL's affine a, b, c, d, e, f from pixel corner (column, row) to CRS
        units; b and d are 0, e is negative.
    height, width : int
        In pixels.
    """

    crs: str
    transform: tuple[float, float, float, float, float, float]
    height: int
    width: int

    @property
    def affine(self) -> Affine:
        """The transform as rasterio's."""
        return Affine(*self.transform)

    @property
    def resolution(self) -> tuple[float, float]:
        """Pixel width and height in CRS units, both positive."""
        return self.transform[0], -self.transform[4]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in CRS units."""
        west, south, east, north = array_bounds(self.height, self.width, self.affine)
        return west, south, east, north

    @property
    def window(self) -> Window:
        """All of it."""
        return Window(row=0, col=0, height=self.height, width=self.width)

    def part(self, window: Window) -> "Grid":
        """Return the grid of a window, which may reach over the edges."""
        a, b, c, d, e, f = self.transform
        origin = (c + window.col * a, f + window.row * e)
        return Grid(
            crs=self.crs,
            transform=(a, b, origin[0], d, e, origin[1]),
            height=window.height,
            width=window.width,
        )

    def bounds_in(self, crs: str, *, densify: int = 21) -> tuple[float, float, float, float]:
        """Return the bounds in another CRS."""
        if crs == self.crs:
            return self.bounds
        west, south, east, north = transform_bounds(self.crs, crs, *self.bounds, densify_pts=densify)
        return west, south, east, north

    def is_aligned(self, other: "Grid") -> bool:
        """Whether the pixels of two grids coincide where both have some, to 1e-6 of a pixel."""
        shift, sizes = self.shift_to(other), zip(self.resolution, other.resolution, strict=True)
        return (
            self.crs == other.crs
            and all(math.isclose(mine, its, rel_tol=1e-9) for mine, its in sizes)
            and all(abs(value - round(value)) < 1e-6 for value in shift)
        )

    def shift_to(self, other: "Grid") -> tuple[float, float]:
        """Return row and column of the other grid's corner in this one's pixels."""
        (a, _, c, _, e, f), (x, y) = self.transform, (other.transform[2], other.transform[5])
        return (y - f) / e, (x - c) / a


def make_grid(
    first: Grid,
    others: Sequence[Grid],
    *,
    crs: str = "",
    resolution: float | None = None,
    bounds: Sequence[float] | str = "first",
) -> Grid:
    """Lay the grid that scenes are put on.

    Parameters
    ----------
    first, others : Grid
        Of the first scene and of all other scenes.
    crs : str
        What rasterio reads as a CRS; empty takes the first scene's.
    resolution : float, optional
        Of a pixel, in CRS units; by default the first scene's, or in another
        CRS what covers as many pixels.
    bounds : sequence of float or str
        West, south, east, north in the grid's CRS; ``first`` or ``union`` of the scenes.

    Raises
    ------
    InputError
        If scenes of several CRS are given and no ``crs``, or the numbers make no grid.
    """
    _refuse_mixed([first, *others], crs)
    name = _crs_name(crs) if crs else first.crs
    if name == first.crs and resolution is None and isinstance(bounds, str) and bounds == "first":
        return first
    size = (resolution, resolution) if resolution is not None else _native_resolution(first, name)
    if min(size) <= 0:
        raise InputError("the resolution cannot be used", got=resolution, expected="above 0")
    if isinstance(bounds, str):
        chosen = [first, *others] if bounds == "union" else [first]
        corners = [grid.bounds_in(name) for grid in chosen]
        west, south = min(c[0] for c in corners), min(c[1] for c in corners)
        east, north = max(c[2] for c in corners), max(c[3] for c in corners)
    else:
        west, south, east, north = bounds
    width, height = _count((east - west) / size[0]), _count((north - south) / size[1])
    if width < 1 or height < 1:
        raise InputError(
            "the bounds hold no pixel", got=f"{west} {south} {east} {north}", expected="west south east north"
        )
    return Grid(crs=name, transform=(size[0], 0.0, west, 0.0, -size[1], north), height=height, width=width)


def _count(pixels: float) -> int:
    """Return how many pixels cover a length; a thousandth of one too many does not count."""
    return math.ceil(pixels - 1e-3)


def _native_resolution(first: Grid, crs: str) -> tuple[float, float]:
    if crs == first.crs:
        return first.resolution
    west, south, east, north = first.bounds_in(crs)
    size = math.sqrt((east - west) * (north - south) / (first.width * first.height))
    return size, size


def _crs_name(crs: str) -> str:
    try:
        return crs_text(CRS.from_user_input(crs))
    except (CRSError, ValueError) as error:
        raise InputError("the CRS cannot be used", got=repr(crs), expected="EPSG:32617 or WKT") from error


def crs_text(crs: Any) -> str:
    """Return a CRS as ``EPSG:n`` where it has a code of its own, else as WKT."""
    code = crs.to_epsg(confidence_threshold=100) if crs else None
    return f"EPSG:{code}" if code else crs.to_wkt()


def _refuse_mixed(grids: Sequence[Grid], crs: str) -> None:
    found = list(dict.fromkeys(grid.crs for grid in grids))
    if len(found) > 1 and not crs:
        raise InputError(
            "the scenes lie in several CRS",
            got=", ".join(name[:60] for name in found),
            expected="one",
            next_step=f"say which one the result has: --crs {found[0][:60]}",
        )
