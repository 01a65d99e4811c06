"""The trained source model: what it sees, what it says, and how it is read from disk.

It runs on ONNX Runtime, not on torch, which takes longer to start than most
maps take to search. Training and saving are in ``model_files.py``.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.apps import needing
from helikon.errors import InputError, NotFound
from helikon.space.classes import CLASSES, Detection
from helikon.space.detections import BOX_MARGIN, read_detections
from helikon.space.judge import Judge, NetworkAlone

__all__ = [
    "CLASSES",
    "MODEL_BEAM_PIXELS",
    "SHIPPED",
    "Detection",
    "SourceModel",
    "View",
    "load_model",
    "network_input",
    "read_card",
]

MODEL_BEAM_PIXELS = 5.0
"""The network knows maps whose beam FWHM is about this many pixels (4 to 6.5)."""
STRIDE = 32
"""Inputs are padded to multiples of this many pixels."""
SHIPPED = Path(__file__).parent / "weights"
LEVELS = ("p0", "p1", "p2", "p3")

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
    clean = np.nan_to_num(np.asarray(snr, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
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
        probabilities, corrected = self._sessions["boxes"].run(None, self._asked(boxes))
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


class SourceModel:
    """A network with its card.

    Parameters
    ----------
    graphs : Mapping of str to bytes
        The three ONNX graphs, see ``graphs.py``.
    card : Mapping
        What ``model.json`` holds: architecture, recipe, seed, metrics, checksum.
    judge : Judge, optional
        Without one the network's boxes and masks are taken at their word.
    """

    def __init__(
        self,
        graphs: Mapping[str, bytes],
        card: Mapping[str, Any] | None = None,
        judge: Judge | None = None,
    ) -> None:
        self._sessions = {name: _session(content) for name, content in graphs.items()}
        self.card: dict[str, Any] = dict(card or {})
        self.judge = judge or NetworkAlone()

    def look(self, snr: Floats) -> View:
        """Look at a tile.

        Parameters
        ----------
        snr : ndarray
            (map - background) / rms, shape (h, w), beam of 4 to 6.5 pixels.
        """
        return View(self._sessions, snr)

    def predict(self, snr: Floats) -> list[Detection]:
        """Detect, classify and mask the sources of a tile, most probable first.

        Parameters
        ----------
        snr : ndarray
            As for :meth:`look`.

        Returns
        -------
        list of Detection
            At a probability of 0.05 or more. Of two detections on one place
            (box IoU above 0.5) the more probable stays.
        """
        return self.look(snr).detect()

    def classify(self, snr: Floats, boxes: npt.NDArray[np.floating]) -> Floats:
        """Return float32 (n, 6): probability of background, then of the five classes, of given boxes.

        Parameters
        ----------
        snr : ndarray
            As for :meth:`look`.
        boxes : ndarray
            (n, 4): x0, y0, x1, y1 in pixels, end excluded.
        """
        return self.look(snr).classify(boxes)


def _session(content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    threads = int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Idle threads must not spin: a map is searched by processes, not by threads.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def read_card(folder: Path) -> tuple[dict[str, Any], bytes]:
    """Return a model folder's card and the weights that it names.

    Raises
    ------
    NotFound
        If the folder holds no model.
    InputError
        If the weights are not those that the card names.
    """
    try:
        card = json.loads((folder / "model.json").read_text())
        content = (folder / "weights.safetensors").read_bytes()
    except FileNotFoundError as error:
        expected = "a folder with weights.safetensors and model.json"
        raise NotFound("no source model here", got=str(error.filename), expected=expected) from None
    _check(f"weights in {folder}", content, card["sha256"])
    return card, content


def load_model(folder: Path | None = None) -> SourceModel:
    """Read a model folder; without one, the model that comes with Helikon.

    A folder without graphs gets them here from its weights, which takes torch
    and seconds.

    Raises
    ------
    NotFound
        If the folder holds no model.
    InputError
        If its files are not those that the card names, or fit no network.
    """
    folder = SHIPPED if folder is None else Path(folder)
    card, _ = read_card(folder)
    named = card.get("graphs", {})
    if not named:
        with needing(f"the model in {folder} has no graphs; making them needs torch", "space-training"):
            from helikon.space.graphs import export_graphs
            from helikon.space.model_files import load_network
        return SourceModel(export_graphs(load_network(folder)), card, _read_judge(folder, card))
    graphs = {name: (folder / f"{name}.onnx").read_bytes() for name in named}
    for name, content in graphs.items():
        _check(f"{name}.onnx in {folder}", content, named[name])
    return SourceModel(graphs, card, _read_judge(folder, card))


def _read_judge(folder: Path, card: Mapping[str, Any]) -> Judge | None:
    if "judge" not in card:
        return None
    from safetensors.numpy import load

    content = (folder / "judge.safetensors").read_bytes()
    _check(f"judge.safetensors in {folder}", content, card["judge"]["sha256"])
    return Judge.read(load(content))


def _check(what: str, content: bytes, expected: str) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != expected:
        raise InputError(f"{what} are not those of the card", got=sha256, expected=expected)
