"""The trained source model: what it sees, what it says, and how it is kept on disk."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError, NotFound
from helikon.space.classes import CLASSES, Detection

if TYPE_CHECKING:
    from torch import Tensor
    from torchvision.models.detection import MaskRCNN

__all__ = [
    "CLASSES",
    "MODEL_BEAM_PIXELS",
    "Detection",
    "SourceModel",
    "load_model",
    "network_input",
    "save_model",
]

MODEL_BEAM_PIXELS = 5.0
"""The network knows maps whose beam FWHM is about this many pixels (4 to 6.5)."""
SHIPPED = Path(__file__).parent / "weights"
_SAME_THING_IOU = 0.5

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


class SourceModel:
    """A network with its card.

    Parameters
    ----------
    network : torchvision.models.detection.MaskRCNN
        From :func:`helikon.space.network.build_network`.
    card : Mapping
        What ``model.json`` holds: architecture, recipe, seed, metrics, checksum.
    """

    def __init__(self, network: "MaskRCNN", card: Mapping[str, Any] | None = None) -> None:
        self.network = network.eval()
        self.card: dict[str, Any] = dict(card or {})

    def predict(self, snr: Floats) -> list[Detection]:
        """Detect, classify and mask the sources of a tile.

        Parameters
        ----------
        snr : ndarray
            (map - background) / rms, shape (h, w), beam of 4 to 6.5 pixels.

        Returns
        -------
        list of Detection
            Most probable first, at a probability of 0.05 or more. Of two
            detections of different classes on one place (box IoU above 0.5)
            the more probable stays.
        """
        import torch

        from helikon.space.detections import read_detections

        with torch.inference_mode():
            features, images = self._features(snr)
            proposals, _ = self.network.rpn(images, features)
            found, _ = self.network.roi_heads(features, proposals, images.image_sizes)
            scores = self._scores(features, found[0]["boxes"], images.image_sizes)
        return read_detections(found[0], scores, snr.shape, same_thing_iou=_SAME_THING_IOU)

    def classify(self, snr: Floats, boxes: npt.NDArray[np.floating]) -> Floats:
        """Classify given boxes.

        Parameters
        ----------
        snr : ndarray
            As for :meth:`predict`.
        boxes : ndarray
            (n, 4): x0, y0, x1, y1 in pixels, end excluded.

        Returns
        -------
        ndarray
            float32 (n, 6): probability of background, then of the five classes.
        """
        import torch

        from helikon.space.network import padded

        if not len(boxes):
            return np.zeros((0, len(CLASSES) + 1), dtype=np.float32)
        with torch.inference_mode():
            features, images = self._features(snr)
            wanted = padded(torch.as_tensor(np.asarray(boxes, dtype=np.float32)))
            scores: Floats = self._scores(features, wanted, images.image_sizes).numpy()
        return scores

    def _features(self, snr: Floats) -> tuple[dict[str, "Tensor"], Any]:
        import torch

        from helikon.space.network import STRIDE

        height, width = snr.shape
        padded = np.pad(network_input(snr), ((0, 0), (0, -height % STRIDE), (0, -width % STRIDE)))
        images, _ = self.network.transform([torch.from_numpy(padded)])
        return self.network.backbone(images.tensors), images

    def _scores(
        self, features: dict[str, "Tensor"], boxes: "Tensor", sizes: list[tuple[int, int]]
    ) -> "Tensor":
        heads = self.network.roi_heads
        pooled = heads.box_head(heads.box_roi_pool(features, [boxes], sizes))
        scores: Tensor = heads.box_predictor(pooled)[0].softmax(dim=1)
        return scores


def save_model(model: SourceModel, folder: Path, *, half: bool = True) -> Path:
    """Write ``weights.safetensors`` and the card ``model.json``.

    Parameters
    ----------
    folder : Path
        Made if need be. Each file appears whole; the card comes last.
    half : bool
        Keep weights as float16: half the size, same detections.
    """
    import torch
    from safetensors.torch import save

    kept = torch.float16 if half else torch.float32
    state = {
        name: (value.to(kept) if value.is_floating_point() else value).contiguous()
        for name, value in model.network.state_dict().items()
    }
    content = save(state)
    card = model.card | {
        "service": "space/source-finder",
        "architecture": "helikon.space.network, torchvision Mask R-CNN",
        "classes": list(CLASSES),
        "beam_pixels": MODEL_BEAM_PIXELS,
        "n_parameters": sum(p.numel() for p in model.network.parameters()),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    _write_whole(folder / "weights.safetensors", content)
    _write_whole(folder / "model.json", (json.dumps(card, indent=1) + "\n").encode())
    return folder


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def load_model(folder: Path | None = None) -> SourceModel:
    """Read a model folder; without one, the weights that come with Helikon.

    Raises
    ------
    NotFound
        If the folder holds no model.
    InputError
        If the weights are not those that the card names, or fit no network.
    """
    import torch
    from safetensors.torch import load

    from helikon.space.network import build_network

    folder = SHIPPED if folder is None else Path(folder)
    try:
        card = json.loads((folder / "model.json").read_text())
        content = (folder / "weights.safetensors").read_bytes()
    except FileNotFoundError as error:
        expected = "a folder with weights.safetensors and model.json"
        raise NotFound("no source model here", got=str(error.filename), expected=expected) from None
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != card["sha256"]:
        raise InputError(
            f"weights in {folder} are not those of the card", got=sha256, expected=card["sha256"]
        )
    network = build_network(len(CLASSES) + 1)
    state = {k: v.to(torch.float32) if v.is_floating_point() else v for k, v in load(content).items()}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"weights in {folder} do not fit the network", got=str(error)[:200]) from None
    return SourceModel(network, card)
