"""Contact sheets and FITS cut-outs show the sources that were asked for."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from tests.space.test_formats import made_up

from helikon.space.fits import open_map, read_map, write_map
from helikon.space.outputs.colours import COLOURS
from helikon.space.outputs.cutouts import choose_rows, write_cutouts


def test_what_is_not_compact_comes_first_and_the_brightest_of_each() -> None:
    catalogue, _ = made_up()
    rows = choose_rows(catalogue, 3)
    assert [str(catalogue["class"][row]) for row in rows] == ["extended", "compact", "compact"]
    assert catalogue["int_flux"][rows[1]] > catalogue["int_flux"][rows[2]]
    assert choose_rows(catalogue, 1) == rows[:1]


def test_a_sheet_shows_the_outlines_in_the_colours_of_the_classes(tmp_path: Path) -> None:
    files = write_cutouts(*made_up(), tmp_path, 3)
    assert list(files) == ["cutouts/sheet-01.png"]
    image = imread(files["cutouts/sheet-01.png"])[..., :3]
    for place, name in enumerate(("extended", "compact", "compact")):
        part = image[:230, 12 + 232 * place : 232 + 232 * place]
        red, green, blue = (int(COLOURS[name][i : i + 2], 16) / 255 for i in (1, 3, 5))
        assert (np.abs(part - (red, green, blue)).max(axis=2) < 0.05).sum() > 50, place


def test_fits_cutouts_are_pieces_of_the_map_at_their_places(tmp_path: Path) -> None:
    catalogue, radio_map = made_up()
    files = write_cutouts(catalogue, radio_map, tmp_path, 2, fits=True)
    for row in choose_rows(catalogue, 2):
        name = str(catalogue["name"][row]).replace(" ", "_")
        piece = read_map(files[f"cutouts/{name}.fits"])
        x, y = (float(catalogue[axis][row].value) for axis in ("x", "y"))
        sky = radio_map.wcs.pixel_to_world(np.rint(x), np.rint(y))
        column, line = (int(np.rint(value)) for value in piece.wcs.world_to_pixel(sky))
        assert piece.data[line, column] == radio_map.data[round(y), round(x)]
        assert piece.beam.major_arcsec == pytest.approx(9)


def test_only_windows_of_a_file_are_read(tmp_path: Path) -> None:
    catalogue, radio_map = made_up()
    write_map(dataclasses.replace(radio_map, name="field"), tmp_path / "map.fits")
    with open_map(tmp_path / "map.fits") as file:
        of_file = write_cutouts(catalogue, file, tmp_path / "a", 3)
    of_map = write_cutouts(catalogue, radio_map, tmp_path / "b", 3)
    one, other = (imread(files["cutouts/sheet-01.png"]) for files in (of_file, of_map))
    np.testing.assert_array_equal(one, other)
