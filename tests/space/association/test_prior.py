"""What a map is like makes its pairs more or less probable."""

import dataclasses
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helikon.errors import InputError
from helikon.space.association.judge import PAIRED_FEATURES, Judge, NetworkAlone
from helikon.space.association.judge_examples import N_EXTENDED, _of_any_kind, _options
from helikon.space.association.perceptron import Perceptron
from helikon.space.association.prior import (
    MAP_FEATURES,
    PRIOR_FEATURES,
    PRIOR_KIN,
    PRIOR_PAIRS,
    map_features,
    prior_features,
)
from helikon.space.association.prior_recipe import prior
from helikon.space.association.surroundings import (
    PRIOR_BEAMS,
    PRIOR_DENSITY,
    PRIOR_WIDE,
    USUALLY_WIDE,
    WIDE_SIGMA,
    _like,
)
from helikon.space.card import PARTS, SHIPPED
from helikon.space.mask_rcnn.model_files import keep_parts
from helikon.space.model import load_model

SMALL = {"n_fields": "3", "n_validation_fields": "2", "n_steps": "4"}
NEVER = {
    "cut": lambda rows: np.zeros((0, 4, 32, 48), np.float32),
    "tell": lambda logits, rows: np.zeros((0, 17)),
}


LIKE = tuple(np.log([*USUALLY_WIDE, *USUALLY_WIDE, 0.004]))


def pieces_of_islands(islands: list[int], *, faint: list[bool]) -> Any:
    """Stand for pieces of which only islands and strength are asked."""
    return types.SimpleNamespace(island=np.array(islands, np.int32), is_faint=np.array(faint))


def test_how_many_pieces_are_wide_is_what_is_usual_until_the_map_says_otherwise() -> None:
    ratio = np.repeat([0.0, 0.3, 0.7, 2.0], [75, 10, 5, 5])
    islands, strong = list(range(1, 96)), [False] * 95
    expected = (np.array([20, 10, 5]) + PRIOR_WIDE * np.array(USUALLY_WIDE)) / (95 + PRIOR_WIDE)
    for snr, seen, unseen in (
        (2 * WIDE_SIGMA, slice(0, 3), slice(3, 6)),
        (WIDE_SIGMA, slice(3, 6), slice(0, 3)),
    ):
        told = np.exp(_like(np.full(95, snr), ratio, pieces_of_islands(islands, faint=strong), 0.0))
        np.testing.assert_allclose(told[seen], expected)
        np.testing.assert_allclose(told[unseen], USUALLY_WIDE)


def test_a_map_tells_how_many_islands_there_are_to_a_beam_and_faint_ones_do_not_count() -> None:
    pieces = pieces_of_islands([1, 1, 2, 3], faint=[False, False, False, True])
    told = np.exp(_like(np.full(4, 6.0), np.zeros(4), pieces, 1000.0))[6]
    assert told == pytest.approx((2 + PRIOR_BEAMS * PRIOR_DENSITY) / (1000 + PRIOR_BEAMS))


def test_a_map_tells_how_many_pairs_are_one_source_surely_and_perhaps() -> None:
    logits = np.array([4.0, 0.0, -1.0, -5.0])  # the last does not count
    told = dict(zip(MAP_FEATURES, map_features(tuple(range(7)), logits), strict=True))
    assert [told[name] for name in MAP_FEATURES[:7]] == list(range(7))
    sure, doubtful = 1 / (1 + np.exp(-4.0)), 0.5 + 1 / (1 + np.exp(1.0))
    assert np.exp(told["sure"]) == pytest.approx((sure + PRIOR_KIN) / (4 + PRIOR_PAIRS))
    assert np.exp(told["doubtful"]) == pytest.approx((doubtful + PRIOR_KIN) / (4 + PRIOR_PAIRS))
    assert np.exp(map_features(LIKE, np.zeros(0))[7]) == pytest.approx(PRIOR_KIN / PRIOR_PAIRS)


def test_a_prior_changes_the_log_odds_by_what_the_map_and_the_kind_of_pair_say() -> None:
    pair = Perceptron(
        mean=np.zeros(len(PAIRED_FEATURES)),
        deviation=np.ones(len(PAIRED_FEATURES)),
        layers=((np.eye(len(PAIRED_FEATURES))[-1:], np.zeros(1)),),
    )
    weights = np.zeros((1, len(PRIOR_FEATURES)))
    weights[0, PRIOR_FEATURES.index("wide")] = 2
    weights[0, PRIOR_FEATURES.index("same_island")] = 3
    by_width = Perceptron(
        mean=np.zeros(len(PRIOR_FEATURES)),
        deviation=np.ones(len(PRIOR_FEATURES)),
        layers=((weights, np.array([0.5])),),
    )
    features = np.zeros((3, len(PAIRED_FEATURES)))
    features[:, -1] = (-5.0, 0.0, 5.0)
    features[2, PAIRED_FEATURES.index("same_island")] = 1
    without = Judge(pair=pair, source=pair)
    narrow, wide = (-1.0, *LIKE[1:]), (1.0, *LIKE[1:])
    assert without.kinship(features, narrow, **NEVER) == pytest.approx(1 / (1 + np.exp([5.0, 0, -5])))
    judge = dataclasses.replace(without, prior=by_width)
    assert judge.kinship(features, narrow, **NEVER) == pytest.approx(1 / (1 + np.exp([6.5, 1.5, -6.5])))
    assert judge.kinship(features, wide, **NEVER) == pytest.approx(1 / (1 + np.exp([2.5, -2.5, -10.5])))


def test_what_comes_with_helikon_holds_pairs_for_less_probable_where_nothing_is_wide_or_all_is() -> None:
    judge = load_model().judge
    assert isinstance(judge, Judge)
    assert judge.prior is not None
    nothing_sure = np.full(400, -4.0)
    many_sure = np.concatenate([np.full(30, 4.0), nothing_sure])
    blobs = np.zeros((1, len(PAIRED_FEATURES)))
    for name, value in {
        "distance": 2.0, "chance": -1.0, "flux_ratio_least": 0.5, "flux_ratio_most": 0.8,
        "snr_least": 2.5, "snr_most": 3.0,
    }.items():  # fmt: skip
        blobs[0, PAIRED_FEATURES.index(name)] = value
    points = tuple(np.log([0.02, 0.01, 0.002, 0.02, 0.01, 0.002, 0.006]))
    discs = tuple(np.log([0.6, 0.5, 0.2, 0.6, 0.4, 0.2, 0.015]))
    galaxies = tuple(np.log([0.35, 0.2, 0.1, 0.35, 0.2, 0.1, 0.006]))
    said = [
        float(judge.prior(prior_features(like, logits, blobs))[0, 0])
        for like, logits in ((points, nothing_sure), (discs, nothing_sure), (galaxies, many_sure))
    ]
    assert said[0] < -0.5
    assert said[1] < -0.5
    assert said[2] > said[1] + 0.5


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
    assert 0.12 < np.mean(galaxies == 0) < 0.35
    assert galaxies.max() <= N_EXTENDED[1]
    assert 4 <= _options(rng, "train", "").beam_pixels <= 6.5


def test_a_prior_is_trained_kept_beside_the_others_and_read_again(tmp_path: Path) -> None:
    recipe = prior(SMALL)
    torch.manual_seed(0)
    module = recipe.model().train()
    batch = recipe.batch(0, 0, 1)
    features, logits, kin = batch
    assert features.shape[1:] == (len(PRIOR_FEATURES),)
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
