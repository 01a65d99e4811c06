"""The judges."""

from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from helikon.errors import InputError
from helikon.space.association.eye import EYE_INPUTS, Eye
from helikon.space.association.judge import (
    GROUP_FEATURES,
    HOPELESS,
    PAIRED_FEATURES,
    Judge,
    NetworkAlone,
)
from helikon.space.association.pairs import PAIR_FEATURES
from helikon.space.association.perceptron import Perceptron
from helikon.space.mask_rcnn.graphs import export_graph

USUAL = (-1.0, -1.6, -2.3)


def no_patches(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    raise AssertionError("nobody looks")


def no_company(logits: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    raise AssertionError("nobody asks")


def one_beside(logits: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.column_stack([logits[rows] + 100])


def test_a_perceptron_does_what_its_tensors_say() -> None:
    tensors = {
        "p.mean": np.array([1.0, 0.0]),
        "p.deviation": np.array([2.0, 1.0]),
        "p.0.weight": np.array([[1.0, 0.0], [0.0, -1.0]]),
        "p.0.bias": np.array([0.0, 0.5]),
        "p.1.weight": np.array([[1.0, 10.0]]),
        "p.1.bias": np.array([0.25]),
    }
    made = Perceptron.read(tensors, "p")
    np.testing.assert_allclose(made(np.array([[3.0, 0.0], [-1.0, 2.0]])), [[1 + 5 + 0.25], [0.25]])


def test_judges_of_another_version_say_so() -> None:
    old = Perceptron(mean=np.zeros(3), deviation=np.ones(3), layers=((np.ones((1, 3)), np.zeros(1)),))
    with pytest.raises(InputError, match=r"another version of Helikon.*3 features.*train space/judge"):
        old(np.zeros((2, 4)))


def test_an_eye_of_another_version_says_so() -> None:
    with pytest.raises(InputError, match=r"another version of Helikon.*3 features.*train space/eye"):
        Eye(graph_of_three_features())(np.zeros((2, 1), dtype=np.float32), np.zeros((2, 4)), np.zeros(2))


def graph_of_three_features() -> bytes:
    class Sums(torch.nn.Module):
        def forward(self, patches: Tensor, features: Tensor, logits: Tensor) -> Tensor:
            return logits + features.sum(dim=1) + patches.sum(dim=1)

    example = torch.zeros((2, 1)), torch.zeros((2, 3)), torch.zeros(2)
    return export_graph(Sums(), example, list(EYE_INPUTS), ["corrected"], {"features": {0: "n"}})


class Opposite:
    """An eye that says the opposite of what the features say, and remembers what it was shown."""

    def __call__(
        self,
        patches: npt.NDArray[np.float32],
        features: npt.NDArray[np.float64],
        logits: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        self.shown = patches, features
        return -logits


def test_the_eye_looks_at_doubtful_pairs_alone() -> None:
    n = len(PAIRED_FEATURES)
    first = np.zeros((1, n))
    first[0, 0] = 1.0  # the log odds are the first feature
    pair = Perceptron(mean=np.zeros(n), deviation=np.ones(n), layers=((first, np.zeros(1)),))
    features = np.zeros((4, n))
    features[:, 0] = [5.0, 2.0, -1.0, -5.0]
    eye = Opposite()
    judge = Judge(pair=pair, source=pair, eye=cast(Eye, eye))
    sure = Judge(pair=pair, source=pair).kinship(features, USUAL, no_patches, no_company)
    np.testing.assert_allclose(sure, 1 / (1 + np.exp(-features[:, 0])))
    kinship = judge.kinship(features, USUAL, lambda rows: rows.astype(np.float32), one_beside)
    np.testing.assert_allclose(kinship, [sure[0], 1 - sure[1], 1 - sure[2], sure[3]])
    np.testing.assert_array_equal(eye.shown[0], [1, 2])
    np.testing.assert_array_equal(eye.shown[1], np.column_stack([features[1:3], [102.0, 99.0]]))


def test_pairs_that_a_glance_dismisses_are_not_weighed() -> None:
    n = len(PAIRED_FEATURES)
    first, last = np.zeros((1, len(PAIR_FEATURES))), np.zeros((1, n))
    first[0, 0], last[0, n - 1] = 1.0, 1.0
    glance = Perceptron(
        mean=np.zeros(len(PAIR_FEATURES)),
        deviation=np.ones(len(PAIR_FEATURES)),
        layers=((first, np.zeros(1)),),
    )
    pair = Perceptron(mean=np.zeros(n), deviation=np.ones(n), layers=((last, np.zeros(1)),))
    features = np.zeros((3, n))
    features[:, 0] = [1.0, -1.0, 2.0]
    features[:, n - 1] = [0.5, 3.0, -2.0]
    judge = Judge(pair=pair, source=pair, glance=glance)
    np.testing.assert_array_equal(judge.worth_asking(features), [True, False, True])
    np.testing.assert_array_equal(judge.worth_asking(features[:, : len(PAIR_FEATURES)]), [True, False, True])
    np.testing.assert_allclose(judge.logits(features), [0.5, HOPELESS, -2.0])
    assert Judge(pair=pair, source=pair).worth_asking(features).all()
    assert NetworkAlone().worth_asking(features).all()


def test_without_a_judge_the_networks_masks_and_boxes_are_taken_at_their_word() -> None:
    pairs = np.zeros((2, len(PAIRED_FEATURES)))
    pairs[:, PAIRED_FEATURES.index("together")] = [0.9, 0.1]
    np.testing.assert_allclose(NetworkAlone().kinship(pairs, USUAL, no_patches, no_company), [0.9, 0.1])
    sources = np.full((2, len(GROUP_FEATURES)), np.log(1e-4))
    sources[:, GROUP_FEATURES.index("box_compact")] = np.log(0.9)
    sources[:, GROUP_FEATURES.index("covered")] = [0.0, 0.8]
    compact, covered = NetworkAlone().classify(sources)
    assert np.argmax(compact) == 1
    assert np.argmax(covered) == 2
    np.testing.assert_allclose([compact.sum(), covered.sum()], 1)
