"""The graphs say what torchvision's network says."""

import numpy as np
import torch
from torchvision.models.detection.image_list import ImageList

from helikon.space.mask_rcnn.graphs import export_graphs
from helikon.space.mask_rcnn.model_files import load_network
from helikon.space.mask_rcnn.runtime import session
from helikon.space.mask_rcnn.training_tiles import VALIDATE, make_tile
from helikon.space.mask_rcnn.view import LEVELS, network_input


def test_the_graphs_answer_as_the_network_does() -> None:
    network = load_network().eval()
    graphs = {name: session(content) for name, content in export_graphs(network).items()}
    x = network_input(make_tile(VALIDATE, 5, 0, 0, size=160).snr)[None]
    size = [(160, 160)]
    with torch.inference_mode():
        features = network.backbone(torch.from_numpy(x))
        proposals, _ = network.rpn(ImageList(torch.from_numpy(x), size), features)
        boxes = proposals[0]
        heads = network.roi_heads
        logits, deltas = heads.box_predictor(heads.box_head(heads.box_roi_pool(features, [boxes], size)))
        masks = heads.mask_predictor(heads.mask_head(heads.mask_roi_pool(features, [boxes[:20]], size)))
        said = logits.softmax(1), heads.box_coder.decode(deltas, [boxes])
    *levels, found = graphs["features"].run(None, {"x": x})
    asked = dict(zip(LEVELS, levels, strict=True))
    assert len({float(level) for level in heads.box_roi_pool.map_levels([boxes])}) > 1
    np.testing.assert_allclose(found, boxes, atol=1e-2)
    for got, expected in zip(graphs["boxes"].run(None, asked | {"boxes": boxes.numpy()}), said, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-2)
    (got,) = graphs["masks"].run(None, asked | {"boxes": boxes[:20].numpy()})
    np.testing.assert_allclose(got, masks.sigmoid(), atol=1e-3)
