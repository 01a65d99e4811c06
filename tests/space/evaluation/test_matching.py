"""Who is who."""

import numpy as np
import pytest
from astropy.table import Table

from helikon.errors import InputError
from helikon.space.evaluation.entries import read_entries
from helikon.space.evaluation.matching import match
from helikon.space.names import stc_outline
from helikon.space.skies import Sky, simulate_sky


@pytest.fixture(scope="module")
def sky() -> Sky:
    return simulate_sky(21, size=384, n_extended=80.0)


def _entries(sky: Sky, rows: list[tuple[float, float, str]], outlines: list[str] | None = None) -> Table:
    x, y, names = (list(column) for column in zip(*rows, strict=True))
    ra, dec = sky.map.wcs.all_pix2world(np.array(x, float), np.array(y, float), 0)
    table = Table({"ra": ra, "dec": dec, "class": names})
    if outlines is not None:
        table["outline"] = outlines
    return table


def _first(sky: Sky, name: str) -> int:
    return int(np.flatnonzero((sky.truth["class"] == name) & (sky.truth["snr"] > 8))[0])


def test_a_compact_source_is_matched_within_half_a_beam(sky: Sky) -> None:
    row = _first(sky, "compact")
    x, y = float(sky.truth["x"][row]), float(sky.truth["y"][row])
    for shift, expected in ((0.4, row), (0.6, -1)):
        near = x + shift * sky.map.beam_fwhm_pixels
        matches = match(read_entries(_entries(sky, [(near, y, "compact")]), sky), sky)
        assert matches.truth_of_entry[0] == expected


def test_of_two_entries_the_nearer_takes_the_source(sky: Sky) -> None:
    row = _first(sky, "compact")
    x, y = float(sky.truth["x"][row]), float(sky.truth["y"][row])
    matches = match(read_entries(_entries(sky, [(x + 1.5, y, "compact"), (x, y, "compact")]), sky), sky)
    assert matches.entry_of_truth[row] == 1
    assert matches.truth_of_entry[0] != row


def test_an_extended_source_is_matched_by_a_position_on_it_or_by_its_outline(sky: Sky) -> None:
    row = _first(sky, "extended")
    rows, columns = np.nonzero(sky.labels == sky.truth["id"][row])
    x0, y0, x1, y1 = sky.truth["bbox"][row]
    corners = np.array([(x0, y0), (x1 - 1, y0), (x1 - 1, y1 - 1), (x0, y1 - 1)], dtype=float)
    box = stc_outline(sky.map.wcs, [corners])
    on_it = (float(columns[0]), float(rows[0]), "extended")
    beside = (float(x1 + 30), float(y0), "extended")
    assert match(read_entries(_entries(sky, [on_it]), sky), sky).truth_of_entry[0] == row
    if len(rows) >= 0.5 * (x1 - x0) * (y1 - y0):
        matched = match(read_entries(_entries(sky, [beside], [box]), sky), sky)
        assert matched.truth_of_entry[0] == row


def test_spurious_entries_never_match_true_sources(sky: Sky) -> None:
    row = _first(sky, "compact")
    x, y = float(sky.truth["x"][row]), float(sky.truth["y"][row])
    matches = match(read_entries(_entries(sky, [(x, y, "spurious")]), sky), sky)
    assert matches.truth_of_entry[0] == -1
    assert matches.on_truth[0] == row


def test_a_catalogue_without_positions_is_refused(sky: Sky) -> None:
    with pytest.raises(InputError, match="no column dec"):
        read_entries(Table({"ra": [1.0]}), sky)


def test_an_empty_catalogue_matches_nothing(sky: Sky) -> None:
    matches = match(read_entries(Table({"ra": np.zeros(0), "dec": np.zeros(0)}), sky), sky)
    assert (matches.entry_of_truth == -1).all()
