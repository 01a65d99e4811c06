"""A recipe that would never end is refused; schedules are what they say."""

import pytest
import torch
from torch import nn

from helikon.errors import InputError
from helikon.training.recipe import Recipe, adamw, constant, cosine


def test_a_recipe_without_an_end_is_refused() -> None:
    with pytest.raises(InputError, match="recipe endless would never end"):
        Recipe(
            name="endless",
            model=lambda: nn.Linear(1, 1),
            batch=lambda step, rank, size: None,
            losses=lambda module, batch: {},
            export=lambda module, folder, card: None,
        )


def test_the_cosine_schedule_warms_up_and_ends_at_zero() -> None:
    assert 0 < cosine(0.0) < 0.05
    assert cosine(0.05) == pytest.approx(1.0)
    assert cosine(0.525) == pytest.approx(0.5)
    assert cosine(1.0) == pytest.approx(0.0)


def test_the_constant_schedule_changes_nothing() -> None:
    assert constant(0.3) == 1.0


def test_the_default_optimiser_is_adamw() -> None:
    assert isinstance(adamw(nn.Linear(1, 1).parameters()), torch.optim.AdamW)
