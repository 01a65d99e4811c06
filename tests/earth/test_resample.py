import numpy as np
import pytest
import rasterio.warp
from rasterio.enums import Resampling

from helikon.earth.grid import Grid, Window
from helikon.earth.resample import METHODS, block_mean, needed_window, positions, resample

SOURCE = Grid(crs="EPSG:32617", transform=(30, 0, 600_000, 0, -30, 4_300_020), height=120, width=150)
SHIFTED = Grid(crs="EPSG:32617", transform=(20, 0, 600_313, 0, -20, 4_299_607), height=90, width=110)
OTHER = Grid(crs="EPSG:32618", transform=(30, 0, 80_500, 0, -30, 4_308_000), height=200, width=200)


def pixels(seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).random((2, 120, 150)).astype(np.float32)
    made[0, 40:50, 60:80] = np.nan
    return made


@pytest.mark.parametrize("target", [SHIFTED, OTHER])
@pytest.mark.parametrize("method", ["nearest", "bilinear", "cubic"])
def test_a_pixel_is_the_same_in_whatever_window_it_is_asked_for(target: Grid, method: str) -> None:
    whole = resample(pixels(), *positions(target, target.window, SOURCE), method)
    assert np.isfinite(whole).any()
    for window in (Window(row=13, col=27, height=31, width=20), Window(row=5, col=60, height=1, width=45)):
        rows, cols = positions(target, window, SOURCE)
        needed = needed_window(rows, cols, SOURCE)
        part = pixels()[:, *needed.slices]
        found = resample(part, rows - needed.row, cols - needed.col, method)
        np.testing.assert_array_equal(found, whole[:, *window.slices])


@pytest.mark.parametrize("method", ["nearest", "bilinear", "cubic"])
def test_values_are_gdal_s(method: str) -> None:
    source = pixels()[1]
    expected = np.full((SHIFTED.height, SHIFTED.width), np.nan, dtype=np.float32)
    rasterio.warp.reproject(
        source,
        expected,
        src_transform=SOURCE.affine,
        src_crs=SOURCE.crs,
        dst_transform=SHIFTED.affine,
        dst_crs=SHIFTED.crs,
        src_nodata=np.nan,
        dst_nodata=np.nan,
        resampling=Resampling[method],
    )
    found = resample(source[None], *positions(SHIFTED, SHIFTED.window, SOURCE), method)[0]
    np.testing.assert_allclose(found, expected, atol=2e-3 if method == "cubic" else 1e-5)


def test_pixels_without_data_do_not_weigh() -> None:
    row = np.array([[[1.0, np.nan, 3.0]]], dtype=np.float32)
    found = resample(row, np.array([[0.5]]), np.array([[0.5, 1.0, 1.4, 2.0, 2.4]]), "bilinear")
    np.testing.assert_array_equal(found[0, 0], np.float32([1, 1, 1, 3, 3]))


def test_outside_there_is_nothing() -> None:
    far = Grid(crs="EPSG:32617", transform=(30, 0, 900_000, 0, -30, 4_300_020), height=5, width=5)
    rows, cols = positions(far, far.window, SOURCE)
    assert needed_window(rows, cols, SOURCE).is_empty
    assert np.isnan(resample(pixels(), rows, cols, "nearest")).all()


def test_every_method_but_the_mean_is_known_here() -> None:
    assert set(METHODS) == {"nearest", "bilinear", "cubic", "average"}
    with pytest.raises(Exception, match="no such resampling"):
        resample(pixels(), np.zeros((1, 1)), np.zeros((1, 1)), "lanczos")


@pytest.mark.parametrize("n", [1, 2, 3, 20])
def test_a_block_s_mean_is_that_of_what_there_is(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helikon.earth.resample._STRIP", 1000)
    source = np.random.default_rng(2).normal(size=(2, 4 * n, 5 * n)).astype(np.float32)
    source[0, :n, : 2 * n] = np.nan
    source[1, np.random.default_rng(3).random((4 * n, 5 * n)) < 0.2] = np.nan
    with np.errstate(invalid="ignore"):
        blocks = source.astype(np.float64).reshape(2, 4, n, 5, n)
        expected = np.nansum(blocks, axis=(2, 4)) / np.isfinite(blocks).sum(axis=(2, 4))
    np.testing.assert_allclose(block_mean(source, n), expected, rtol=1e-6)
