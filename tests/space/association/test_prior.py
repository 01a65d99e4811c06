"""What a map is like makes its pairs more or less probable."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from helikon.errors import InputError
from helikon.space.association.judge import PAIRED_FEATURES, Judge, NetworkAlone
from helikon.space.association.judge_examples import N_EXTENDED, _of_any_kind, _options
from helikon.space.association.perceptron import Perceptron
from helikon.space.association.prior import MAP_FEATURES, PRIOR_KIN, PRIOR_PAIRS, map_features
from helikon.space.association.prior_recipe import prior
from helikon.space.association.surroundings import PRIOR_WIDE, USUALLY_WIDE, WIDE_SIGMA, _wide
from helikon.space.card import PARTS, SHIPPED
from helikon.space.mask_rcnn.model_files import keep_parts
from helikon.space.model import load_model

SMALL = {"n_fields": "3", "n_validation_fields": "2", "n_steps": "4"}
NEVER = {
    "cut": lambda rows: np.zeros((0, 4, 32, 48), np.float32),
    "tell": lambda logits, rows: np.zeros((0, 17)),
}


def test_how_many_bright_pieces_are_wide_is_what_is_usual_until_the_map_says_otherwise() -> None:
    bright, faint = np.full(95, 2 * WIDE_SIGMA), np.full(95, WIDE_SIGMA / 2)
    ratio = np.repeat([0.0, 0.3, 0.7, 2.0], [75, 10, 5, 5])
    expected = (np.array([20, 10, 5]) + PRIOR_WIDE * np.array(USUALLY_WIDE)) / (95 + PRIOR_WIDE)
    np.testing.assert_allclose(np.exp(_wide(bright, ratio)), expected)
    np.testing.assert_allclose(np.exp(_wide(faint, ratio)), USUALLY_WIDE)


def test_a_map_tells_how_many_pairs_are_one_source_surely_and_perhaps() -> None:
    logits = np.array([4.0, 0.0, -1.0, -5.0])  # the last does not count
    told = dict(zip(MAP_FEATURES, map_features((-1.0, -2.0, -3.0), logits)[0], strict=True))
    assert (told["wide"], told["wider"], told["widest"]) == (-1.0, -2.0, -3.0)
    sure, doubtful = 1 / (1 + np.exp(-4.0)), 0.5 + 1 / (1 + np.exp(1.0))
    assert np.exp(told["sure"]) == pytest.approx((sure + PRIOR_KIN) / (4 + PRIOR_PAIRS))
    assert np.exp(told["doubtful"]) == pytest.approx((doubtful + PRIOR_KIN) / (4 + PRIOR_PAIRS))
    assert np.exp(map_features((0.0, 0.0, 0.0), np.zeros(0))[0, 3]) == pytest.approx(PRIOR_KIN / PRIOR_PAIRS)


def test_a_prior_lowers_the_log_odds_of_all_pairs_by_what_the_map_says_and_never_raises_them() -> None:
    pair = Perceptron(
        mean=np.zeros(len(PAIRED_FEATURES)),
        deviation=np.ones(len(PAIRED_FEATURES)),
        layers=((np.eye(len(PAIRED_FEATURES))[:1], np.zeros(1)),),
    )
    layers = ((np.eye(len(MAP_FEATURES))[:1] * 2, np.array([0.5])),)
    by_width = Perceptron(
        mean=np.zeros(len(MAP_FEATURES)), deviation=np.ones(len(MAP_FEATURES)), layers=layers
    )
    features = np.zeros((3, len(PAIRED_FEATURES)))
    features[:, 0] = (-5.0, 0.0, 5.0)
    without = Judge(pair=pair, source=pair)
    assert without.kinship(features, (-1.0, -2.0, -3.0), **NEVER) == pytest.approx(
        1 / (1 + np.exp([5.0, 0, -5]))
    )
    judge = dataclasses.replace(without, prior=by_width)
    lowered = judge.kinship(features, (-1.0, -2.0, -3.0), **NEVER)
    assert lowered == pytest.approx(1 / (1 + np.exp([6.5, 1.5, -3.5])))
    raised = judge.kinship(features, (1.0, -2.0, -3.0), **NEVER)
    assert raised == pytest.approx(1 / (1 + np.exp([5.0, 0.0, -5.0])))


def test_what_comes_with_helikon_holds_pairs_for_less_probable_where_nothing_is_wide() -> None:
    judge = load_model().judge
    assert isinstance(judge, Judge)
    assert judge.prior is not None
    nothing_sure = np.full(400, -4.0)
    many_sure = np.concatenate([np.full(30, 4.0), nothing_sure])
    points = judge.prior(map_features(tuple(np.log([0.02, 0.01, 0.002])), nothing_sure))
    galaxies = judge.prior(map_features(tuple(np.log([0.35, 0.2, 0.1])), many_sure))
    assert points[0, 0] < -0.7
    assert -0.7 < galaxies[0, 0] < 1


def test_maps_of_any_kind_have_as_many_galaxies_to_a_beam_whatever_the_beam_and_some_have_none() -> None:
    rng = np.random.default_rng(5)
    drawn = [_of_any_kind(rng, _options(rng, "train", "")) for _ in range(300)]
    beams = np.array([one.beam_pixels for one, _ in drawn])
    said = np.array([share for _, share in drawn])
    assert beams.min() < 3
    assert beams.max() > 7
    assert 0.6 < np.mean(said == 1) < 0.9
    assert said.min() < 0.9
    galaxies = np.array([one.n_extended for one, _ in drawn]) * (beams / 5) ** 2
    assert 0.05 < np.mean(galaxies == 0) < 0.2
    assert galaxies.max() <= N_EXTENDED[1]
    assert 4 <= _options(rng, "train", "").beam_pixels <= 6.5


def test_a_prior_is_trained_kept_beside_the_others_and_read_again(tmp_path: Path) -> None:
    recipe = prior(SMALL)
    torch.manual_seed(0)
    module = recipe.model().train()
    batch = recipe.batch(0, 0, 1)
    features, logits, kin = batch
    assert features.shape[1:] == (len(MAP_FEATURES),)
    assert len(features) == len(logits) == len(kin) > 0
    assert 0 < kin.mean() < 1
    optimiser = recipe.optimiser(module.parameters())
    losses = []
    for _ in range(40):
        loss = recipe.losses(module, batch)["pair"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    assert recipe.validate is not None
    with torch.inference_mode():
        figures = recipe.validate(module.eval())
    assert 0 < figures["held_out_loss"] < 5
    recipe.export(module, tmp_path, {"step": 40})
    judge, shipped = load_model(tmp_path).judge, load_model()
    assert isinstance(judge, Judge)
    assert judge.prior is not None
    assert judge.eye is not None
    (said,) = judge.prior(features[:1].double().numpy())
    with torch.inference_mode():
        assert said[0] == pytest.approx(float(module(features[:1], torch.zeros(1))), abs=1e-4)
    assert load_model(tmp_path).card["eye"]["sha256"] == shipped.card["eye"]["sha256"]
    assert load_model(tmp_path).sha256 != shipped.sha256


def test_a_network_trained_anew_keeps_the_prior(tmp_path: Path) -> None:
    for name in ("model.json", "weights.safetensors"):
        (tmp_path / name).write_bytes((SHIPPED / name).read_bytes())
    keep_parts(SHIPPED, tmp_path)
    assert (tmp_path / PARTS["prior"]).read_bytes() == (SHIPPED / PARTS["prior"]).read_bytes()


def test_without_a_judge_there_is_nothing_to_correct(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model()
    model.judge = NetworkAlone()
    monkeypatch.setattr("helikon.space.association.prior_recipe.source_model", lambda name: model)
    with pytest.raises(InputError, match="a prior corrects a judge"):
        prior(SMALL | {"seed": "77"}).batch(0, 0, 1)


def test_fields_without_a_doubt_teach_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from helikon.space.association import prior_recipe

    monkeypatch.setattr(prior_recipe, "_field", lambda options, kind, number: prior_recipe.NOTHING)
    with pytest.raises(InputError, match="nothing to learn a prior from"):
        prior(SMALL | {"seed": "78"}).model()
