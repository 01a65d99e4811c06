"""Keep a network on disk: weights, graphs and card; and read it again to train on."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torchvision.models.detection import MaskRCNN

from helikon.errors import InputError
from helikon.space.card import LISTENERS, PARTS, SHIPPED, read_card
from helikon.space.classes import CLASSES
from helikon.space.mask_rcnn.graphs import export_graphs
from helikon.space.mask_rcnn.network import build_network
from helikon.space.mask_rcnn.view import MODEL_BEAM_PIXELS

__all__ = ["keep_parts", "load_network", "save_model", "save_with_part"]


def save_model(network: MaskRCNN, card: Mapping[str, Any], folder: Path) -> Path:
    """Write ``weights.safetensors`` (float16), the ONNX graphs and the card ``model.json``.

    Parameters
    ----------
    network : MaskRCNN
        From ``network.build_network``.
    card : Mapping
        What is known of its training.
    folder : Path
        Made if need be. Each file appears whole; the card comes last.
    """
    state = {
        name: (value.to(torch.float16) if value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
    }
    files = {"weights.safetensors": save(state)}
    graphs = export_graphs(_from_state(state))
    files |= {f"{name}.onnx": content for name, content in graphs.items()}
    whole_card = dict(card) | {
        "service": "space/source-finder",
        "architecture": "helikon.space.mask_rcnn.network, torchvision Mask R-CNN",
        "classes": list(CLASSES),
        "beam_pixels": MODEL_BEAM_PIXELS,
        "n_parameters": sum(p.numel() for p in network.parameters()),
        "sha256": hashlib.sha256(files["weights.safetensors"]).hexdigest(),
        "graphs": {name: hashlib.sha256(content).hexdigest() for name, content in graphs.items()},
    }
    files["model.json"] = (json.dumps(whole_card, indent=1) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        part = folder / (name + ".part")
        part.write_bytes(content)
        os.replace(part, folder / name)
    return folder


def load_network(folder: Path | None = None) -> MaskRCNN:
    """Read the network of a model folder; without one, of the model that comes with Helikon.

    Raises
    ------
    NotFound
        If the folder holds no model.
    InputError
        If the weights are not those that the card names, or fit no network.
    """
    folder = SHIPPED if folder is None else Path(folder)
    _, content = read_card(folder)
    try:
        return _from_state(load(content))
    except RuntimeError as error:
        raise InputError(f"weights in {folder} do not fit the network", got=str(error)[:200]) from None


def keep_parts(start: Path, folder: Path) -> None:
    """Give the model in ``folder`` the judge and the eye of the model that its training started from."""
    card = json.loads((folder / "model.json").read_text())
    start_card = json.loads((start / "model.json").read_text())
    for part, name in PARTS.items():
        if part in start_card:
            shutil.copyfile(start / name, folder / name)
            card[part] = start_card[part]
    (folder / "model.json").write_text(json.dumps(card, indent=1) + "\n")


def save_with_part(part: str, content: bytes, told: Mapping[str, Any], *, start: Path, folder: Path) -> None:
    """Write the model of ``start`` anew with another part, without what was trained on the old one.

    Parameters
    ----------
    part : str
        Of :data:`card.PARTS`.
    content : bytes
        Of its file.
    told : Mapping
        What is known of its training.
    """
    card = json.loads((start / "model.json").read_text())
    for listener in LISTENERS.get(part, ()):
        card.pop(listener, None)
    kept = [file for name, file in PARTS.items() if name in card and name != part]
    for name in ("weights.safetensors", *(f"{graph}.onnx" for graph in card["graphs"]), *kept):
        shutil.copyfile(start / name, folder / name)
    (folder / PARTS[part]).write_bytes(content)
    card[part] = dict(told) | {"sha256": hashlib.sha256(content).hexdigest()}
    (folder / "model.json").write_text(json.dumps(card, indent=1) + "\n")


def _from_state(state: Mapping[str, torch.Tensor]) -> MaskRCNN:
    network = build_network(len(CLASSES) + 1)
    network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return network
