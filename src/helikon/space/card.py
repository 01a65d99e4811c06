"""A model's card: what it is, how it was made, and the checksums of its files."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helikon.errors import InputError, NotFound

__all__ = ["LISTENERS", "PARTS", "SHIPPED", "check_file", "model_sha256", "read_card"]

SHIPPED = Path(__file__).parent / "weights"
"""The model that comes with Helikon."""

PARTS = {"judge": "judge.safetensors", "eye": "eye.onnx", "prior": "prior.safetensors"}
"""What a model has beside its network."""

LISTENERS = {"judge": ("eye", "prior")}
"""Parts that were trained on what another says: of another judge they know nothing."""


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
    except (FileNotFoundError, NotADirectoryError) as error:
        lacking = f"no {Path(error.filename).name} in it" if folder.is_dir() else "a file"
        raise NotFound(
            f"{folder} holds no model" if folder.exists() else f"the model folder {folder} does not exist",
            got=lacking if folder.exists() else None,
            expected="a folder with weights.safetensors and model.json",
            next_step="name another, or leave it out for the model that comes with Helikon",
        ) from None
    check_file(f"weights in {folder}", content, card["sha256"])
    return card, content


def model_sha256(card: Mapping[str, Any]) -> str:
    """Say which model it is: the checksum of its weights, or of the checksums of all its parts, one a line.

    Parameters
    ----------
    card : Mapping
        What ``model.json`` holds.
    """
    sums = [str(card["sha256"]), *(str(card[part]["sha256"]) for part in PARTS if part in card)]
    return sums[0] if len(sums) == 1 else hashlib.sha256("\n".join(sums).encode()).hexdigest()


def check_file(what: str, content: bytes, expected: str) -> None:
    """Raise InputError if a file is not the one that the card names."""
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != expected:
        raise InputError(f"{what} are not those of the card", got=sha256, expected=expected)
