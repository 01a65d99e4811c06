"""A small multilayer perceptron that needs numpy alone."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError

__all__ = ["Perceptron", "trained_on_other_features"]

Double = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Perceptron:
    """Standardise, then layers with ReLU between them.

    Attributes
    ----------
    mean, deviation : ndarray, shape (n_features,)
        Of the features in training.
    layers : tuple of (ndarray, ndarray)
        Weights (n_out, n_in) and biases (n_out,).
    recipe : str
        Which one of ``helikon train space/…`` made it.
    """

    mean: Double
    deviation: Double
    layers: tuple[tuple[Double, Double], ...]
    recipe: str = "judge"

    def __call__(self, features: Double) -> Double:
        """Return the last layer's values (n, n_out) of features (n, n_features).

        Raises
        ------
        InputError
            If it was trained on other features.
        """
        if features.shape[1] != len(self.mean):
            raise trained_on_other_features(self.recipe, got=len(self.mean), expected=features.shape[1])
        x = np.clip((features - self.mean) / self.deviation, -6, 6)
        for number, (weight, bias) in enumerate(self.layers):
            x = (np.maximum(x, 0) if number else x) @ weight.T + bias
        return np.asarray(x)

    @classmethod
    def read(
        cls, tensors: Mapping[str, npt.NDArray[np.floating]], name: str, *, recipe: str = "judge"
    ) -> "Perceptron":
        """Take the tensors ``name.mean``, ``name.deviation``, ``name.0.weight``, ``name.0.bias``, …"""
        layers: list[tuple[Double, Double]] = []
        while f"{name}.{len(layers)}.weight" in tensors:
            key = f"{name}.{len(layers)}"
            weight, bias = (_double(tensors[f"{key}.{part}"]) for part in ("weight", "bias"))
            layers.append((weight, bias))
        mean, deviation = (_double(tensors[f"{name}.{part}"]) for part in ("mean", "deviation"))
        return cls(mean=mean, deviation=deviation, layers=tuple(layers), recipe=recipe)


def trained_on_other_features(part: str, *, got: int, expected: int) -> InputError:
    """Say that a part of a model belongs to another version, and how to get one of this."""
    return InputError(
        f"the {part} of this model was trained by another version of Helikon",
        got=f"{got} features",
        expected=str(expected),
        next_step=f"train it again: `helikon train space/{part} --option model=FOLDER`",
    )


def _double(values: npt.NDArray[np.floating]) -> Double:
    return np.asarray(values, dtype=np.float64)
