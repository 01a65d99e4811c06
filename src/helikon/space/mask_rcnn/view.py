"""What the network sees of a tile, and what it answers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.space.classes import CLASSES, Detection
from helikon.space.mask_rcnn.detections import BOX_MARGIN, read_detections

__all__ = ["LEVELS", "MODEL_BEAM_PIXELS", "STRIDE", "View", "network_input"]

MODEL_BEAM_PIXELS = 5.0
"""The network knows maps whose beam FWHM is about this many pixels (4 to 6.5)."""
STRIDE = 32
"""Inputs are padded to multiples of this many pixels."""
LEVELS = ("p0", "p1", "p2", "p3")
MOST_BOXES = 512
"""Asked at a time: what the graph copies of more does not fit into the processor's cache."""

Floats = npt.NDArray[np.float32]


def network_input(snr: Floats) -> Floats:
    """Compress a map of signal to noise into the network's two channels.

    Parameters
    ----------
    snr : ndarray
        (map - background) / rms, shape (h, w). NaN, as outside a mosaic, becomes 0.

    Returns
    -------
    ndarray
        float32, (2, h, w): asinh at two ranges, one for sources near the
        noise, one for bright ones and their surroundings.
    """
    snr = np.asarray(snr, dtype=np.float32)
    clean = np.where(np.isfinite(snr), snr, np.float32(0))
    return np.stack([np.arcsinh(clean / 2) / 2, np.arcsinh(clean / 40) / 2]).astype(np.float32)


class View:
    """What the network makes of one tile; asked for boxes and masks as often as one likes.

    Attributes
    ----------
    shape : tuple of int
        Height and width of the tile.
    proposals : ndarray
        (n, 4) boxes in which there may be something, with the network's margin.
    """

    def __init__(self, sessions: Mapping[str, Any], snr: Floats) -> None:
        self.shape = (int(snr.shape[0]), int(snr.shape[1]))
        self._sessions = sessions
        pad = [(0, 0), *((0, -length % STRIDE) for length in self.shape)]
        *levels, self.proposals = sessions["features"].run(None, {"x": np.pad(network_input(snr), pad)[None]})
        self._levels = dict(zip(LEVELS, levels, strict=True))

    def judge(self, boxes: npt.NDArray[np.floating]) -> tuple[Floats, Floats]:
        """Return class probabilities (n, 6), background first, and corrected boxes (n, 6, 4).

        Parameters
        ----------
        boxes : ndarray
            (n, 4) x0, y0, x1, y1 with the network's margin.
        """
        if not len(boxes):
            n_classes = len(CLASSES) + 1
            return np.zeros((0, n_classes), np.float32), np.zeros((0, n_classes, 4), np.float32)
        starts = range(0, len(boxes), MOST_BOXES)
        parts = [
            self._sessions["boxes"].run(None, self._asked(boxes[start : start + MOST_BOXES]))
            for start in starts
        ]
        probabilities, corrected = (np.concatenate(each) for each in zip(*parts, strict=True))
        return probabilities, corrected

    def classify(self, boxes: npt.NDArray[np.floating]) -> Floats:
        """Return class probabilities (n, 6) of tight boxes (n, 4), background first."""
        margin = np.array([-BOX_MARGIN, -BOX_MARGIN, BOX_MARGIN, BOX_MARGIN])
        return self.judge(np.asarray(boxes).reshape(-1, 4) + margin)[0]

    def masks(self, boxes: npt.NDArray[np.floating]) -> Floats:
        """Return the masks (n, 6, 28, 28) of boxes with margin, probabilities in cells of the box."""
        if not len(boxes):
            return np.zeros((0, len(CLASSES) + 1, 28, 28), np.float32)
        masks: Floats = self._sessions["masks"].run(None, self._asked(boxes))[0]
        return masks

    def detect(self, *, least_extended: float = 0.0) -> list[Detection]:
        """Return what the network itself finds, most probable first.

        Parameters
        ----------
        least_extended : float
            Least probability of being extended, of one island or several.
        """
        return read_detections(self, least_extended=least_extended)

    def _asked(self, boxes: npt.NDArray[np.floating]) -> dict[str, Any]:
        return self._levels | {"boxes": np.asarray(boxes, dtype=np.float32)}
