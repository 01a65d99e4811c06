"""The judges are trained, kept with their network, and read again."""

from pathlib import Path

import numpy as np
import pytest
import torch

from helikon.errors import InputError
from helikon.space.association.judge import GROUP_FEATURES, PAIRED_FEATURES, Judge
from helikon.space.association.judge_recipe import judge
from helikon.space.model import load_model

SMALL = {"n_fields": "2", "n_validation_fields": "1", "n_steps": "4"}


def test_a_few_steps_lower_the_losses_and_make_a_model_that_is_read_again(tmp_path: Path) -> None:
    recipe = judge(SMALL)
    torch.manual_seed(0)
    module = recipe.model().train()
    batch = recipe.batch(0, 0, 1)
    assert batch.pairs.shape[1:] == (len(PAIRED_FEATURES),)
    assert batch.sources.shape[1:] == (len(GROUP_FEATURES),)
    assert np.isfinite(batch.pairs).all()
    assert np.isfinite(batch.sources).all()
    assert batch.kin.max() == 1
    optimiser = recipe.optimiser(module.parameters())
    totals = []
    for _ in range(25):
        total = torch.stack(list(recipe.losses(module, batch).values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(float(total.detach()))
    assert totals[-1] < 0.7 * totals[0]
    assert recipe.validate is not None
    with torch.inference_mode():
        figures = recipe.validate(module.eval())
    assert 0 <= figures["pair_recall"] <= 1
    recipe.export(module, tmp_path, {"step": 25})
    model = load_model(tmp_path)
    assert isinstance(model.judge, Judge)
    assert model.card["judge"]["step"] == 25
    assert model.card["sha256"] == load_model().card["sha256"]
    probabilities = model.judge.classify(batch.sources)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_the_same_step_has_the_same_batch_and_processes_have_their_own_fields() -> None:
    recipe = judge(SMALL)
    one, other, third = (recipe.batch(1, rank, 2) for rank in (0, 0, 1))
    np.testing.assert_array_equal(one.pairs, other.pairs)
    assert one.pairs.shape != third.pairs.shape


def test_unknown_and_unreadable_options_are_refused() -> None:
    with pytest.raises(InputError, match="n_field"):
        judge({"n_field": "3"})
    with pytest.raises(InputError, match="cannot be read"):
        judge({"n_fields": "three"})
