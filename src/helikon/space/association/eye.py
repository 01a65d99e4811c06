"""A small convolutional network that looks at two pieces and corrects what was made of their features."""

import numpy as np
import numpy.typing as npt

from helikon.space.association.perceptron import trained_on_other_features
from helikon.space.mask_rcnn.runtime import session

__all__ = ["EYE_INPUTS", "Eye"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]

EYE_INPUTS = ("patches", "features", "logits")


class Eye:
    """The graph that the recipe ``space/eye`` wrote.

    Parameters
    ----------
    graph : bytes
        ONNX: patches (n, 4, 32, 48), features (n, n_seen_features) and log odds (n,)
        to corrected log odds (n,).
    """

    def __init__(self, graph: bytes) -> None:
        self._session = session(graph)
        self._n_features = int(self._session.get_inputs()[EYE_INPUTS.index("features")].shape[1])

    def __call__(self, patches: Float, features: Double, logits: Double) -> Double:
        """Return the corrected log odds (n,) that pairs are one source.

        Raises
        ------
        InputError
            If it was trained on other features.
        """
        if features.shape[1] != self._n_features:
            raise trained_on_other_features("eye", got=self._n_features, expected=features.shape[1])
        given = patches, features.astype(np.float32), logits.astype(np.float32)
        (corrected,) = self._session.run(None, dict(zip(EYE_INPUTS, given, strict=True)))
        return np.asarray(corrected, dtype=np.float64)
