"""Entries land on the pixels that the catalogue means."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from helikon.space.catalogues.located import Located, locate
from helikon.space.catalogues.places import Places
from helikon.space.fits import open_map
from helikon.space.measures.gaussians import ellipse_of_form

BEAM_FORM = (0.22, 0.0, 0.22)


def located(made_up: Any, places: Places) -> Located:
    with open_map(made_up.path) as file:
        return locate(places, file, BEAM_FORM)


def test_positions_on_the_sky_become_pixels_from_zero(made_up: Any) -> None:
    found = located(made_up, Places.at(np.array(made_up.ra), np.array(made_up.dec), in_pixels=False))
    assert found.x == pytest.approx([40, 120, 60, 100, 155], abs=1e-6)
    assert found.y == pytest.approx([50, 90, 140, 150, 30], abs=1e-6)


def test_the_axes_of_an_ellipse_turn_from_the_sky_to_pixels(made_up: Any) -> None:
    places = Places.at(np.array(made_up.ra[:1]), np.array(made_up.dec[:1]), in_pixels=False)
    axes = {"major": np.array([36.0]), "minor": np.array([9.0]), "angle": np.array([90.0])}
    found = located(made_up, dataclasses.replace(places, **axes))
    major, minor, angle = ellipse_of_form(found.forms)
    assert (major[0], minor[0]) == pytest.approx((20, 5), rel=1e-3)
    assert np.degrees(angle[0]) % 180 == pytest.approx(0, abs=0.5) or np.degrees(angle[0]) > 179.5
    rows, columns = found.footprint(0, (0, 0), (180, 180))
    assert (np.ptp(columns), np.ptp(rows)) == pytest.approx((20, 4), abs=2)


def test_without_axes_an_entry_is_as_large_as_the_beam(made_up: Any) -> None:
    found = located(made_up, Places.at(np.array([40.0]), np.array([50.0]), in_pixels=True))
    rows, columns = found.footprint(0, (0, 0), (180, 180))
    assert 15 <= len(rows) <= 25
    assert (rows.mean(), columns.mean()) == (50, 40)


def test_footprints_are_in_the_pixels_of_a_window_and_end_at_its_border(made_up: Any) -> None:
    found = located(made_up, Places.at(np.array([40.0]), np.array([50.0]), in_pixels=True))
    rows, columns = found.footprint(0, (40, 50), (20, 20))
    assert (rows.min(), columns.min()) == (0, 0)
    assert rows.max() == columns.max() == 2


def test_an_outline_is_taken_where_it_is_around_its_entry_and_else_left_out(made_up: Any) -> None:
    square = np.array([(30.0, 40.0), (50.0, 40.0), (50.0, 60.0), (30.0, 60.0)])
    places = Places.at(np.array([40.0, 120.0]), np.array([50.0, 90.0]), in_pixels=True)
    found = located(made_up, dataclasses.replace(places, outlines=((square,), (square,))))
    rows, _ = found.footprint(0, (0, 0), (180, 180))
    assert len(rows) >= 400
    assert found.outlines[1] == ()
