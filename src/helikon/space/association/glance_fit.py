"""How the glance is fitted, which dismisses hopeless pairs before the network is asked about them."""

from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, the usual name
from torch import Tensor

from helikon.space.association.judge_examples import Examples
from helikon.space.association.pairs import PAIR_FEATURES
from helikon.space.association.perceptron import Perceptron

__all__ = ["fit_glance"]

CONSIDERED, LIKELY, DISMISSED = -3.0, -2.0, 0.001
"""A glance foretells log odds above the first; of true pairs above the second this share is lost to it."""
PENALTY = 1e-6


def fit_glance(examples: Examples, pair: Perceptron) -> dict[str, Tensor]:
    """Fit a logistic regression that foretells, without the network, which pairs the judge will consider.

    Of true pairs that the judge holds for likely, one in a thousand is dismissed.

    Parameters
    ----------
    examples : Examples
        With every pair.
    pair : Perceptron
        The judge of pairs.

    Returns
    -------
    dict of str to Tensor
        Of a perceptron of one layer, ``glance``.
    """
    features = examples.pairs[:, : len(PAIR_FEATURES)]
    logits = pair(examples.pairs)[:, 0]
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-3)
    x = torch.from_numpy(np.clip((features - mean) / deviation, -6, 6))
    y = torch.from_numpy((logits > CONSIDERED).astype(np.float64))
    weight = torch.zeros((1, x.shape[1]), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        wrong = F.binary_cross_entropy_with_logits((x @ weight.T + bias)[:, 0], y)
        value = wrong + PENALTY * weight.square().sum()
        cast(Any, value).backward()
        return value

    cast(Any, optimiser).step(loss)
    said = (x @ weight.T + bias)[:, 0].detach().numpy()
    wanted = said[(examples.kin > 0.5) & (logits > LIKELY)]
    least = np.quantile(wanted, DISMISSED) if len(wanted) else said.min(initial=0.0) - 1
    return {
        "glance.mean": torch.from_numpy(mean).float(),
        "glance.deviation": torch.from_numpy(deviation).float(),
        "glance.0.weight": weight.detach().float(),
        "glance.0.bias": (bias.detach() - least).float(),
    }
