"""The eye is trained, kept with its network and judge, and read again."""

from pathlib import Path

import numpy as np
import pytest
import torch

from helikon.errors import InputError
from helikon.space.association import eye_examples, eye_recipe
from helikon.space.association.eye_recipe import eye
from helikon.space.association.judge import SEEN_FEATURES, Judge
from helikon.space.association.judge_recipe import judge
from helikon.space.association.patches import SHAPE
from helikon.space.model import load_model

SMALL = {"n_fields": "5", "n_validation_fields": "4", "n_steps": "4"}


def test_a_few_steps_lower_the_loss_and_make_a_model_that_is_read_again(tmp_path: Path) -> None:
    recipe = eye(SMALL | {"keep": str(tmp_path / "kept")})
    torch.manual_seed(0)
    module = recipe.model().train()
    batch = recipe.batch(0, 0, 1)
    *shown, kin = batch
    patches, features, logits = shown
    assert patches.shape[1:] == SHAPE
    assert features.shape[1:] == (len(SEEN_FEATURES),)
    assert patches.isfinite().all()
    assert 0 < kin.sum() < len(kin)
    optimiser = recipe.optimiser(module.parameters())
    losses = []
    for _ in range(30):
        loss = recipe.losses(module, batch)["pair"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    assert recipe.validate is not None
    with torch.inference_mode():
        figures = recipe.validate(module.eval())
    assert figures["held_out_loss"] != figures["held_out_loss_without"]
    (tmp_path / "model").mkdir()
    recipe.export(module, tmp_path / "model", {"step": 30})
    model = load_model(tmp_path / "model")
    assert isinstance(model.judge, Judge)
    assert model.judge.eye is not None
    assert model.card["eye"]["step"] == 30
    assert model.judge.prior is not None
    assert [model.card[part] for part in ("judge", "prior")] == [
        load_model().card[part] for part in ("judge", "prior")
    ]
    with torch.inference_mode():
        mirrored = [patches.flip(2), features, logits]
        expected = sum(module.eval()(*each).numpy() for each in (shown, mirrored)) / 2
    found = model.judge.eye(patches.numpy(), features.double().numpy(), logits.double().numpy())
    temperature = expected / found
    np.testing.assert_allclose(temperature, temperature[0], rtol=1e-3)
    assert 0.499 < temperature[0] < 3.001


def test_fields_without_a_doubtful_pair_are_refused_for_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    module = eye(SMALL).model()
    monkeypatch.setattr(eye_recipe, "kept_doubts", lambda *given, **named: eye_examples.join_doubts([]))
    recipe = eye(SMALL | {"n_validation_fields": "1"})
    assert recipe.validate is not None
    with pytest.raises(InputError, match=r"1 fields without a pair.*raise n_validation_fields"):
        recipe.validate(module)


def test_a_judge_that_is_trained_anew_leaves_the_eye_of_the_old_one_out(tmp_path: Path) -> None:
    recipe = judge({"n_fields": "1", "n_validation_fields": "1", "n_steps": "1"})
    recipe.export(recipe.model(), tmp_path, {})
    assert "eye" not in load_model(tmp_path).card


def test_pairs_are_kept_and_made_again_where_a_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    make = eye_examples.make_doubts

    def counted(seed: tuple[int, ...], *given: object, **named: object) -> eye_examples.Doubts:
        made.append(seed)
        return make(seed, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(eye_examples, "make_doubts", counted)
    model = load_model()
    given = {"split": "train", "templates": ""}
    first = eye_examples.kept_doubts(str(tmp_path), (13, 1, 0), model, **given)
    again = eye_examples.kept_doubts(str(tmp_path), (13, 1, 0), model, **given)
    assert made == [(13, 1, 0)]
    for name in eye_examples.NAMES:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    (file,) = tmp_path.glob("*/*")
    file.write_bytes(file.read_bytes()[:1000])
    eye_examples.kept_doubts(str(tmp_path), (13, 1, 0), model, **given)
    assert made == 2 * [(13, 1, 0)]
    assert list(tmp_path.glob("*/*")) == [file]


def test_the_same_step_has_the_same_batch_and_processes_have_their_own_fields(tmp_path: Path) -> None:
    recipe = eye(SMALL | {"keep": str(tmp_path)})
    one, other, third = (recipe.batch(1, rank, 2) for rank in (0, 0, 1))
    for mine, again in zip(one, other, strict=True):
        torch.testing.assert_close(mine, again, rtol=0, atol=0)
    assert len(one[0]) != len(third[0])


def test_unknown_options_are_refused() -> None:
    with pytest.raises(InputError, match="space/eye"):
        eye({"n_field": "3"})
