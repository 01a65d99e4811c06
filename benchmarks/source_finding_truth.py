"""The truth of a field of ``source_finding_fields.py``: whose pixel is whose, and of which class."""

import math
from typing import Any

import numpy as np
from scipy import ndimage

ALL = np.ones((3, 3))


def local_noise(rest: Any, fwhm: float) -> Any:
    """Noise in boxes of 12 beams, outliers clipped."""
    box = int(12 * fwhm)
    rms = np.full_like(rest, rest.std())
    for _ in range(3):
        good = abs(rest) < 4 * rms
        power = ndimage.uniform_filter(np.where(good, rest**2, 0), box)
        rms = np.sqrt(power / np.maximum(ndimage.uniform_filter(good.astype(float), box), 0.05))
    return rms.astype(np.float32)


def label(
    sources: Any, image: Any, true: Any, artefacts: Any, local: Any, covariance: Any
) -> tuple[list[dict[str, Any]], Any]:
    """Masks above 2.5 sigma of the noiseless emission, and the classes; bright sources first."""
    area = 2 * np.pi * math.sqrt(np.linalg.det(covariance))
    labels, best, rows = np.zeros(image.shape, np.int32), np.zeros(image.shape), []
    for source in sorted(sources, key=lambda one: -one[2]):
        part, own = inside(source, image.shape)
        mask, n_islands = own_mask(own, local[part], best[part], labels[part])
        if not mask.any():
            continue
        best[part] = np.maximum(best[part], own)
        labels[part][mask] = len(rows) + 1
        rows.append(describe(source, part, own, mask, local, n_islands, area))
    add_blends(rows, labels, true, local)
    judge_artefacts(rows, labels, image, true, artefacts, local, area)
    return rows, labels


def inside(source: Any, shape: tuple[int, int]) -> tuple[tuple[slice, slice], Any]:
    """Where a source lies in the field, and its brightness there; nothing outside."""
    x, y, peak, stamp, _ = source
    x0, y0 = round(x) - stamp.shape[1] // 2, round(y) - stamp.shape[0] // 2
    y1, x1 = min(y0 + stamp.shape[0], shape[0]), min(x0 + stamp.shape[1], shape[1])
    part = slice(max(y0, 0), max(y1, y0, 0)), slice(max(x0, 0), max(x1, x0, 0))
    return part, stamp[part[0].start - y0 : max(y1 - y0, 0), part[1].start - x0 : max(x1 - x0, 0)] * peak


def own_mask(own: Any, local: Any, best: Any, labels: Any) -> tuple[Any, int]:
    """Return the pixels of a source, and its islands; none below 3 sigma or hidden in a brighter one."""
    nothing = np.zeros(own.shape, dtype=bool)
    if not own.size:
        return nothing, 0
    at = np.unravel_index(np.argmax(own), own.shape)
    hidden = best[at] > 0.3 * own[at] and labels[at] > 0
    if own[at] / local[at] < 3 or hidden:
        return nothing, 0
    islands, n = ndimage.label((own > 2.5 * local) & (own > best), ALL)
    tops = ndimage.maximum(own / local, islands, np.arange(1, n + 1)) if n else np.zeros(0)
    sizes = np.bincount(islands.ravel(), minlength=n + 1)[1:]
    good = np.flatnonzero(((tops >= 3) & (sizes >= 4)) | (tops == tops.max(initial=0))) + 1
    return np.isin(islands, good), len(good)


def describe(
    source: Any, part: Any, own: Any, mask: Any, local: Any, n_islands: int, area: float
) -> dict[str, Any]:
    """One row of the truth."""
    x, y, peak, stamp, shape = source
    at = np.unravel_index(np.argmax(own), own.shape)
    snr = float(own[at] / local[part][at])
    extended = mask.sum() > 1.5 * area * math.log(snr / 2.5) + 4
    kind = "compact"
    if shape == "galaxy":
        kind = "extended-multi-island" if n_islands > 1 else "extended" if extended else "compact"
        x, y = at[1] + part[1].start, at[0] + part[0].start
    if kind != "compact":
        yy, xx = np.nonzero(mask)
        x = np.average(xx, weights=own[mask]) + part[1].start
        y = np.average(yy, weights=own[mask]) + part[0].start
    return row(kind, x, y, float(own.max()), float(stamp.sum() * peak / area), snr, n_islands)


def row(kind: str, x: Any, y: Any, peak: float, flux: float, snr: Any, n_islands: int = 1) -> dict[str, Any]:
    """Name the columns."""
    shapes = {"compact": "compact", "spurious": "artefact"}
    return {
        "class": kind,
        "shape": shapes.get(kind, "galaxy"),
        "x": float(x),
        "y": float(y),
        "peak_flux": peak,
        "int_flux": flux,
        "snr": float(snr),
        "n_islands": n_islands,
    }


def add_blends(rows: Any, labels: Any, true: Any, local: Any) -> None:
    """Sources below 3 sigma that together reach it are one compact source."""
    snr = np.where(labels > 0, 0, true / local)
    islands, n = ndimage.label(snr > 2.5, ALL)
    index = np.arange(1, n + 1)
    top, at = ndimage.maximum(snr, islands, index), ndimage.maximum_position(snr, islands, index)
    beside = ndimage.maximum(ndimage.grey_dilation(labels, 3), islands, index)
    for i in np.flatnonzero((top >= 3) & (beside == 0)):
        labels[islands == i + 1] = len(rows) + 1
        peak = float(true[at[i]])
        rows.append(row("compact", at[i][1], at[i][0], peak, peak, top[i]))


def judge_artefacts(
    rows: Any, labels: Any, image: Any, true: Any, artefacts: Any, local: Any, area: float
) -> None:
    """Label artefacts as spurious and the sources that they hang on as flagged."""
    y, x = np.mgrid[-9:10, -9:10]
    beam = np.hypot(x, y) <= math.sqrt(area / 1.133)
    near = ndimage.binary_dilation(true > 3 * local, beam)
    wrong = artefacts > 2 * local
    islands, n = ndimage.label(image > 2.5 * local, ALL)
    index = np.arange(1, n + 1)
    top = ndimage.maximum(image / local, islands, index)
    at = np.array(ndimage.maximum_position(image / local, islands, index))
    bad_peak = wrong[at[:, 0], at[:, 1]] & (top > 4)
    clear = ndimage.maximum(near, islands, index) == 0
    beside = wrong & (image > 4 * local) & ~ndimage.binary_dilation(true > 2.5 * local, ALL, 2)
    boxes = ndimage.find_objects(labels)
    for number, one in enumerate(rows, 1):
        box = boxes[number - 1]
        if box is None:
            continue
        wide = tuple(slice(max(0, part.start - 10), part.stop + 10) for part in box)
        mine = labels[wide] == number
        touched = np.unique(islands[wide][mine])
        hanging = (
            beside[wide] & ndimage.binary_dilation(mine, beam) & np.isin(islands[wide], touched[touched > 0])
        )
        if hanging.sum() > 0.3 * area:
            one["class"] = "flagged"
    for i in np.flatnonzero(bad_peak & clear):
        mask = islands == i + 1
        labels[mask & (labels == 0)] = len(rows) + 1
        if not (labels == len(rows) + 1).any():
            continue
        flux = float(image[mask].sum() / area)
        peak = float(image[at[i, 0], at[i, 1]])
        rows.append(row("spurious", at[i, 1], at[i, 0], peak, flux, top[i]))
