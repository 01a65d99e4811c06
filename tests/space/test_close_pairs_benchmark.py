"""Pairs of points that the benchmark draws, and what is said to have become of them."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import Table

from helikon.space.fits import read_map


@pytest.fixture(scope="module")
def close_pairs(benchmark_module: Callable[[str], Any]) -> Any:
    return benchmark_module("close_pairs")


@pytest.fixture(scope="module")
def drawn(close_pairs: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder, pairs = close_pairs.make(tmp_path_factory.mktemp("pairs"), "3.5 by 8", 512)
    return folder, pairs


def test_the_map_has_the_points_where_the_rows_say(close_pairs: Any, drawn: tuple[Path, Any]) -> None:
    folder, pairs = drawn
    radio_map = read_map(folder / "map.fits")
    assert (radio_map.beam.major_arcsec, radio_map.beam.minor_arcsec) == pytest.approx((8.0, 3.5))
    snr, ratio, apart = pairs[:, 4:].T
    shift = (pairs[:, 2:4] - pairs[:, :2]) / (3.5, 8.0)
    assert np.hypot(*shift.T) == pytest.approx(apart)
    assert ((ratio >= 1) & (ratio <= 100) & (snr / ratio >= 7 - 1e-9)).all()
    at = np.rint(pairs[:, 1]).astype(int), np.rint(pairs[:, 0]).astype(int)
    assert radio_map.data[at] / (close_pairs.SIGMA * snr) == pytest.approx(1.05, abs=0.2)


def test_pairs_are_told_apart_by_a_catalogue_that_has_both_points_and_by_no_other(
    close_pairs: Any, drawn: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, pairs = drawn
    true = np.concatenate([pairs[:, :2], pairs[:, 2:4]])
    flux = close_pairs.SIGMA * np.concatenate([pairs[:, 4], 1.1 * pairs[:, 4] / pairs[:, 5]])
    cost = close_pairs.runs.Cost(cpu_s=1.0, wall_s=1.0, peak_mb=1.0)
    monkeypatch.setattr(close_pairs.runs, "run", lambda cache, finder, field: (folder, cost))
    for rows, share in ((slice(None), 1.0), (slice(len(pairs)), 0.0)):
        table = Table({"x": true[rows, 0], "y": true[rows, 1], "int_flux": flux[rows]})
        table.meta["EXTNAME"] = "SOURCES"
        table.write(folder / "sources.fits", overwrite=True)
        finder = close_pairs.FINDERS[0]
        told, ratio, spent = close_pairs.look(Path(), finder, folder, pairs, close_pairs.BEAMS["3.5 by 8"])
        figures = close_pairs.figures_of(told, ratio, spent)
        assert figures["told apart"] == share
        assert figures["flux ratio"] == pytest.approx(1.1) if share else math.isnan(figures["flux ratio"])
