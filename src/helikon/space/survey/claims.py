"""Where windows meet: which sources stand as they were found, and which are looked at again.

Every window reports each source that touches its core. Neighbours see the
same pixels and the same background, so nearly always they agree on it, and
the window that owns the brightest pixel gives the row. Where a window's border
cuts an object, or the network joined pieces in one window and not in the
other, all claims that have to do with each other become one patch: a window
around all of them, in which they are found anew.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["Box", "Claim", "Patch", "Pixel", "settle"]

Pixel = tuple[int, int]
Box = tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A source as one window sees it, in pixels (y, x) of the whole map.

    Attributes
    ----------
    window, row : int
        The window, and the source's row in what it found.
    pieces : frozenset of (int, int)
        Brightest pixel of each piece.
    box : tuple of int
        y0, x0, y1, x1 of its pixels; ends are exclusive.
    is_cut : bool
        It reaches the border of the window, and the map goes on there.
    is_owned : bool
        Its brightest pixel lies in the window's core.
    """

    window: int
    row: int
    pieces: frozenset[Pixel]
    box: Box
    is_cut: bool
    is_owned: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Claims that do not agree, or are cut: one place to look at again.

    Attributes
    ----------
    index : int
        Place in the list of patches.
    claims : tuple of Claim
        All of them.
    """

    index: int
    claims: tuple[Claim, ...]

    @property
    def box(self) -> Box:
        """The smallest box around all."""
        y0, x0, y1, x1 = zip(*(claim.box for claim in self.claims), strict=True)
        return min(y0), min(x0), max(y1), max(x1)

    @property
    def pixels(self) -> frozenset[Pixel]:
        """Brightest pixels of all pieces: what is found anew there replaces the claims."""
        return frozenset().union(*(claim.pieces for claim in self.claims))

    def stand_ins(self) -> list[Claim]:
        """Return claims that share no piece, owned and whole ones first, where no window holds the patch."""
        taken: set[Pixel] = set()
        chosen = []
        for claim in sorted(self.claims, key=lambda c: (not c.is_owned, c.is_cut, c.window, c.row)):
            if not taken & claim.pieces:
                chosen.append(claim)
                taken |= claim.pieces
        return chosen


def settle(claims: Sequence[Claim]) -> tuple[list[Claim], list[Patch]]:
    """Return the claims that stand, and patches of all others; every piece is in one of them.

    Parameters
    ----------
    claims : sequence of Claim
        Of all windows, in their order.
    """
    groups = _Groups(len(claims))
    first: dict[Pixel, int] = {}
    for i, claim in enumerate(claims):
        for pixel in claim.pieces:
            groups.join(i, first.setdefault(pixel, i))
    for i, j in _cut_and_near(claims):
        groups.join(i, j)
    standing: list[Claim] = []
    patches: list[Patch] = []
    for members in groups.sets():
        group = [claims[i] for i in members]
        owned = [claim for claim in group if claim.is_owned]
        agreed = len({claim.pieces for claim in group}) == 1 and not any(claim.is_cut for claim in group)
        if agreed and len(owned) == 1:
            standing += owned
        else:
            patches.append(Patch(index=len(patches), claims=tuple(group)))
    return standing, patches


def _cut_and_near(claims: Sequence[Claim]) -> Iterable[tuple[int, int]]:
    """Pairs of a cut claim and one of another window whose boxes touch: parts of one object, maybe."""
    y0, x0, y1, x1 = np.array([claim.box for claim in claims]).reshape(-1, 4).T
    window = np.array([claim.window for claim in claims])
    for i, claim in enumerate(claims):
        if claim.is_cut:
            top, left, bottom, right = claim.box
            touching = (y0 <= bottom) & (y1 >= top) & (x0 <= right) & (x1 >= left)
            yield from ((i, int(j)) for j in np.flatnonzero(touching & (window != claim.window)))


class _Groups:
    """Sets of numbers that grow together (union and find)."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def root(self, i: int) -> int:
        while self._parent[i] != i:
            self._parent[i] = self._parent[self._parent[i]]
            i = self._parent[i]
        return i

    def join(self, i: int, j: int) -> None:
        a, b = sorted((self.root(i), self.root(j)))
        self._parent[b] = a

    def sets(self) -> list[list[int]]:
        found: defaultdict[int, list[int]] = defaultdict(list)
        for i in range(len(self._parent)):
            found[self.root(i)].append(i)
        return list(found.values())
