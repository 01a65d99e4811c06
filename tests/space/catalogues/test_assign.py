"""Each entry gets the pieces of emission that it covers, and a new one where it has none."""

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest

from helikon.space.association.candidates import find_candidates
from helikon.space.catalogues.assign import Assigned, assign
from helikon.space.catalogues.located import Located
from helikon.space.finder_settings import FinderSettings
from helikon.space.measures.gaussians import form_of_ellipse

BEAM = form_of_ellipse(5, 5, 0)


@pytest.fixture
def significance() -> npt.NDArray[np.float32]:
    """A bright source, one below the seed threshold, and a blank corner, without noise."""
    y, x = np.mgrid[:80, :80]
    values = np.zeros((80, 80))
    for height, x0, y0 in ((50.0, 20, 20), (4.5, 60, 20)):
        values += height * np.exp(-4 * np.log(2) * ((x - x0) ** 2 + (y - y0) ** 2) / 25)
    values[60:, 60:] = np.nan
    return values.astype(np.float32)


def assigned(significance: npt.NDArray[np.float32], *positions: tuple[float, float]) -> Assigned:
    x, y = np.array(positions, dtype=float).T
    located = Located(
        x=x,
        y=y,
        on_map=np.ones(len(x), dtype=bool),
        forms=np.tile(BEAM, (len(x), 1)),
        outlines=((),) * len(x),
    )
    entries = np.arange(len(x))
    base = find_candidates(significance, None, FinderSettings(), beam_fwhm_pixels=5.0)
    return assign(significance, located, entries, (0, 0), base, FinderSettings().flood_sigma)


def test_an_entry_on_a_source_has_the_finders_own_piece(significance: npt.NDArray[np.float32]) -> None:
    found = assigned(significance, (20.3, 19.8))
    assert len(found.pieces) == 1
    assert found.sources(np.array([0])).tolist() == [0]
    assert not found.is_faint[0]


def test_emission_below_the_seed_threshold_becomes_a_piece_for_its_entry(
    significance: npt.NDArray[np.float32],
) -> None:
    found = assigned(significance, (20, 20), (60, 20), (61, 20))
    assert len(found.pieces) == 2
    assert found.sources(np.array([0, 1])).tolist() == [0, 1, 1]
    assert (found.pieces.x[1], found.pieces.y[1]) == (60, 20)
    assert not found.is_faint.any()
    assert found.pieces.island.tolist() == [1, 2]


def test_an_entry_on_nothing_becomes_a_piece_of_the_beams_size(
    significance: npt.NDArray[np.float32],
) -> None:
    found = assigned(significance, (40, 50), (20, 20))
    assert found.is_faint.tolist() == [True, False]
    assert 15 <= int((found.pieces.labels == 2).sum()) <= 25


def test_an_entry_on_blank_pixels_has_no_piece(significance: npt.NDArray[np.float32]) -> None:
    found = assigned(significance, (70, 70), (20, 20))
    assert found.sources(np.array([0])).tolist() == [-1, 0]
    assert len(found.pieces) == 1


def test_an_entry_over_two_pieces_is_of_the_source_with_most_pixels() -> None:
    found = Assigned(
        pieces=dataclasses.replace(assigned(np.zeros((8, 8), np.float32), (4, 4)).pieces),
        covered=[np.array([5, 3, 4]), np.array([0, 2]), np.empty(0, dtype=np.int64)],
        is_faint=np.zeros(3, dtype=bool),
    )
    assert found.sources(np.array([0, 1, 1])).tolist() == [1, 1, -1]
