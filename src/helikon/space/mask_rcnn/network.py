"""The network: torchvision's Mask R-CNN around a small backbone for beam-sized sources.

Sources are a few pixels wide, so the finest feature map has two pixels a
cell (torchvision's ResNets start at four), and channels are few, for the
picture is simple and users have no GPU.
"""

import collections
from typing import cast

import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from helikon.space.mask_rcnn.detections import BOX_MARGIN

__all__ = ["Backbone", "Residual", "build_network", "padded"]

_CHANNELS = (16, 32, 64, 160)
_PYRAMID = 32
_LEVELS = ("0", "1", "2", "3")


def padded(boxes: Tensor, margin: float = BOX_MARGIN) -> Tensor:
    """Move the edges of boxes (n, 4) outwards; inwards for a negative margin."""
    return boxes + boxes.new_tensor([-margin, -margin, margin, margin])


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    stride : int
        Of the first convolution.
    """

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        same = stride == 1 and n_in == n_out
        self.shortcut: nn.Module = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return what both say together, (n, n_out, h, w)."""
        return torch.relu(self.body(x) + self.shortcut(x))


class Backbone(nn.Module):
    """Feature pyramid with cells of 2, 4, 8, 16 and 32 pixels.

    Parameters
    ----------
    n_inputs : int
        Channels of the input.
    """

    def __init__(self, n_inputs: int = 2) -> None:
        super().__init__()
        c = _CHANNELS
        self.stem = nn.Sequential(
            nn.Conv2d(n_inputs, c[0], 5, 2, 2, bias=False), nn.BatchNorm2d(c[0]), nn.ReLU(inplace=True)
        )
        stages = [nn.Sequential(Residual(c[0], c[0], 1))]
        stages += [
            nn.Sequential(Residual(c[i - 1], c[i], 2), Residual(c[i], c[i], 1)) for i in range(1, len(c))
        ]
        self.stages = nn.ModuleList(stages)
        self.pyramid = FeaturePyramidNetwork(
            list(c), _PYRAMID, extra_blocks=LastLevelMaxPool(), norm_layer=nn.BatchNorm2d
        )
        self.out_channels = _PYRAMID

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the pyramid's levels by name, finest first."""
        x = self.stem(x)
        levels: dict[str, Tensor] = collections.OrderedDict()
        for name, stage in zip(_LEVELS, self.stages, strict=True):
            x = stage(x)
            levels[name] = x
        return cast(dict[str, Tensor], self.pyramid(levels))


class _AsIs(GeneralizedRCNNTransform):  # type: ignore[misc]
    """Images are of one size, a multiple of 32, and keep it; boxes and masks come back untouched."""

    def __init__(self) -> None:
        super().__init__(min_size=1, max_size=1, image_mean=[0.0], image_std=[1.0])

    def forward(
        self, images: list[Tensor], targets: list[dict[str, Tensor]] | None = None
    ) -> tuple[ImageList, list[dict[str, Tensor]] | None]:
        sizes = [(int(image.shape[-2]), int(image.shape[-1])) for image in images]
        return ImageList(torch.stack(images), sizes), targets

    def postprocess(
        self,
        result: list[dict[str, Tensor]],
        image_shapes: list[tuple[int, int]],
        original_image_sizes: list[tuple[int, int]],
    ) -> list[dict[str, Tensor]]:
        return result


def build_network(n_classes: int) -> MaskRCNN:
    """Make the network with random weights (1.5 million).

    Parameters
    ----------
    n_classes : int
        With background.

    Returns
    -------
    MaskRCNN
        Takes a list of (2, h, w) float32 images of one size, multiples of 32.
        In evaluation mode, masks come back as (n, 1, 28, 28) probabilities
        within the boxes, not pasted.
    """
    anchors = AnchorGenerator(((9,), (17,), (33,), (65,), (129,)), ((0.5, 1.0, 2.0),) * 5)
    # A box of 14 pixels reads from the finest level, one of 112 from the fourth.
    pool = MultiScaleRoIAlign(list(_LEVELS), 7, 2, canonical_scale=112, canonical_level=4)
    mask_pool = MultiScaleRoIAlign(list(_LEVELS), 14, 2, canonical_scale=112, canonical_level=4)
    network = MaskRCNN(
        Backbone(),
        num_classes=None,
        rpn_anchor_generator=anchors,
        rpn_fg_iou_thresh=0.6,
        rpn_bg_iou_thresh=0.3,
        rpn_pre_nms_top_n_train=800,
        rpn_post_nms_top_n_train=200,
        rpn_pre_nms_top_n_test=1500,
        rpn_post_nms_top_n_test=700,
        rpn_batch_size_per_image=192,
        box_roi_pool=pool,
        box_head=_BoxHead(_PYRAMID * 49, 256),
        box_score_thresh=0.05,
        box_nms_thresh=0.4,
        box_detections_per_img=500,
        box_batch_size_per_image=128,
        box_positive_fraction=0.4,
        box_predictor=_Predictor(256, n_classes),
        mask_roi_pool=mask_pool,
        mask_head=MaskRCNNHeads(_PYRAMID, (_PYRAMID,), 1),
        mask_predictor=_mask_predictor(n_classes),
    )
    network.transform = _AsIs()
    network.roi_heads = _with_candidates(network.roi_heads)
    return network


class _Heads(RoIHeads):  # type: ignore[misc]
    """Heads that also train on boxes of parts and of neighbours, which the finder will ask about."""

    def select_training_samples(
        self, proposals: list[Tensor], targets: list[dict[str, Tensor]]
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
        wider = [
            torch.cat([boxes, target["candidates"].to(boxes)]) if "candidates" in target else boxes
            for boxes, target in zip(proposals, targets, strict=True)
        ]
        result: tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]
        result = super().select_training_samples(wider, targets)
        return result


def _with_candidates(heads: RoIHeads) -> _Heads:
    """The same heads, and the same weights' names."""
    return _Heads(
        heads.box_roi_pool,
        heads.box_head,
        heads.box_predictor,
        fg_iou_thresh=0.5,
        bg_iou_thresh=0.5,
        batch_size_per_image=heads.fg_bg_sampler.batch_size_per_image,
        positive_fraction=heads.fg_bg_sampler.positive_fraction,
        bbox_reg_weights=None,
        score_thresh=heads.score_thresh,
        nms_thresh=heads.nms_thresh,
        detections_per_img=heads.detections_per_img,
        mask_roi_pool=heads.mask_roi_pool,
        mask_head=heads.mask_head,
        mask_predictor=heads.mask_predictor,
    )


class _BoxHead(nn.Module):
    """Two layers with normalisation, without which training from nothing is slow."""

    def __init__(self, n_inputs: int, n_features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(n_inputs, n_features),
            nn.LayerNorm(n_features),
            nn.ReLU(inplace=True),
            nn.Linear(n_features, n_features),
            nn.LayerNorm(n_features),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.layers(x))


class _Predictor(nn.Module):
    """Class scores and box corrections from a region's features."""

    def __init__(self, n_features: int, n_classes: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(n_features, n_classes)
        self.bbox_pred = nn.Linear(n_features, n_classes * 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.cls_score(x), self.bbox_pred(x)


def _mask_predictor(n_classes: int) -> nn.Module:
    n = _PYRAMID
    return nn.Sequential(nn.ConvTranspose2d(n, n, 2, 2), nn.ReLU(inplace=True), nn.Conv2d(n, n_classes, 1))
