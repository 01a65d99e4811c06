"""Scores as text and pictures."""

from pathlib import Path

import pytest

from helikon.errors import InputError
from helikon.space.evaluation.plot import plot_score
from helikon.space.evaluation.score import score
from helikon.space.skies import simulate_sky


def test_a_report_names_classes_and_bins_and_a_plot_is_a_png(tmp_path: Path) -> None:
    sky = simulate_sky(41, size=192)
    result = score(sky.truth["ra", "dec", "class", "int_flux", "snr"], sky)
    text = str(result)
    assert text.startswith("completeness 100.0 %")
    assert "extended-multi-island" in text
    assert "5-7" in text
    path = plot_score({"truth": result}, tmp_path / "new" / "score.png")
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(InputError, match=r"score\.png cannot be made"):
        plot_score({"truth": result}, path / "other.png")
