"""The trained source model: what it sees, what it says, and how it is read from disk.

It runs on ONNX Runtime, not on torch, which takes longer to start than most
maps take to search. Training and saving are in ``model_files.py``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.apps import needing
from helikon.space.association.eye import Eye
from helikon.space.association.judge import Judge, NetworkAlone
from helikon.space.card import PARTS, SHIPPED, check_file, model_sha256, read_card
from helikon.space.classes import Detection
from helikon.space.mask_rcnn.runtime import session
from helikon.space.mask_rcnn.view import View

__all__ = ["SourceModel", "load_model"]

Floats = npt.NDArray[np.float32]


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
        self._sessions = {name: session(content) for name, content in graphs.items()}
        self.card: dict[str, Any] = dict(card or {})
        self.judge = judge or NetworkAlone()

    @property
    def sha256(self) -> str:
        """Which model it is, see :func:`card.model_sha256`; empty without a card."""
        return model_sha256(self.card) if self.card else ""

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
            from helikon.space.mask_rcnn.graphs import export_graphs
            from helikon.space.mask_rcnn.model_files import load_network
        return SourceModel(export_graphs(load_network(folder)), card, _read_judge(folder, card))
    graphs = {name: (folder / f"{name}.onnx").read_bytes() for name in named}
    for name, content in graphs.items():
        check_file(f"{name}.onnx in {folder}", content, named[name])
    return SourceModel(graphs, card, _read_judge(folder, card))


def _read_judge(folder: Path, card: Mapping[str, Any]) -> Judge | None:
    if (content := _read_part("judge", folder, card)) is None:
        return None
    from safetensors.numpy import load

    graph, prior = (_read_part(part, folder, card) for part in ("eye", "prior"))
    tensors = load(content) | (load(prior) if prior else {})
    return Judge.read(tensors, None if graph is None else Eye(graph))


def _read_part(part: str, folder: Path, card: Mapping[str, Any]) -> bytes | None:
    if part not in card:
        return None
    content = (folder / PARTS[part]).read_bytes()
    check_file(f"{PARTS[part]} in {folder}", content, card[part]["sha256"])
    return content
