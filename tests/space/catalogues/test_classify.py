"""Entries of a catalogue get classes and galaxies; none is dropped."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from helikon.errors import InputError
from helikon.space.catalogues import Places, read_catalogue
from helikon.space.catalogues.classify import classify_places
from helikon.space.catalogues.galaxies import Galaxies
from helikon.space.classes import PROBABILITY_COLUMNS
from helikon.space.finder import find_sources
from helikon.space.fits import read_map, write_map
from helikon.space.model import SourceModel, load_model
from helikon.space.outputs.tables_out import write_votable
from helikon.space.skies import simulate_sky


def sky_places(made_up: Any, *pixels: tuple[float, float]) -> Places:
    position = made_up.wcs.pixel_to_world(*np.array(pixels, dtype=float).T).icrs
    return Places.at(position.ra.deg, position.dec.deg, in_pixels=False)


@pytest.fixture(scope="module")
def model() -> SourceModel:
    return load_model()


@pytest.mark.parametrize(
    "name", ["sources.srl", "sources.csv", "aegean_comp.csv", "islands.dat", "selavy.txt"]
)
def test_a_catalogue_of_compact_sources_is_classified_whoever_made_it(
    made_up: Any, layout: Any, name: str
) -> None:
    classified = classify_places(made_up.path, read_catalogue(layout(name)).places, None)
    assert classified.class_names == ["compact"] * 5
    assert classified.galaxy.tolist() == [1, 2, 3, 4, 5]
    assert classified.flags == ("",) * 5


def test_the_shipped_model_gives_probabilities_that_sum_to_one(
    made_up: Any, layout: Any, model: SourceModel
) -> None:
    classified = classify_places(made_up.path, read_catalogue(layout("sources.srl")).places, model)
    assert classified.probabilities.sum(axis=1) == pytest.approx([1.0] * 5)
    assert classified.class_names == ["compact"] * 5


def test_the_finders_own_catalogue_gets_the_classes_that_the_finder_gave(
    tmp_path: Path, model: SourceModel
) -> None:
    sky = simulate_sky(5, size=512, n_bright=3.0, n_extended=20)
    write_map(sky.map, tmp_path / "map.fits")
    found = find_sources(read_map(tmp_path / "map.fits"), model)
    write_votable(found, tmp_path / "sources.vot")
    places = read_catalogue(tmp_path / "sources.vot").places
    classified = classify_places(tmp_path / "map.fits", places, model)
    given = np.stack([np.asarray(found[name]) for name in PROBABILITY_COLUMNS], axis=1)
    assert len(set(found["class"])) >= 3
    assert classified.class_names == list(found["class"])
    assert classified.probabilities == pytest.approx(given, abs=1e-6)


def test_pixel_positions_do_as_well_as_those_on_the_sky(made_up: Any) -> None:
    places = Places.at(np.array([40.0, 120.0]), np.array([50.0, 90.0]), in_pixels=True)
    assert classify_places(made_up.path, places, None).class_names == ["compact", "compact"]


def test_rows_off_the_map_on_blank_pixels_and_without_position_keep_their_place(made_up: Any) -> None:
    places = sky_places(made_up, (40, 50), (40, 175), (-30, 50), (120, 90))
    places = dataclasses.replace(places, x=np.append(places.x, np.nan), y=np.append(places.y, np.nan))
    none = np.full(5, np.nan)
    places = dataclasses.replace(places, major=none, minor=none, angle=none)
    classified = classify_places(made_up.path, places, None)
    assert classified.flags == ("", "blank", "outside", "", "no-position")
    assert classified.class_names == ["compact", "", "", "compact", ""]
    assert classified.galaxy.tolist() == [1, 0, 0, 2, 0]
    assert classified.n_entries.tolist() == [1, 0, 0, 1, 0]


def test_an_entry_less_than_a_beam_off_the_border_is_on_the_map(made_up: Any) -> None:
    classified = classify_places(made_up.path, sky_places(made_up, (-3, 20), (-8, 20)), None)
    assert classified.flags[1] == "outside"
    assert classified.class_names[0] != ""


def test_entries_with_nothing_on_the_map_are_faint_and_classified_all_the_same(
    made_up: Any, model: SourceModel
) -> None:
    classified = classify_places(made_up.path, sky_places(made_up, (40, 50), (20, 100)), model)
    assert classified.flags == ("", "faint")
    assert classified.class_names[1] != ""
    assert classified.probabilities[1].sum() == pytest.approx(1)


def test_entries_at_one_position_are_one_galaxy_and_those_a_beam_apart_are_not(made_up: Any) -> None:
    places = sky_places(made_up, (40, 50), (40, 50), (42.6, 50), (120, 90))
    classified = classify_places(made_up.path, places, None)
    assert classified.galaxy.tolist() == [1, 1, 2, 3]
    assert classified.n_entries.tolist() == [2, 2, 1, 1]


def test_entries_on_one_extended_source_are_one_galaxy(made_up: Any, tmp_path: Path) -> None:
    path = tmp_path / "bar.fits"
    with fits.open(made_up.path) as hdus:
        y, x = np.mgrid[:180, :180]
        bar = 0.01 * np.exp(-4 * np.log(2) * (y - 110) ** 2 / 40) * ((x > 20) & (x < 90))
        hdus[0].data = (hdus[0].data + bar).astype(np.float32)
        hdus.writeto(path)
    classified = classify_places(path, sky_places(made_up, (30, 110), (80, 110), (40, 50)), None)
    assert classified.galaxy.tolist() == [1, 1, 2]
    assert classified.class_names == ["extended", "extended", "compact"]


def test_an_empty_catalogue_gives_no_rows(made_up: Any) -> None:
    classified = classify_places(made_up.path, Places.at(np.empty(0), np.empty(0), in_pixels=False), None)
    assert len(classified) == 0
    assert classified.class_names == []


def test_a_catalogue_of_another_sky_is_refused_and_both_regions_are_named(made_up: Any) -> None:
    places = Places.at(np.array([200.0, 201.0]), np.array([-40.0, -41.0]), in_pixels=False)
    with pytest.raises(InputError) as refused:
        classify_places(made_up.path, places, None)
    assert "ra 200.0000 to 201.0000 deg and dec -41.0000 to -40.0000 deg" in str(refused.value)
    assert "180 by 180 pixels around ra 9.9997 dec +20.0002 deg" in str(refused.value)


def test_a_map_in_galactic_coordinates_takes_a_catalogue_in_icrs(made_up: Any, tmp_path: Path) -> None:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["GLON-CAR", "GLAT-CAR"], [30, 0], [-0.0005, 0.0005]
    wcs.wcs.crpix = [90, 90]
    here = read_map(made_up.path)
    write_map(dataclasses.replace(here, wcs=wcs), tmp_path / "galactic.fits")
    position = wcs.pixel_to_world([40, 120], [50, 90]).icrs
    places = Places.at(position.ra.deg, position.dec.deg, in_pixels=False)
    assert classify_places(tmp_path / "galactic.fits", places, None).class_names == ["compact", "compact"]


def test_positions_on_the_other_side_of_the_sky_are_not_folded_onto_the_map(made_up: Any) -> None:
    places = sky_places(made_up, (40, 50))
    places = Places.at(np.append(places.x, 190.0), np.append(places.y, -20.0), in_pixels=False)
    assert classify_places(made_up.path, places, None).flags == ("", "outside")


def test_windows_say_what_the_whole_map_says(made_up: Any, layout: Any, model: SourceModel) -> None:
    places = read_catalogue(layout("sources.srl")).places
    whole = classify_places(made_up.path, places, model)
    parts = classify_places(made_up.path, places, model, window_pixels=120)
    assert parts.galaxy.tolist() == whole.galaxy.tolist()
    assert parts.class_names == whole.class_names
    assert parts.flags == whole.flags


def test_a_galaxy_across_a_border_between_windows_is_one_and_has_one_class() -> None:
    galaxies = Galaxies(4)
    extended, compact = [0.0, 0.2, 0.8, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 0.0]
    other = [0.0, 0.1, 0.0, 0.9, 0.0]
    none, last = np.zeros(3, dtype=bool), np.array([False, False, True])
    seen, source = np.array([compact, extended]), np.array([0, 1, 1])
    galaxies.add(np.array([0, 1, 2]), ~last, source, seen, none, together=source)
    seen, source = np.array([other, compact]), np.array([0, 0, 1])
    galaxies.add(np.array([1, 2, 3]), ~last[::-1], source, seen, none, together=source)
    result = galaxies.result(np.ones(4, dtype=bool), np.ones(4, dtype=bool))
    assert result.galaxy.tolist() == [1, 2, 2, 3]
    assert result.class_names == ["compact", "extended", "extended", "compact"]
    assert result.n_entries.tolist() == [1, 2, 2, 1]
