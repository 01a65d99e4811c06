"""Models that say what a place is: scikit-learn, ONNX or PyTorch behind one small protocol.

A model folder holds ``model.json`` (the card), ``weights.safetensors`` (the
mean and standard deviation that inputs are standardised with) and one of
``model.skops``, ``model.onnx`` or ``model.pt2``. None of them runs code of its
own when it is read; pickles are not read.
"""

import dataclasses
import functools
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from helikon.apps import needing
from helikon.errors import InputError

if TYPE_CHECKING:
    from helikon.spark.objects import Folder

__all__ = ["FILES", "KINDS", "Card", "Predictor", "load_predictor", "read_card", "write_model"]

Float = npt.NDArray[np.float32]

KINDS = ("pixels", "chips")
FILES = ("model.skops", "model.onnx", "model.pt2")
SERVICE = "earth/classifier"
_TRUSTED = ("sklearn.tree._tree.", "sklearn.ensemble._hist_gradient_boosting.", "numpy.dtype")
"""Compiled parts of scikit-learn's own trees, which skops does not know by itself."""
_WEIGHTS, _CARD = "weights.safetensors", "model.json"


class Predictor(Protocol):
    """Says what things are.

    For ``pixels`` it takes (n, features) and returns n values; for ``chips``
    it takes (n, features, height, width) and returns (n, height, width).
    Features are the bands of the first time, then of the second, standardised.
    Values are class numbers from 0, or measurements.
    """

    def __call__(self, features: Float) -> npt.NDArray[Any]: ...  # noqa: D102


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a model says of itself.

    Attributes
    ----------
    kind : {"pixels", "chips"}
        What it is shown.
    bands : tuple of str
        That it wants, in order.
    n_times : int
        Time steps that it wants.
    classes : tuple of str
        Names of the classes; empty for a measurement.
    colours : Mapping[str, str]
        Class to ``#rrggbb``.
    gaps : {"none", "interpolate"}
        What becomes of a pixel without data at some times: nothing, or the
        times between which there are data are filled in along straight lines
        (and held at the ends), where at least half of the times have data.
    prepare : Mapping
        Options of ``helikon earth prepare`` that make what it wants.
    """

    kind: str
    bands: tuple[str, ...]
    n_times: int = 1
    classes: tuple[str, ...] = ()
    colours: Mapping[str, str] = dataclasses.field(default_factory=dict)
    gaps: str = "none"
    prepare: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def write_model(
    folder: Path, model: tuple[str, bytes], card: Card, *, mean: Float, std: Float, known: Mapping[str, Any]
) -> Path:
    """Write a model folder that can be published; the card comes last.

    Parameters
    ----------
    folder : Path
        Made if need be.
    model : tuple of (str, bytes)
        One of :data:`FILES`, and its content.
    card : Card
    mean, std : ndarray, shape (features,)
        That inputs are standardised with.
    known : Mapping
        Whatever else is known of its training; goes into ``model.json``.
    """
    from safetensors.numpy import save

    name, content = model
    weights = save({"mean": np.asarray(mean, np.float32), "std": np.asarray(std, np.float32)})
    text = {"service": SERVICE, "file": name, "sha256": hashlib.sha256(content).hexdigest()}
    text |= dataclasses.asdict(card) | dict(known)
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: content, _WEIGHTS: weights, _CARD: (json.dumps(text, indent=1) + "\n").encode()}
    for key, data in files.items():
        beside = folder / f".{key}.partial"
        beside.write_bytes(data)
        beside.replace(folder / key)
    return folder


def read_card(content: bytes) -> tuple[Card, str, str]:
    """Return a card, the model's file and its SHA-256.

    Raises
    ------
    InputError
        If ``model.json`` is not one of ours.
    """
    try:
        text = json.loads(content)
        names = {field.name for field in dataclasses.fields(Card)}
        fields: dict[str, Any] = {name: text[name] for name in names & set(text)}
        for key, value in fields.items():
            fields[key] = tuple(value) if isinstance(value, list) else value
        card = Card(**fields)
        name, sha256 = str(text["file"]), str(text["sha256"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            "this is no model of satellite scenes",
            got=f"model.json: {error}",
            expected="kind, bands, file and sha256 in it",
        ) from error
    if card.kind not in KINDS or name not in FILES:
        raise InputError(
            "this model cannot be used", got=f"{card.kind}, {name}", expected=f"{KINDS} and one of {FILES}"
        )
    return card, name, sha256


def load_predictor(folder: "Folder", prefix: str = "") -> tuple[Card, Predictor]:
    """Read a model.

    Raises
    ------
    InputError
        If the file is not the one that its card names, or cannot be used.
    """
    return _loaded(folder, prefix, hashlib.sha256(folder.read(f"{prefix}{_CARD}")).hexdigest())


@functools.lru_cache(maxsize=2)
def _loaded(folder: "Folder", prefix: str, _version: str) -> tuple[Card, Predictor]:
    from safetensors.numpy import load

    card, name, sha256 = read_card(folder.read(f"{prefix}{_CARD}"))
    content = folder.read(f"{prefix}{name}")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(
            f"{name} is not the file that its card names", expected=sha256, next_step="publish it again"
        )
    weights = load(folder.read(f"{prefix}{_WEIGHTS}"))
    readers = {"model.skops": _sklearn, "model.onnx": _onnx, "model.pt2": _torch}
    bare = readers[name](content)
    axes = (1, -1) if card.kind == "pixels" else (1, -1, 1, 1)
    mean, std = weights["mean"].reshape(axes), weights["std"].reshape(axes)

    def predict(features: Float) -> npt.NDArray[Any]:
        return bare(np.asarray((features - mean) / std, dtype=np.float32))

    return card, predict


def _sklearn(content: bytes) -> Predictor:
    with needing("this model needs scikit-learn and skops", "earth"):
        from skops.io import get_untrusted_types, loads
    unknown = get_untrusted_types(data=content)
    if strange := [name for name in unknown if not name.startswith(_TRUSTED)]:
        raise InputError(
            "model.skops holds what cannot be trusted", got=", ".join(strange), expected="scikit-learn alone"
        )
    estimator = loads(content, trusted=unknown)

    def predict(features: Float) -> npt.NDArray[Any]:
        return np.asarray(estimator.predict(features))

    return predict


def _onnx(content: bytes) -> Predictor:
    with needing("this model needs ONNX Runtime", "earth"):
        import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    network = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    name = network.get_inputs()[0].name

    def predict(features: Float) -> npt.NDArray[Any]:
        return _decided(np.asarray(network.run(None, {name: features})[0]), features)

    return predict


def _torch(content: bytes) -> Predictor:
    with needing("this model needs PyTorch", "training"):
        import torch
    network = torch.export.load(io.BytesIO(content)).module()

    def predict(features: Float) -> npt.NDArray[Any]:
        with torch.inference_mode():
            return _decided(network(torch.from_numpy(features)).numpy(), features)

    return predict


def _decided(scores: npt.NDArray[Any], features: Float) -> npt.NDArray[Any]:
    """Return the class of the greatest score where there is one score for each class."""
    if scores.ndim == features.ndim and scores.shape[1] > 1:
        return np.asarray(scores.argmax(axis=1))
    return scores[:, 0] if scores.ndim == features.ndim else scores
