"""A window of a scene, calibrated and masked, from bands of several resolutions."""

from pathlib import Path

import numpy as np
import pytest
from tests.earth.scenes import landsat_product, write_tiff

from helikon.earth.expressions import parse_index
from helikon.earth.grid import Window
from helikon.earth.read import SceneFault, Wanted, read_scene, scene_grid
from helikon.earth.scene import Scene
from helikon.earth.sources import find_scenes
from helikon.errors import InputError
from helikon.settings import Settings


@pytest.fixture
def sentinel(tmp_path: Path, settings: Settings) -> tuple[Scene, dict[str, np.ndarray]]:
    """A scene with bands of 10 and 20 m and its scene classification of 20 m."""
    random = np.random.default_rng(2)
    numbers = {
        "red": random.integers(1001, 6000, (80, 100)).astype(np.uint16),
        "swir22": random.integers(1001, 6000, (40, 50)).astype(np.uint16),
        "scl": random.choice([4, 5, 3, 8, 11, 0], (40, 50)).astype(np.uint8),
    }
    folder = tmp_path / "S2A_MSIL2A_20240601T160000_N0510_R097_T17SKB_20240601T200000.SAFE"
    write_tiff(folder / "T17SKB_20240601T160000_B04_10m.tif", numbers["red"], size=10)
    write_tiff(folder / "T17SKB_20240601T160000_B12_20m.tif", numbers["swir22"], size=20)
    write_tiff(folder / "T17SKB_20240601T160000_SCL_20m.tif", numbers["scl"], size=20)
    (scene,), _ = find_scenes([str(folder)], settings)
    return scene, numbers


def twice(pixels: np.ndarray) -> np.ndarray:
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


def test_coarser_bands_and_classes_are_repeated_not_interpolated(
    sentinel: tuple[Scene, dict[str, np.ndarray]],
) -> None:
    scene, numbers = sentinel
    wanted = Wanted(bands=("red", "swir22"), mask=("cloud", "shadow"))
    grid = scene_grid(scene, wanted)
    assert grid.resolution == (10, 10)
    hidden = np.isin(twice(numbers["scl"]), [0, 3, 8])
    expected = np.stack([numbers["red"], twice(numbers["swir22"])]).astype(np.float32)
    expected = expected * np.float32(1e-4) + np.float32(-0.1)
    expected[:, hidden] = np.nan
    np.testing.assert_array_equal(read_scene(scene, wanted, grid, grid.window), expected)
    odd = Window(row=13, col=27, height=22, width=31)
    np.testing.assert_array_equal(read_scene(scene, wanted, grid, odd), expected[:, *odd.slices])


def test_a_window_over_the_edge_has_nothing_there_and_one_outside_is_none(
    sentinel: tuple[Scene, dict[str, np.ndarray]],
) -> None:
    scene, _ = sentinel
    wanted = Wanted(bands=("red",))
    grid = scene_grid(scene, wanted)
    whole = read_scene(scene, wanted, grid, grid.window)
    over = read_scene(scene, wanted, grid, Window(row=70, col=-5, height=20, width=10))
    assert whole is not None
    assert over is not None
    np.testing.assert_array_equal(over[:, :10, 5:], whole[:, 70:, :5])
    assert np.isnan(over[:, 10:]).all()
    assert np.isnan(over[:, :, :5]).all()
    assert read_scene(scene, wanted, grid, Window(row=90, col=0, height=5, width=5)) is None


def test_an_index_is_made_of_bands_that_are_not_kept(tmp_path: Path, settings: Settings) -> None:
    (scene,), _ = find_scenes([str(landsat_product(tmp_path))], settings)
    wanted = Wanted(bands=("green",), indices=(parse_index("nbr"),))
    assert wanted.names == ("green", "nbr")
    assert wanted.inputs == ("green", "nir", "swir22")
    found = read_scene(scene, wanted, scene_grid(scene, wanted), Window(row=0, col=0, height=9, width=9))
    assert found is not None
    assert found.shape == (2, 9, 9)


def test_a_file_that_changes_is_read_again(tmp_path: Path, settings: Settings) -> None:
    product = landsat_product(tmp_path)
    (scene,), _ = find_scenes([str(product)], settings)
    wanted = Wanted(bands=("red",))
    grid = scene_grid(scene, wanted)
    first = read_scene(scene, wanted, grid, grid.window)
    landsat_product(tmp_path, seed=77)
    second = read_scene(scene, wanted, grid, grid.window)
    assert first is not None
    assert second is not None
    assert not np.array_equal(first, second, equal_nan=True)


def test_a_broken_file_is_a_fault_of_its_scene(tmp_path: Path, settings: Settings) -> None:
    product = landsat_product(tmp_path)
    (scene,), _ = find_scenes([str(product)], settings)
    wanted = Wanted(bands=("red",))
    grid = scene_grid(scene, wanted)
    path = next(product.glob("*_B4.TIF"))
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(SceneFault, match=f"scene {scene.id} cannot be read: got .*TIFFReadEncodedTile"):
        read_scene(scene, wanted, grid, grid.window)


def test_what_is_not_north_up_or_has_no_crs_is_refused(tmp_path: Path, settings: Settings) -> None:
    path = write_tiff(tmp_path / "L8-B4-x.tif", np.ones((8, 8), np.uint16), size=-30)
    (scene,), _ = find_scenes([str(path)], settings)
    with pytest.raises(InputError, match="is not georeferenced as is needed"):
        scene_grid(scene, Wanted(bands=("red",)))
