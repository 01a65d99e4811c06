"""The network as ONNX graphs, which run without torch: quicker to start and to run on a CPU.

Three graphs share the work: ``features`` makes the pyramid and the proposals of
a tile, ``boxes`` says what is in boxes of it, ``masks`` says whose pixels are whose.
"""

import io
import warnings
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.image_list import ImageList

from helikon.space.mask_rcnn.view import LEVELS, STRIDE

__all__ = ["GRAPHS", "export_graph", "export_graphs"]

GRAPHS = ("features", "boxes", "masks")
_OPSET = 17
_EXAMPLE = 8 * STRIDE


class _Features(nn.Module):
    """A tile (1, 2, h, w) to the pyramid's four levels and proposals (n, 4)."""

    def __init__(self, network: MaskRCNN) -> None:
        super().__init__()
        self.backbone, self.rpn = network.backbone, network.rpn

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        features = self.backbone(x)
        proposals, _ = self.rpn(ImageList(x, [(x.shape[-2], x.shape[-1])]), features)
        return *(features[str(i)] for i in range(len(LEVELS))), proposals[0]


class _Heads(nn.Module):
    """What the two heads have in common: the pyramid by name, boxes in the pixels of the tile."""

    def __init__(self, network: MaskRCNN) -> None:
        super().__init__()
        self.heads = network.roi_heads

    def pyramid(self, levels: tuple[Tensor, ...]) -> dict[str, Tensor]:
        return {str(i): level for i, level in enumerate(levels)}

    def size(self, levels: tuple[Tensor, ...]) -> list[tuple[int, int]]:
        """Of the tile: the finest level has two pixels a cell."""
        return [(2 * levels[0].shape[-2], 2 * levels[0].shape[-1])]


class _Boxes(_Heads):
    """Boxes (n, 4) to class probabilities (n, 6) and corrected boxes (n, 6, 4)."""

    def forward(self, p0: Tensor, p1: Tensor, p2: Tensor, p3: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        levels = (p0, p1, p2, p3)
        pooled = self.heads.box_roi_pool(self.pyramid(levels), [boxes], self.size(levels))
        logits, deltas = self.heads.box_predictor(self.heads.box_head(pooled))
        return logits.softmax(dim=1), self.heads.box_coder.decode(deltas, [boxes])


class _Masks(_Heads):
    """Boxes (n, 4) to a mask (n, 6, 28, 28) for each class, probabilities."""

    def forward(self, p0: Tensor, p1: Tensor, p2: Tensor, p3: Tensor, boxes: Tensor) -> Tensor:
        levels = (p0, p1, p2, p3)
        pooled = self.heads.mask_roi_pool(self.pyramid(levels), [boxes], self.size(levels))
        return cast(Tensor, self.heads.mask_predictor(self.heads.mask_head(pooled)).sigmoid())


def export_graphs(network: MaskRCNN) -> dict[str, bytes]:
    """Return the three graphs of a network as ONNX, by name.

    Parameters
    ----------
    network : MaskRCNN
        From ``network.build_network``; left in evaluation mode.
    """
    network = network.eval().to(memory_format=torch.contiguous_format)
    tile = torch.zeros((1, 2, _EXAMPLE, _EXAMPLE))
    boxes = torch.tensor([[8.0, 8.0, 24.0, 24.0], [16.0, 16.0, 80.0, 90.0], [1.0, 2.0, 200.0, 180.0]])
    with torch.inference_mode():
        levels = _Features(network)(tile)[:-1]
    n_boxes = {0: "n"}
    pyramid = {level: {2: f"h{i}", 3: f"w{i}"} for i, level in enumerate(LEVELS)}
    asked = [*LEVELS, "boxes"]
    return {
        "features": export_graph(
            _Features(network),
            (tile,),
            ["x"],
            [*LEVELS, "proposals"],
            pyramid | {"x": {2: "h", 3: "w"}, "proposals": n_boxes},
        ),
        "boxes": export_graph(
            _Boxes(network),
            (*levels, boxes),
            asked,
            ["probabilities", "corrected"],
            pyramid | dict.fromkeys(("boxes", "probabilities", "corrected"), n_boxes),
        ),
        "masks": export_graph(
            _Masks(network),
            (*levels, boxes),
            asked,
            ["masks"],
            pyramid | dict.fromkeys(("boxes", "masks"), n_boxes),
        ),
    }


def export_graph(
    module: nn.Module,
    example: tuple[Tensor, ...],
    inputs: list[str],
    outputs: list[str],
    dynamic: dict[str, dict[int, str]],
) -> bytes:
    """Return a module as ONNX.

    Parameters
    ----------
    module : Module
        Left in evaluation mode.
    example : tuple of Tensor
        What it is traced with.
    inputs, outputs : list of str
        Names.
    dynamic : dict of str to dict of int to str
        Name to those axes whose length may change, and what they are called.
    """
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing, and of the exporter by tracing: torch is pinned
        torch.onnx.export(
            module.eval(), example, cast(Any, content), dynamo=False, opset_version=_OPSET,
            input_names=inputs, output_names=outputs, dynamic_axes=dynamic,
        )  # fmt: skip
    return content.getvalue()
