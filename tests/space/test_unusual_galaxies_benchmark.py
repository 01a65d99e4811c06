"""Galaxies that the benchmark draws: what they are, and what is said to have become of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helikon.space.evaluation.entries import read_entries
from helikon.space.evaluation.judge import judge
from helikon.space.finder import find_sources
from helikon.space.skies.files import read_sky

KINDS = (
    "ellipses", "discs", "doubles", "bridged doubles", "jets", "tails", "shells", "haloes", "arcs", "giants"
)  # fmt: skip


@pytest.fixture(scope="module")
def drawn(benchmark_module: Callable[[str], Any]) -> Any:
    return benchmark_module("unusual_galaxies")


@pytest.mark.parametrize("name", KINDS)
def test_a_galaxy_is_an_image_about_its_middle_with_a_peak_of_one(drawn: Any, name: str) -> None:
    one, again, other = (drawn.galaxy(np.random.default_rng(seed), drawn.KINDS[name]) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert one.max() == other.max() == 1
    assert one.shape[0] == one.shape[1] > 2 * drawn.BEAM
    assert one.shape[0] % 2 == 1
    assert one.shape != other.shape or not np.array_equal(one, other)
    edge = np.concatenate([one[0], one[-1], one[:, 0], one[:, -1]])
    assert edge.max() < 0.3  # nothing is cut off, but the wings of the largest


@pytest.mark.parametrize(
    ("name", "kind", "least", "most"),
    [("ellipses", "extended", 0.7, 1), ("doubles", "extended-multi-island", 0, 0.5)],
)
def test_what_became_of_galaxies_where_islands_alone_speak(
    drawn: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    kind: str,
    least: float,
    most: float,
) -> None:
    monkeypatch.setattr(drawn, "N_GALAXIES", 200)
    drawn.unusual_maps.make(tmp_path, 5, drawn.kind(name), 512)
    sky = read_sky(tmp_path)
    assert np.count_nonzero(sky.truth["class"] == kind) >= 5
    entries = read_entries(find_sources(sky.map, model=None), sky)
    judged = judge(entries.take(entries.snr >= 5), sky)
    told = drawn.became(judged, has_classes=True)
    assert least <= told[drawn.ONE] <= most
    assert 0 <= told[drawn.ONE_OF_CLASS] <= told[drawn.ONE]
    assert drawn.became(judged, has_classes=False)[drawn.ONE_OF_CLASS] is None
