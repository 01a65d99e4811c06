from pathlib import Path

import numpy as np
import pytest
from tests.earth.scenes import NORTH, UTM, WEST, write_tiff

from helikon.earth.grid import Window
from helikon.earth.rasters import geometry, grid_of, read_numbers
from helikon.earth.sources import open_raster
from helikon.errors import InputError
from helikon.settings import Settings

NUMBERS = np.arange(48, dtype=np.uint16).reshape(6, 8)


def test_a_window_s_numbers_are_those_of_the_file(tmp_path: Path, settings: Settings) -> None:
    raster = open_raster(str(write_tiff(tmp_path / "a.tif", NUMBERS, tiled=False)), settings)
    window = Window(row=2, col=3, height=3, width=4)
    np.testing.assert_array_equal(read_numbers(raster, window), NUMBERS[window.slices])


def test_a_file_s_grid_and_nodata_are_told(tmp_path: Path, settings: Settings) -> None:
    raster = open_raster(str(write_tiff(tmp_path / "a.tif", NUMBERS, nodata=7, tiled=False)), settings)
    grid, nodata = geometry(raster)
    assert (grid.crs, grid.transform, grid.height, grid.width) == (UTM, (30, 0, WEST, 0, -30, NORTH), 6, 8)
    assert nodata == 7
    assert grid_of(raster) == grid


def test_a_file_without_a_crs_is_refused(tmp_path: Path, settings: Settings) -> None:
    raster = open_raster(str(write_tiff(tmp_path / "a.tif", NUMBERS, crs="", tiled=False)), settings)
    with pytest.raises(InputError, match="not georeferenced as is needed: got CRS None"):
        grid_of(raster)
