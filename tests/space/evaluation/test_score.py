"""The score of a catalogue."""

import math

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table

from helikon.space.evaluation.matching import extended_truth
from helikon.space.evaluation.score import score, wilson
from helikon.space.skies import Sky, simulate_sky


@pytest.fixture(scope="module")
def sky() -> Sky:
    return simulate_sky(31, size=384, n_extended=60.0, n_bright=12.0, phase_error_deg=6.0)


def _perfect(sky: Sky) -> Table:
    """Every true thing with its own class; extended ones at a pixel of their own."""
    table = sky.truth["ra", "dec", "class", "int_flux", "snr", "id"].copy()
    for row in np.flatnonzero(extended_truth(sky)):
        rows, columns = np.nonzero(sky.labels == sky.truth["id"][row])
        middle = len(rows) // 2
        ra, dec = sky.map.wcs.all_pix2world(columns[middle], rows[middle], 0)
        table["ra"][row], table["dec"][row] = float(ra), float(dec)
    return table


def test_the_truth_itself_scores_one(sky: Sky) -> None:
    result = score(_perfect(sky), sky)
    assert (result.completeness, result.reliability, result.f1) == (1.0, 1.0, 1.0)
    assert result.n_false == result.n_fragments == 0
    assert result.single_entry == 1.0
    assert result.flux_ratio == pytest.approx(1.0)
    assert all(one.f1 == 1.0 for one in result.classes if one.n_true)
    assert sum(one.n_true for one in result.classes) > 10


def test_an_empty_catalogue_is_reliable_and_finds_nothing(sky: Sky) -> None:
    result = score(_perfect(sky)[:0], sky)
    assert result.completeness == 0.0
    assert result.n_entries == 0
    assert math.isnan(result.flux_ratio)
    assert "0.0 %" in str(result)


def test_missing_sources_lower_completeness_and_no_more(sky: Sky) -> None:
    table = _perfect(sky)
    keep = np.ones(len(table), dtype=bool)
    counted = np.flatnonzero((table["class"] == "compact") & (table["snr"] >= 5))
    keep[counted[::2]] = False
    result = score(table[keep], sky)
    assert result.completeness == pytest.approx(1 - len(counted[::2]) / result.n_true)
    assert result.reliability == 1.0


def test_entries_on_empty_sky_lower_reliability(sky: Sky) -> None:
    table = _perfect(sky)
    n_real = int((table["class"] != "spurious").sum())
    rows, columns = np.nonzero(sky.labels == 0)
    for i in range(0, 4):
        place = (i + 1) * len(rows) // 6
        while sky.labels[
            max(0, rows[place] - 4) : rows[place] + 5, max(0, columns[place] - 4) : columns[place] + 5
        ].any():
            place += 1
        ra, dec = sky.map.wcs.all_pix2world(columns[place], rows[place], 0)
        table.add_row((float(ra) * u.deg, float(dec) * u.deg, "compact", 1e-3 * u.Jy, 6.0, 0))
    result = score(table, sky)
    assert result.n_false == 4
    assert result.reliability == pytest.approx(1 - 4 / (n_real + 4))
    assert result.completeness == 1.0


def test_a_second_entry_on_an_extended_source_is_a_fragment(sky: Sky) -> None:
    table = _perfect(sky)
    row = int(np.flatnonzero((table["class"] == "extended") & (table["snr"] > 5))[0])
    rows, columns = np.nonzero(sky.labels == table["id"][row])
    ra, dec = sky.map.wcs.all_pix2world(columns[0], rows[0], 0)
    table.add_row((float(ra) * u.deg, float(dec) * u.deg, "extended", 1e-3 * u.Jy, 6.0, 0))
    result = score(table, sky)
    assert (result.n_false, result.n_fragments) == (0, 1)
    assert result.single_entry < 1.0


def test_a_wrong_class_shows_in_the_confusion_and_not_in_completeness(sky: Sky) -> None:
    table = _perfect(sky)
    table["class"][table["class"] == "extended"] = "compact"
    result = score(table, sky)
    extended = next(one for one in result.classes if one.name == "extended")
    assert extended.n_found == 0
    assert result.confusion[2][1] == extended.n_true
    assert result.completeness == 1.0


def test_fluxes_are_compared(sky: Sky) -> None:
    table = _perfect(sky)
    table["int_flux"] = table["int_flux"] * 0.9
    assert score(table, sky).flux_ratio == pytest.approx(0.9)


def test_intervals_hold_the_share_and_shrink() -> None:
    low, high = wilson(9, 10)
    assert low < 0.9 < high
    narrow = wilson(900, 1000)
    assert narrow[1] - narrow[0] < (high - low) / 5
    assert wilson(0, 0) == (0.0, 1.0)
