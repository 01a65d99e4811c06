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
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops import MultiScaleRoIAlign, roi_align
from torchvision.ops.poolers import LevelMapper

from helikon.space.mask_rcnn.view import LEVELS, STRIDE

__all__ = ["GRAPHS", "export_graph", "export_graphs"]

GRAPHS = ("features", "boxes", "masks")
_OPSET = 17
_EXAMPLE = 8 * STRIDE


class _Features(nn.Module):
    """A tile (1, 2, h, w) to the pyramid's four levels and proposals (n, 4).

    The same proposals as torchvision's, but of a million anchors only the best
    of each level are made into boxes, for the others are left out anyway.
    """

    def __init__(self, network: MaskRCNN) -> None:
        super().__init__()
        self.backbone, self.rpn = network.backbone, network.rpn

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        features, size = self.backbone(x), [(x.shape[-2], x.shape[-1])]
        maps = list(features.values())
        by_level, corrections = self.rpn.head(maps)
        n_anchors = [level.shape[1] * level.shape[2] * level.shape[3] for level in by_level]
        scores, corrections = concat_box_prediction_layers(by_level, corrections)
        scores = scores.reshape(1, -1)
        best = self.rpn._get_top_n_idx(scores, n_anchors)[0]
        n_best = [torch.clamp(torch.as_tensor(n), max=self.rpn.pre_nms_top_n()) for n in n_anchors]
        anchors = self.rpn.anchor_generator(ImageList(x, size), maps)[0][best]
        boxes = self.rpn.box_coder.decode(corrections[best], [anchors]).reshape(1, -1, 4)
        proposals, _ = self.rpn.filter_proposals(boxes, scores[:, best], size, n_best)
        return *(features[str(i)] for i in range(len(LEVELS))), proposals[0]


class _Heads(nn.Module):
    """What the two heads have in common: what the pyramid has in boxes, given in the tile's pixels."""

    def __init__(self, network: MaskRCNN) -> None:
        super().__init__()
        self.heads = network.roi_heads

    def pooled(self, pool: MultiScaleRoIAlign, levels: tuple[Tensor, ...], boxes: Tensor) -> Tensor:
        """As torchvision's, but what the levels give is put in order at once, not level by level."""
        level_of_box = LevelMapper(1, len(levels), pool.canonical_scale, pool.canonical_level)([boxes])
        regions = torch.cat([torch.zeros_like(boxes[:, :1]), boxes], dim=1)
        rows = [torch.where(level_of_box == number)[0] for number in range(len(levels))]
        parts = [
            roi_align(level, regions[mine], pool.output_size, 0.5 ** (number + 1), pool.sampling_ratio)
            for number, (level, mine) in enumerate(zip(levels, rows, strict=True))
        ]
        return torch.cat(parts)[torch.cat(rows).argsort()]


class _Boxes(_Heads):
    """Boxes (n, 4) to class probabilities (n, 6) and corrected boxes (n, 6, 4)."""

    def forward(self, p0: Tensor, p1: Tensor, p2: Tensor, p3: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        pooled = self.pooled(self.heads.box_roi_pool, (p0, p1, p2, p3), boxes)
        logits, deltas = self.heads.box_predictor(self.heads.box_head(pooled))
        return logits.softmax(dim=1), self.heads.box_coder.decode(deltas, [boxes])


class _Masks(_Heads):
    """Boxes (n, 4) to a mask (n, 6, 28, 28) for each class, probabilities."""

    def forward(self, p0: Tensor, p1: Tensor, p2: Tensor, p3: Tensor, boxes: Tensor) -> Tensor:
        pooled = self.pooled(self.heads.mask_roi_pool, (p0, p1, p2, p3), boxes)
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
