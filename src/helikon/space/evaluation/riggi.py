"""Rule A: classes by overlap of masks, as Riggi et al. 2023 (A&C 42, 100682) and their code count them."""

import numpy as np
import numpy.typing as npt

from helikon.space.classes import CLASSES
from helikon.space.evaluation.entries import Entries
from helikon.space.evaluation.judge import COUNTED_SIGMA
from helikon.space.skies import Sky

__all__ = ["MASK_IOU", "MERGE_IOU", "SCORE", "mask_confusion"]

SCORE = 0.7
"""Detections below this probability are left out."""
MASK_IOU = 0.6
"""Least overlap of a detection's mask with that of the true thing."""
MERGE_IOU = 0.3
"""Detections of one class that overlap so much are one."""


def mask_confusion(entries: Entries, sky: Sky, *, score: float = SCORE) -> npt.NDArray[np.int64]:
    """Count classes by rule A.

    A true thing is detected by the detection with the largest overlap of 0.6
    or more, whatever its class; one detection may serve two.

    Parameters
    ----------
    entries : Entries
        With outlines; entries without any detect nothing.
    sky : Sky
        True sources below 5 sigma count for nothing, with the entries on them.
    score : float
        Least probability of an entry's class; entries without any pass.

    Returns
    -------
    ndarray, shape (6, 6)
        As :func:`helikon.space.evaluation.score.confusion`.
    """
    index, none = {name: i for i, name in enumerate(CLASSES)}, len(CLASSES)
    kept = _merge(entries, score)
    iou = _iou(kept, sky)
    truth_class = [str(name) for name in sky.truth["class"]]
    snr = np.asarray(sky.truth["snr"], dtype=np.float64)
    table = np.zeros((none + 1, none + 1), dtype=np.int64)
    used = {max(row, key=lambda entry: row[entry]) for row in iou if row}
    for truth, row in enumerate(iou):
        if snr[truth] >= COUNTED_SIGMA or truth_class[truth] == "spurious":
            column = index[kept[max(row, key=lambda entry: row[entry])][0]] if row else none
            table[index[truth_class[truth]], column] += 1
    faint = np.isin(sky.labels, np.asarray(sky.truth["id"])[snr < COUNTED_SIGMA])
    for entry, (name, (rows, columns)) in enumerate(kept):
        if entry not in used and not (len(rows) and 2 * faint[rows, columns].sum() >= len(rows)):
            table[none, index[name]] += 1
    return table


Pixels = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def _merge(entries: Entries, score: float) -> list[tuple[str, Pixels]]:
    """Drop unsure detections, join overlapping ones of a class, keep the surest of different classes."""
    own = [
        float(row[CLASSES.index(name)]) if name in CLASSES else float("nan")
        for row, name in zip(entries.probabilities, entries.class_name.tolist(), strict=True)
    ]
    order = [
        i for i in np.argsort(-np.nan_to_num(own, nan=1.0), kind="stable").tolist() if not own[i] < score
    ]
    kept: list[tuple[str, set[tuple[int, int]]]] = []
    where: dict[tuple[int, int], set[int]] = {}
    for i in order:
        name = str(entries.class_name[i])
        pixels = set(zip(*(part.tolist() for part in entries.footprints[i]), strict=True))
        near = sorted({number for pixel in pixels for number in where.get(pixel, ())})
        target = _meet(name, pixels, near, kept)
        if target is None:
            continue
        if target == len(kept):
            kept.append((name, set()))
        kept[target][1].update(pixels)
        for pixel in pixels:
            where.setdefault(pixel, set()).add(target)
    return [(name, _arrays(pixels)) for name, pixels in kept]


def _meet(
    name: str, pixels: set[tuple[int, int]], near: list[int], kept: list[tuple[str, set[tuple[int, int]]]]
) -> int | None:
    """Say which kept detection a new one joins; a new number for none, None if it is left out."""
    for number in near:
        other_name, other = kept[number]
        iou = len(pixels & other) / len(pixels | other)
        if other_name == name and iou >= MERGE_IOU:
            return number
        spurious = "spurious" in (name, other_name)
        if other_name != name and (iou >= MERGE_IOU or not spurious):
            return None
    return len(kept)


def _arrays(pixels: set[tuple[int, int]]) -> Pixels:
    both = np.array(sorted(pixels), dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _iou(kept: list[tuple[str, Pixels]], sky: Sky) -> list[dict[int, float]]:
    """For each true thing, the detections that overlap it by 0.6 or more."""
    area = np.bincount(sky.labels.ravel())
    row_of_id = {int(number): row for row, number in enumerate(sky.truth["id"])}
    found: list[dict[int, float]] = [{} for _ in row_of_id]
    for entry, (_, (rows, columns)) in enumerate(kept):
        numbers, shared = np.unique(sky.labels[rows, columns], return_counts=True)
        for number, n in zip(numbers.tolist(), shared.tolist(), strict=True):
            iou = n / (len(rows) + area[number] - n)
            if number in row_of_id and iou >= MASK_IOU:
                found[row_of_id[number]][entry] = float(iou)
    return found
