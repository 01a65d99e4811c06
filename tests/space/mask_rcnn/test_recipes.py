"""The training recipe."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from helikon.errors import InputError
from helikon.space.classes import CLASSES
from helikon.space.mask_rcnn.recipes import TrainingOptions, mask_rcnn, read_options
from helikon.space.model import load_model

SMALL = {"tile_size": "128", "batch_size": "1", "n_validation_tiles": "2", "precision": "float32"}


def test_options_are_read_from_text() -> None:
    options = read_options({"start": "scratch", "seed": "7", "time_limit_s": "90"})
    assert (options.seed, options.time_limit_s, options.from_scratch) == (7, 90.0, True)
    assert options.rate > 10 * TrainingOptions().rate


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sead": "1"}, "no such option of space/mask-rcnn: got sead"),
        ({"seed": "one"}, "option seed cannot be read"),
        ({"tile_size": "100"}, "a multiple of 32"),
        ({"precision": "half"}, "auto, bfloat16 or float32"),
        ({"batch_size": "0"}, "must be positive"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mask_rcnn(options)


def test_fine_tuning_a_few_steps_changes_weights_and_keeps_norm_statistics(tmp_path: Path) -> None:
    recipe = mask_rcnn(SMALL)
    module = recipe.model()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    optimiser = recipe.optimiser(module.parameters())
    for step in range(2):
        losses = recipe.losses(module, recipe.batch(step, 0, 1))
        assert set(losses) == {"classifier", "box_reg", "mask", "objectness", "rpn_box_reg"}
        total = torch.stack(list(losses.values())).sum()
        assert torch.isfinite(total)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    after = module.state_dict()
    norms = [name for name in before if "running_" in name]
    assert norms
    assert all(torch.equal(before[name], after[name]) for name in norms)
    assert not torch.equal(before["rpn.head.cls_logits.weight"], after["rpn.head.cls_logits.weight"])
    recipe.export(module, tmp_path, {"step": 2})
    model = load_model(tmp_path)
    assert model.card["step"] == 2
    assert model.card["options"]["start"] == "shipped"


def test_the_same_step_and_rank_have_the_same_batch() -> None:
    one, other, third = (mask_rcnn(SMALL).batch(5, rank, 2) for rank in (0, 0, 1))
    assert torch.equal(one.images[0], other.images[0])
    assert not torch.equal(one.images[0], third.images[0])


def test_validation_says_completeness_reliability_and_f1_of_classes() -> None:
    recipe = mask_rcnn(SMALL)
    assert recipe.validate is not None
    module = recipe.model()
    figures = recipe.validate(module.eval())
    assert {"completeness", "reliability", "f1", "f1_compact"} <= set(figures)
    assert all(0 <= value <= 1 for value in figures.values())


def test_from_scratch_the_network_starts_from_the_seed() -> None:
    def made() -> nn.Module:
        torch.manual_seed(3)
        return mask_rcnn({**SMALL, "start": "scratch"}).model()

    for one, other in zip(made().parameters(), made().parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_shipped_card_names_this_recipe() -> None:
    card = load_model().card
    assert card["recipe"] == "space/mask-rcnn"
    assert card["classes"] == list(CLASSES)
    assert json.dumps(card)
