"""Many looks at one place made one: mosaics and temporal composites. Pure.

A stack has the shape (scenes, bands, height, width), float32, NaN where there
is nothing, scenes in the order of their times.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError

__all__ = ["COMPOSITES", "PERIODS", "composite", "group_by_period"]

Float = npt.NDArray[np.float32]

COMPOSITES = ("none", "median", "mean", "max-ndvi", "best-pixel")
PERIODS = ("all", "year", "month", "day")
_LENGTHS = {"all": 0, "year": 4, "month": 7, "day": 10}


def group_by_period(times: Sequence[str], period: str) -> list[tuple[str, tuple[int, ...]]]:
    """Group scenes by year, month or day.

    Parameters
    ----------
    times : sequence of str
        ISO 8601, sorted.
    period : str
        One of :data:`PERIODS`.

    Returns
    -------
    list of (str, tuple of int)
        ``2014-03`` and the numbers of its scenes; the first time for ``all``.

    Raises
    ------
    InputError
        If a time that is needed is not known.
    """
    if period == "all":
        return [(times[0][:10] if times else "", tuple(range(len(times))))]
    groups: dict[str, list[int]] = {}
    for number, time in enumerate(times):
        if not time and len(times) > 1:
            raise InputError(
                "the time of a scene is not known",
                got=f"scene {number + 1} of {len(times)}",
                expected="a date in the file's name, its metadata or its STAC item",
                next_step="composite all scenes, or give STAC items",
            )
        groups.setdefault(time[: _LENGTHS[period]], []).append(number)
    return [(label, tuple(numbers)) for label, numbers in groups.items()]


def composite(stack: Float, method: str, guide: int = -1) -> Float:
    """Reduce a stack to one image, shape (bands, height, width).

    Parameters
    ----------
    stack : ndarray, shape (scenes, bands, height, width)
    method : str
        ``none``: each band of the first scene that has it, a mosaic.
        ``mean`` and ``median``: of each band, of the scenes that have it; the
        median of an even number is the mean of the middle two.
        ``max-ndvi``: all bands of the scene with the greatest NDVI, the first
        of several (Holben 1986, Int. J. Remote Sensing 7, 1417).
        ``best-pixel``: the medoid, all bands of the scene nearest to the
        median in the space of the bands (Flood 2013, Remote Sensing 5, 6481);
        a real observation, and no band of another date.
    guide : int
        The band that holds the NDVI, for ``max-ndvi``.
    """
    if method == "none":
        return _first(stack)
    if method == "mean":
        return _mean(stack)
    if method == "median":
        return _median(stack)
    if method == "max-ndvi":
        return _taken(stack, np.argmax(np.where(np.isnan(stack[:, guide]), -np.inf, stack[:, guide]), axis=0))
    if method == "best-pixel":
        return _taken(stack, _medoid(stack))
    raise InputError(
        "there is no such composite", got=repr(method), expected=f"one of {', '.join(COMPOSITES)}"
    )


def _first(stack: Float) -> Float:
    found: Float = stack[0].copy()
    for scene in stack[1:]:
        found = np.where(np.isnan(found), scene, found)
    return found


def _mean(stack: Float) -> Float:
    there = ~np.isnan(stack)
    with np.errstate(invalid="ignore"):
        total = np.where(there, stack, 0).sum(axis=0, dtype=np.float64)
        return np.asarray(total / there.sum(axis=0), dtype=np.float32)


def _median(stack: Float) -> Float:
    if len(stack) == 1:
        return np.asarray(stack[0])
    ordered = np.sort(stack, axis=0)  # NaN comes last
    count = (~np.isnan(stack)).sum(axis=0)[None]
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=0)
    high = np.take_along_axis(ordered, count // 2, axis=0)
    return np.asarray((low + high)[0] * np.float32(0.5))


def _medoid(stack: Float) -> npt.NDArray[np.intp]:
    distance = ((stack - _median(stack)).astype(np.float64) ** 2).sum(axis=1)
    return np.asarray(np.argmin(np.where(np.isnan(distance), np.inf, distance), axis=0))


def _taken(stack: Float, number: npt.NDArray[np.intp]) -> Float:
    return np.asarray(np.take_along_axis(stack, number[None, None], axis=0)[0])
