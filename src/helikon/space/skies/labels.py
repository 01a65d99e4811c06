"""The truth of a made-up sky: whose pixel is whose, and what is compact or extended."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.skies.imaging import GaussianBeam
from helikon.space.skies.render import Stamp

__all__ = [
    "FAINTEST_SIGMA",
    "ISLAND_SIGMA",
    "MASK_SIGMA",
    "TrueSource",
    "describe",
    "label_sources",
]

MASK_SIGMA = 2.5
"""A source's mask is its noiseless emission above this many local sigma."""
FAINTEST_SIGMA = 3.0
"""Sources with a fainter noiseless peak have no label."""
ISLAND_SIGMA = 4.0
"""A separate island counts (and is kept) if its noiseless peak reaches this."""
EXTENDED_AREA = 1.5
"""Extended: the mask is this many times larger than a point source's of that peak."""
HIDDEN_SHARE = 0.25
"""A source is hidden if a brighter one adds this share of its peak, or more, at its peak."""
EVERY_NEIGHBOUR = np.ones((3, 3), dtype=bool)

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrueSource:
    """One labelled thing.

    Attributes
    ----------
    label : int
        Its number in the label image.
    class_name : str
        One of ``helikon.space.classes.CLASSES``.
    shape : str
        Name of its morphology, ``compact`` or ``artefact``.
    x, y : float
        Pixels from 0: the true place of a compact source, also outside the
        map; else the flux-weighted centre of its mask.
    peak_flux, int_flux : float
        Noiseless, Jy/beam and Jy. A compact source's flux density is all of it, also
        what lies outside the map; else what the map holds. For artefacts those of the final map.
    snr : float
        Peak over local noise.
    n_islands : int
    box : tuple of int
        x0, y0, x1, y1 of its mask, end excluded.
    """

    label: int
    class_name: str
    shape: str
    x: float
    y: float
    peak_flux: float
    int_flux: float
    snr: float
    n_islands: int
    box: tuple[int, int, int, int]


def label_sources(
    stamps: list[tuple[str, Stamp]], local_rms: Image, beam: GaussianBeam
) -> tuple[list[TrueSource], Labels]:
    """Give every pixel to the source that outshines the others there.

    Parameters
    ----------
    stamps : list of (str, Stamp)
        Shape names and noiseless images.
    local_rms : ndarray
        Jy/beam.
    beam : GaussianBeam

    Returns
    -------
    (list of TrueSource, ndarray of int32)
        Sources hidden in brighter ones or below 3 sigma have no label.
    """
    labels = np.zeros(local_rms.shape, dtype=np.int32)
    brightest = np.zeros(local_rms.shape, dtype=np.float32)
    sources: list[TrueSource] = []
    bright_first = sorted((s for s in stamps if s[1].data.size), key=lambda s: -float(s[1].data.max()))
    for shape, stamp in bright_first:
        mask = _own_pixels(stamp, local_rms[stamp.where], brightest[stamp.where])
        if not mask.any():
            continue
        labels[stamp.where][mask] = len(sources) + 1
        np.maximum(brightest[stamp.where], stamp.data, out=brightest[stamp.where])
        sources.append(
            describe(len(sources) + 1, shape, stamp, mask=mask, rms=local_rms[stamp.where], beam=beam)
        )
    places = ndimage.find_objects(labels, max_label=len(sources))
    return [_boxed(source, place) for source, place in zip(sources, places, strict=True) if place], labels


def _boxed(source: TrueSource, place: tuple[slice, slice]) -> TrueSource:
    """Give a source the box of what neighbours left of its mask."""
    rows, columns = place
    return dataclasses.replace(source, box=(columns.start, rows.start, columns.stop, rows.stop))


def _own_pixels(stamp: Stamp, rms: Image, others: Image) -> npt.NDArray[np.bool_]:
    snr = stamp.data / rms
    peak = np.unravel_index(int(np.argmax(snr)), snr.shape)
    nothing = np.zeros(snr.shape, dtype=bool)
    if snr[peak] < FAINTEST_SIGMA or others[peak] > HIDDEN_SHARE * stamp.data[peak]:
        return nothing
    mask = (snr > MASK_SIGMA) & (stamp.data > others)
    islands, n_islands = ndimage.label(mask, structure=EVERY_NEIGHBOUR)
    if n_islands > 1:
        peaks = ndimage.maximum(snr, islands, np.arange(1, n_islands + 1))
        keep = np.flatnonzero((peaks >= ISLAND_SIGMA) | (peaks == peaks.max())) + 1
        mask = np.isin(islands, keep)
    return np.asarray(mask)


def describe(
    label: int, shape: str, stamp: Stamp, *, mask: npt.NDArray[np.bool_], rms: Image, beam: GaussianBeam
) -> TrueSource:
    """Measure the noiseless image of a source within its mask, and class it by shape.

    Parameters
    ----------
    mask, rms : ndarray
        Of the stamp's shape.
    """
    snr = float((stamp.data[mask] / rms[mask]).max())
    _, n_islands = ndimage.label(mask, structure=EVERY_NEIGHBOUR)
    point_area = beam.area * math.log(max(snr, FAINTEST_SIGMA) / MASK_SIGMA)
    extended = int(mask.sum()) > EXTENDED_AREA * point_area + 4
    compact = n_islands == 1 and not extended and shape == "compact"
    y, x = np.nonzero(mask)
    flux = stamp.data[mask]
    total = float(stamp.data.sum(dtype=np.float64))
    if compact and stamp.whole is not None:
        total = stamp.whole
    return TrueSource(
        label=label,
        class_name="extended-multi-island" if n_islands > 1 else "extended" if extended else "compact",
        shape=shape,
        x=stamp.x if compact else float(np.average(x, weights=flux)) + stamp.x0,
        y=stamp.y if compact else float(np.average(y, weights=flux)) + stamp.y0,
        peak_flux=float(flux.max()),
        int_flux=total / beam.area,
        snr=snr,
        n_islands=int(n_islands),
        box=_box(x + stamp.x0, y + stamp.y0),
    )


def _box(x: npt.NDArray[np.intp], y: npt.NDArray[np.intp]) -> tuple[int, int, int, int]:
    return int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1
