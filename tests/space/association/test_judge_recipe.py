"""The judges are trained, kept with their network, and read again."""

from pathlib import Path

import numpy as np
import pytest
import torch

from helikon.errors import InputError
from helikon.space.association.glance_fit import fit_glance
from helikon.space.association.judge import GROUP_FEATURES, PAIRED_FEATURES, Judge
from helikon.space.association.judge_examples import Examples
from helikon.space.association.judge_recipe import judge
from helikon.space.association.perceptron import Perceptron
from helikon.space.model import load_model

SMALL = {"n_fields": "2", "n_validation_fields": "1", "n_steps": "4"}


def test_a_few_steps_lower_the_losses_and_make_a_model_that_is_read_again(tmp_path: Path) -> None:
    recipe = judge(SMALL)
    torch.manual_seed(0)
    module = recipe.model().train()
    batch = recipe.batch(0, 0, 1)
    pairs, kin, sources, _ = batch
    assert pairs.shape[1:] == (len(PAIRED_FEATURES),)
    assert sources.shape[1:] == (len(GROUP_FEATURES),)
    assert pairs.isfinite().all()
    assert sources.isfinite().all()
    assert kin.max() == 1
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
    assert model.judge.glance is not None
    assert model.card["sha256"] == load_model().card["sha256"]
    probabilities = model.judge.classify(sources.double().numpy())
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_glance_loses_one_in_a_thousand_of_the_likely_pairs_and_dismisses_most_others() -> None:
    rng = np.random.default_rng(1)
    pairs = rng.normal(size=(20_000, len(PAIRED_FEATURES)))
    weight = np.zeros((1, len(PAIRED_FEATURES)))
    weight[0, :2], weight[0, -1] = 4.0, 1.0  # what is seen at a glance, and what the network adds
    pair = Perceptron(
        mean=np.zeros(len(PAIRED_FEATURES)),
        deviation=np.ones(len(PAIRED_FEATURES)),
        layers=((weight, np.array([-9.0])),),
    )
    logits = pair(pairs)[:, 0]
    kin = (rng.random(len(pairs)) < 1 / (1 + np.exp(-logits))).astype(float)
    examples = Examples(pairs=pairs, kin=kin, sources=np.zeros((0, 1)), classes=np.zeros(0, dtype=np.int64))
    tensors = {name: value.numpy() for name, value in fit_glance(examples, pair).items()}
    found = Judge.read({**tensors, **tensors_of(pair, "pair"), **tensors_of(pair, "source")})
    worth = found.worth_asking(pairs)
    likely = (kin > 0) & (logits > -2)
    assert likely.sum() > 1000
    assert (~worth)[likely].mean() == pytest.approx(0.001, abs=0.001)
    assert worth.mean() < 0.35
    assert (logits[~worth] < -3).mean() > 0.99


def tensors_of(perceptron: Perceptron, name: str) -> dict[str, np.ndarray]:
    (weight, bias) = perceptron.layers[0]
    return {
        f"{name}.mean": perceptron.mean,
        f"{name}.deviation": perceptron.deviation,
        f"{name}.0.weight": weight,
        f"{name}.0.bias": bias,
    }


def test_the_same_step_has_the_same_batch_and_processes_have_their_own_fields() -> None:
    recipe = judge(SMALL)
    one, other, third = (recipe.batch(1, rank, 2) for rank in (0, 0, 1))
    for mine, again in zip(one, other, strict=True):
        torch.testing.assert_close(mine, again, rtol=0, atol=0)
    assert one[0].shape != third[0].shape


def test_unknown_and_unreadable_options_are_refused() -> None:
    with pytest.raises(InputError, match="n_field"):
        judge({"n_field": "3"})
    with pytest.raises(InputError, match="cannot be read"):
        judge({"n_fields": "three"})
