"""Which islands of a made-up map are artefacts, and which sources artefacts spoil."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.skies.imaging import GaussianBeam
from helikon.space.skies.labels import EVERY_NEIGHBOUR, MASK_SIGMA, TrueSource, describe
from helikon.space.skies.render import Stamp

__all__ = ["add_artefact_labels"]

SPURIOUS_SIGMA = 4.0
"""Artefacts count from this peak in the final map."""
PLAIN_SIGMA = 3.0
"""Artefacts that reach this make a spurious island; weaker ones only help the noise to."""

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]


def add_artefact_labels(
    sources: list[TrueSource],
    labels: Labels,
    *,
    image: Image,
    true_image: Image,
    artefacts: Image,
    local_rms: Image,
    beam: GaussianBeam,
) -> tuple[list[TrueSource], Labels]:
    """Mark artefacts as spurious, and sources that they spoil as flagged.

    Parameters
    ----------
    sources, labels
        From :func:`label_sources`; not changed.
    image, true_image, artefacts, local_rms : ndarray
        The final map, the noiseless emission of all sources, what calibration
        and cleaning left wrong, and the local noise; Jy/beam.
    beam : GaussianBeam

    Returns
    -------
    (list of TrueSource, ndarray of int32)
        With spurious islands added and flagged classes set. An island is
        spurious if its peak reaches 4 sigma, artefacts reach 3 sigma in it
        and make at least 40 % of the brightness over half of it, and no true
        emission above 2.5 sigma is in it or within half a beam. A source is
        flagged if such artefacts hang on its island over half of the source's
        own area (one beam at least), or if artefacts of 2.5 sigma on average
        make more than a third of its flux.
    """
    snr = image / local_rms
    true_snr = true_image / local_rms
    near = ndimage.binary_dilation(true_snr > MASK_SIGMA, iterations=max(1, round(beam.fwhm / 2)))
    wrong = (artefacts > np.maximum(2 * local_rms, 0.4 * image)) & ~near
    islands, n_islands = ndimage.label(snr > 3.0, structure=EVERY_NEIGHBOUR)
    index, bright = np.arange(1, n_islands + 1), islands > 0
    of_pixel = islands[bright]
    peak = ndimage.maximum(snr[bright], of_pixel, index)
    n_wrong = ndimage.sum_labels(wrong[bright], of_pixel, index)
    n_true = ndimage.sum_labels(near[bright], of_pixel, index)
    worst = ndimage.maximum((artefacts / local_rms)[bright], of_pixel, index)
    flagged = [
        _flag(
            source,
            islands=islands,
            n_wrong=n_wrong,
            labels=labels,
            artefacts=artefacts,
            local_rms=local_rms,
            beam=beam,
        )
        for source in sources
    ]
    labels, n_labels = labels.copy(), int(labels.max(initial=0))
    size = np.bincount(of_pixel, minlength=n_islands + 1)[1:]
    by_artefact = (n_wrong >= 0.5 * size) & (n_true == 0) & (worst >= PLAIN_SIGMA)
    bad = np.flatnonzero(by_artefact & (peak >= SPURIOUS_SIGMA) & (size >= 4))
    places = ndimage.find_objects(islands)
    for island in bad:
        where = places[island]
        mask = islands[where] == island + 1
        n_labels += 1
        labels[where][mask] = n_labels
        stamp = Stamp(x0=where[1].start, y0=where[0].start, x=math.nan, y=math.nan, data=image[where] * mask)
        source = describe(n_labels, "artefact", stamp, mask=mask, rms=local_rms[where], beam=beam)
        flagged.append(dataclasses.replace(source, class_name="spurious", n_islands=1))
    return flagged, labels


def _flag(
    source: TrueSource,
    *,
    islands: npt.NDArray[np.int32],
    n_wrong: npt.NDArray[np.float64],
    labels: Labels,
    artefacts: Image,
    local_rms: Image,
    beam: GaussianBeam,
) -> TrueSource:
    x0, y0, x1, y1 = source.box
    mask = labels[y0:y1, x0:x1] == source.label
    touched = np.unique(islands[y0:y1, x0:x1][mask])
    spoilt = sum(float(n_wrong[i - 1]) for i in touched if i > 0)
    error = np.abs(artefacts[y0:y1, x0:x1][mask])
    hanging = spoilt > max(beam.area, 0.5 * float(mask.sum()))
    wrong = float(error.sum()) / beam.area > source.int_flux / 3
    plain = float((error / local_rms[y0:y1, x0:x1][mask]).mean()) > 2.5
    if hanging or (wrong and plain):
        return dataclasses.replace(source, class_name="flagged")
    return source
