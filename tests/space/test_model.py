"""The source model on disk and at work."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from helikon.errors import InputError, NotFound
from helikon.space.card import PARTS, model_sha256
from helikon.space.classes import CLASSES
from helikon.space.mask_rcnn.graphs import export_graphs
from helikon.space.mask_rcnn.model_files import load_network, save_model
from helikon.space.mask_rcnn.network import build_network
from helikon.space.mask_rcnn.training_tiles import VALIDATE, make_tile
from helikon.space.mask_rcnn.view import network_input
from helikon.space.model import SourceModel, load_model


@pytest.fixture(scope="module")
def model() -> SourceModel:
    return load_model()


def test_the_input_has_two_channels_and_no_blanks() -> None:
    made = network_input(np.array([[np.nan, 5.0], [np.inf, -5.0]], dtype=np.float32))
    assert made.shape == (2, 2, 2)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert (made[:, 0, 0] == 0).all()


def test_the_shipped_weights_are_small_and_those_of_their_card(model: SourceModel) -> None:
    folder = Path(load_model.__code__.co_filename).parent / "weights"
    assert (folder / "weights.safetensors").stat().st_size < 6_000_000
    assert model.card["classes"] == list(CLASSES)
    assert len(model.card["sha256"]) == 64


def test_the_shipped_model_finds_a_bright_compact_source(model: SourceModel) -> None:
    y, x = np.mgrid[:128, :128]
    noise = np.random.default_rng(0).standard_normal((128, 128)) * 0.3
    snr = noise + 40 * np.exp(-0.5 * ((x - 60) ** 2 + (y - 45) ** 2) / 4.5)
    best = model.predict(snr.astype(np.float32))[0]
    x0, y0, x1, y1 = best.box
    assert best.class_name == "compact"
    assert x0 < 60 < x1
    assert y0 < 45 < y1
    assert best.mask[45 - best.offset[1], 60 - best.offset[0]]


def test_detections_are_ordered_and_their_masks_fit_the_tile(model: SourceModel) -> None:
    tile = make_tile(VALIDATE, 7, 0, 0, size=160)
    found = model.predict(tile.snr)
    assert found
    assert [d.probability for d in found] == sorted((d.probability for d in found), reverse=True)
    for detection in found:
        height, width = detection.mask.shape
        assert 0 <= detection.offset[0] <= 160 - width
        assert 0 <= detection.offset[1] <= 160 - height
        assert sum(detection.probabilities) <= 1.0001


def test_prediction_is_the_same_twice_and_for_sizes_that_are_no_multiple_of_32(model: SourceModel) -> None:
    snr = make_tile(VALIDATE, 7, 0, 0, size=128).snr[:97, :111]
    one, other = model.predict(snr), model.predict(snr)
    assert [d.box for d in one] == [d.box for d in other]


def test_given_boxes_get_probabilities_that_sum_to_one(model: SourceModel) -> None:
    snr = make_tile(VALIDATE, 7, 0, 0, size=128).snr
    probabilities = model.classify(snr, np.array([[10, 10, 20, 20], [50, 40, 90, 100]]))
    assert probabilities.shape == (2, 6)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert model.classify(snr, np.zeros((0, 4))).shape == (0, 6)


def test_a_network_comes_back_from_its_folder_and_its_graphs_say_what_it_says(tmp_path: Path) -> None:
    torch.manual_seed(1)
    made = build_network(6)
    folder = save_model(made, {"seed": 1}, tmp_path / "model")
    back, model = load_network(folder).eval(), load_model(folder)
    assert model.card["seed"] == 1
    for one, other in zip(made.parameters(), back.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    snr = make_tile(VALIDATE, 7, 0, 0, size=96).snr[:90, :70]
    boxes = np.array([[8, 8, 24, 30], [10, 20, 70, 64]], dtype=np.float32)
    view = model.look(snr)
    x = torch.from_numpy(np.pad(network_input(snr), ((0, 0), (0, 6), (0, 26))))[None]
    with torch.inference_mode():
        features = back.backbone(x)
        pooled = back.roi_heads.box_roi_pool(features, [torch.from_numpy(boxes)], [(96, 96)])
        expected = back.roi_heads.box_predictor(back.roi_heads.box_head(pooled))[0].softmax(dim=1)
    np.testing.assert_allclose(view.judge(boxes)[0], expected, atol=1e-5)
    assert view.masks(boxes).shape == (2, 6, 28, 28)


def test_a_folder_without_graphs_gets_them_from_its_weights(tmp_path: Path) -> None:
    folder = save_model(load_network(), {}, tmp_path)
    card = json.loads((folder / "model.json").read_text())
    del card["graphs"]
    (folder / "model.json").write_text(json.dumps(card))
    snr = make_tile(VALIDATE, 7, 0, 0, size=96).snr
    one, other = load_model(folder).look(snr), load_model().look(snr)
    np.testing.assert_allclose(one.proposals, other.proposals, atol=1e-3)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"expected a folder with weights\.safetensors"):
        load_model(tmp_path)


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    save_model(build_network(6), {}, tmp_path)
    card = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(card | {"sha256": "0" * 64}))
    with pytest.raises(InputError, match="not those of the card"):
        load_model(tmp_path)


def test_models_that_differ_in_a_judge_alone_are_two_models() -> None:
    card = load_model().card
    whole = model_sha256(card)
    assert len(whole) == 64
    network = {name: value for name, value in card.items() if name not in PARTS}
    assert model_sha256(network) == card["sha256"] != whole
    assert model_sha256(card | {"judge": {"sha256": "0" * 64}}) != whole
    assert load_model().sha256 == whole


def test_changed_graphs_are_refused(tmp_path: Path) -> None:
    save_model(build_network(6), {}, tmp_path)
    (tmp_path / "masks.onnx").write_bytes(export_graphs(build_network(6))["masks"])
    with pytest.raises(InputError, match=r"masks\.onnx in .* are not those of the card"):
        load_model(tmp_path)
