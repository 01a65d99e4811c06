"""The whole preparation against plain rasterio and numpy, bit for bit."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.warp
from tests.earth.scenes import (
    CIRRUS,
    CLOUD,
    DILATED,
    FILL,
    NORTH,
    OLI_CODES,
    SHADOW,
    UTM,
    WEST,
    landsat_product,
    modis_series,
    write_tiff,
)

from helikon.earth.chipset import open_chips
from helikon.earth.engines import choose
from helikon.earth.options import Options
from helikon.earth.prepare import Prepared, prepare
from helikon.earth.read import SceneFault
from helikon.errors import AlreadyExists, InputError, NotFound
from helikon.settings import Settings

DATES = ["20240601", "20240712", "20240828"]


def run(sources: list[Path], out: Path, settings: Settings, **options: Any) -> Prepared:
    chosen = Options(**({"chip": 64, "min_clear": 0.0} | options))
    one = choose("local", settings, 1)
    return prepare([str(source) for source in sources], str(out), chosen, settings, run=one)


def plain(product: Path, *names: str) -> list[np.ndarray]:
    """Reflectance and mask as rasterio and numpy give them for whole files."""
    with rasterio.open(next(product.glob("*QA_PIXEL*"))) as file:
        words = file.read(1)
    hidden = ((words & 1) | (words >> 1 & 1) | (words >> 2 & 1) | (words >> 3 & 1) | (words >> 4 & 1)) > 0
    found = []
    for name in names:
        with rasterio.open(next(product.glob(f"*_B{OLI_CODES[name]}.TIF"))) as file:
            numbers = file.read(1)
        pixels = numbers.astype(np.float32) * np.float32(2.75e-5) + np.float32(-0.2)
        pixels[hidden | (numbers == 0)] = np.nan
        found.append(pixels)
    return found


def image(out: Path, name: str = "composite.tif") -> np.ndarray:
    with rasterio.open(out / name) as file:
        return file.read()


def test_reflectance_mask_and_ndvi_are_those_of_rasterio_and_numpy(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    product = landsat_product(tmp_path)
    run([product], out, settings, bands=("red", "nir"), indices=("ndvi",))
    red, nir = plain(product, "red", "nir")
    np.testing.assert_array_equal(image(out), [red, nir, (nir - red) / (nir + red)])
    words = np.unique(rasterio.open(next(product.glob("*QA_PIXEL*"))).read(1))
    assert {FILL, CLOUD, SHADOW, CIRRUS, DILATED} <= set(words.tolist())


def test_chips_are_pieces_of_the_same_numbers(tmp_path: Path, out: Path, settings: Settings) -> None:
    product = landsat_product(tmp_path)
    made = run([product], out, settings, bands=("red",), chip=64, overlap=16)
    (red,) = plain(product, "red")
    padded = np.pad(red, ((0, 64), (0, 64)), constant_values=np.nan)
    chips = open_chips(str(out), settings)
    assert len(chips) == sum(made.n_chips.values()) == 3 * 4
    places = {row["key"]: (row["row"], row["col"]) for rows in chips.shards() for row in rows}
    for keys, pixels in chips.batches():
        for key, chip in zip(keys, pixels, strict=True):
            row, col = places[key]
            np.testing.assert_array_equal(chip[0], padded[row : row + 64, col : col + 64])
            clear = np.mean(~np.isnan(chip))
            assert chips.table.filter(_is(chips, key))["clear"][0].as_py() == pytest.approx(clear)


def _is(chips: Any, key: str) -> Any:
    import pyarrow.compute

    return pyarrow.compute.equal(chips.table["key"], key)


def test_a_masked_mean_onto_a_coarser_grid_is_numpy_s(tmp_path: Path, out: Path, settings: Settings) -> None:
    product = landsat_product(tmp_path)
    run([product], out, settings, bands=("nir",), resolution=60.0, resampling="average")
    (nir,) = plain(product, "nir")
    blocks = nir.reshape(80, 2, 100, 2).astype(np.float64)
    with np.errstate(invalid="ignore"):
        there = ~np.isnan(blocks)
        mean = np.where(there, blocks, 0).sum(axis=(1, 3)) / there.sum(axis=(1, 3))
    np.testing.assert_array_equal(image(out)[0], mean.astype(np.float32))


def test_the_nearest_pixel_in_another_crs_is_that_of_exact_positions(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    product = landsat_product(tmp_path)
    run([product], out, settings, bands=("red",), crs="EPSG:4326")
    (red,) = plain(product, "red")
    with rasterio.open(out / "composite.tif") as made:
        found, affine = made.read(1), made.transform
    rows, cols = np.mgrid[: found.shape[0], : found.shape[1]]
    lon, lat = affine.c + (cols + 0.5) * affine.a, affine.f + (rows + 0.5) * affine.e
    x, y = rasterio.warp.transform("EPSG:4326", UTM, lon.ravel(), lat.ravel())
    row, col = (
        np.floor((NORTH - np.array(y)) / 30).astype(int),
        np.floor((np.array(x) - WEST) / 30).astype(int),
    )
    inside = (row >= 0) & (row < 160) & (col >= 0) & (col < 200)
    expected = np.where(inside, red[row.clip(0, 159), col.clip(0, 199)], np.nan).reshape(found.shape)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    assert same.mean() > 0.9999
    assert 0.9 < inside.mean() < 1


@pytest.mark.parametrize("composite", ["median", "mean"])
def test_temporal_composites_are_numpy_s(
    composite: str, tmp_path: Path, out: Path, settings: Settings
) -> None:
    products = [landsat_product(tmp_path, date=date, seed=n) for n, date in enumerate(DATES)]
    run(products, out, settings, bands=("red", "nir"), composite=composite)
    stack = np.array([plain(product, "red", "nir") for product in products])
    with pytest.warns(RuntimeWarning):
        expected = np.nanmedian(stack, axis=0) if composite == "median" else np.nanmean(stack, axis=0)
    if composite == "median":
        np.testing.assert_array_equal(image(out), expected)
    else:
        np.testing.assert_allclose(image(out), expected, rtol=1e-6)


def test_without_a_composite_days_are_a_time_axis_and_one_day_is_a_mosaic(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    west = landsat_product(tmp_path, path_row="017034", date=DATES[0])
    east = landsat_product(tmp_path, path_row="016034", date=DATES[0], seed=5, west=600_000 + 100 * 30)
    later = landsat_product(tmp_path, date=DATES[1], seed=9)
    made = run([west, east, later], out, settings, bands=("red",), bounds="union")
    assert made.summary.times == ("2024-06-01", "2024-07-12")
    assert made.summary.shape == (2, 1, 64, 64)
    (own,), (other,) = plain(west, "red"), plain(east, "red")
    first = image(out, "composite-2024-06-01.tif")[0]
    # the scenes of a day are in the order of their names: the eastern one comes first
    expected = np.full((160, 300), np.nan, dtype=np.float32)
    expected[:, :200] = own
    expected[:, 100:] = np.where(np.isnan(other), expected[:, 100:], other)
    np.testing.assert_array_equal(first, expected)


def test_max_ndvi_and_best_pixel_take_all_bands_of_one_date(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    products = [landsat_product(tmp_path, date=date, seed=n) for n, date in enumerate(DATES)]
    stack = np.array([plain(product, "red", "nir") for product in products])
    for composite in ("max-ndvi", "best-pixel"):
        run(products, out / composite, settings, bands=("red", "nir"), composite=composite)
        found = image(out / composite)
        there = ~np.isnan(found).any(axis=0)
        assert there.mean() > 0.9
        is_date = (stack == found).all(axis=1)
        assert is_date.any(axis=0)[there].all()
    ndvi = (stack[:, 1] - stack[:, 0]) / (stack[:, 1] + stack[:, 0])
    best = image(out / "max-ndvi")
    with pytest.warns(RuntimeWarning):
        np.testing.assert_array_equal((best[1] - best[0]) / (best[1] + best[0]), np.nanmax(ndvi, axis=0))


def test_the_same_options_prepare_landsat_and_modis(tmp_path: Path, out: Path, settings: Settings) -> None:
    random = np.random.default_rng(3)
    ndvi = random.uniform(-0.1, 0.9, (2, 90, 70))
    ndvi[0, :10, :10] = np.nan
    series = modis_series(tmp_path / "modis", ndvi, ["2024161", "2024177"])
    modis = run(
        [series], out / "modis", settings, bands=("ndvi",), composite="median", mask=("cloud", "snow")
    )
    landsat = run(
        [landsat_product(tmp_path)], out / "landsat", settings, indices=("ndvi",), composite="median"
    )
    assert modis.summary.bands == landsat.summary.bands == ("ndvi",)
    numbers = np.round(ndvi * 10000)
    expected = np.where(np.isnan(numbers), np.nan, numbers.astype(np.float32) * np.float32(1e-4))
    with rasterio.open(out / "modis" / "composite.tif") as file:
        np.testing.assert_array_equal(file.read(1), np.nanmedian(expected.astype(np.float32), axis=0))


def test_the_same_call_again_keeps_everything_and_makes_what_was_damaged(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    product = landsat_product(tmp_path)
    first = run([product], out, settings, bands=("red",))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    again = run([product], out, settings, bands=("red",))
    assert (first.n_kept, again.n_kept) == (0, first.n_units)
    (out / "chips/000000.npz").write_bytes(b"cut short")
    (out / "chips/000077.npz").write_bytes(b"left by something else")
    mended = run([product], out, settings, bands=("red",))
    assert mended.n_kept == first.n_units - 1
    (out / "composite.tif").unlink()
    run([product], out, settings, bands=("red",))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_all_that_the_manifest_names_is_on_the_disk_before_it(
    tmp_path: Path, out: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[str] = []

    def fsync(number: int) -> None:
        settled.append(os.path.realpath(f"/proc/self/fd/{number}"))

    monkeypatch.setattr("os.fsync", fsync)
    run([landsat_product(tmp_path)], out, settings, bands=("red",))
    before = settled[: next(n for n, path in enumerate(settled) if ".manifest.parquet" in path)]
    needed = {path for path in out.rglob("*") if path.is_file() and path.parent.name in ("chips", "items")}
    assert len(needed) > 1
    assert {str(path) for path in {*needed, out / "collection.json"}} <= set(before)


def test_another_preparation_is_not_overwritten_unless_asked(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    product = landsat_product(tmp_path)
    run([product], out, settings, bands=("red", "nir"), chip=32)
    with pytest.raises(AlreadyExists, match=r"another preparation.*--overwrite"):
        run([product], out, settings, bands=("red",))
    options = Options(bands=("red",), chip=64, min_clear=0.0)
    prepare([str(product)], str(out), options, settings, run=choose("local", settings, 1), overwrite=True)
    fresh = tmp_path / "fresh"
    run([product], fresh, settings, bands=("red",))
    files = sorted(path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file())
    assert sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file()) == files


def test_a_folder_that_holds_something_else_is_refused_and_untouched(
    tmp_path: Path, settings: Settings
) -> None:
    data = tmp_path / "data"
    product = landsat_product(data / "raw")
    (data / "chips").mkdir()
    (data / "chips" / "mine.txt").write_text("years of work")
    before = sorted(data.rglob("*"))
    options, work = Options(bands=("red",), chip=64, min_clear=0.0), choose("local", settings, 1)
    for overwrite in (False, True):
        with pytest.raises(AlreadyExists, match="holds something else"):
            prepare([str(product)], str(data), options, settings, run=work, overwrite=overwrite)
    assert sorted(data.rglob("*")) == before


def test_what_was_begun_and_has_no_manifest_yet_is_gone_on_with(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    product = landsat_product(tmp_path)
    first = run([product], out, settings, bands=("red",))
    (out / "manifest.parquet").unlink()
    (out / "chips" / "left-by-a-killed-run.npz").write_bytes(b"half")
    again = run([product], out, settings, bands=("red",))
    assert again.n_chips == first.n_chips
    assert not (out / "chips" / "left-by-a-killed-run.npz").exists()


def test_normalised_train_chips_have_mean_0_and_standard_deviation_1(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    product = landsat_product(tmp_path)
    options = {"bands": ("red", "nir"), "chip": 32, "normalise": "standard", "fill": 0.0, "block": 2}
    made = run([product], out, settings, split=(0.5, 0.0, 0.5), **options)
    chips = open_chips(str(out), settings)
    train = np.concatenate([pixels for _, pixels in chips.batches("train")])
    assert set(made.n_chips) >= {"train", "test"}
    values = train[:, 0][train[:, 0] != 0]
    assert abs(values.mean()) < 1e-3
    assert values.std() == pytest.approx(1, abs=1e-3)
    assert not np.isnan(train).any()
    np.testing.assert_allclose(
        chips.physical(train).max(), np.nanmax(plain(product, "red", "nir")), atol=0.05
    )
    again = run([product], out, settings, split=(0.5, 0.0, 0.5), **options)
    assert again.n_kept == again.n_units
    (out / "chips/000000.npz").unlink()
    mended = run([product], out, settings, split=(0.5, 0.0, 0.5), **options)
    assert mended.summary == made.summary
    assert sum(len(keys) for keys, _ in open_chips(str(out), settings).batches()) == len(chips)


def test_zarr_holds_the_same_chips_as_npz(tmp_path: Path, out: Path, settings: Settings) -> None:
    product = landsat_product(tmp_path)
    run([product], out / "npz", settings, bands=("red", "nir"))
    run([product], out / "zarr", settings, bands=("red", "nir"), form="zarr")
    npz, zarr = open_chips(str(out / "npz"), settings), open_chips(str(out / "zarr"), settings)
    assert npz.table["sha256"] == zarr.table["sha256"]
    whole = zarr.zarr()
    assert whole.metadata.zarr_format == 3
    for (_, one), (_, other) in zip(npz.batches(), zarr.batches(), strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(whole[: len(one)], one)


def test_a_truncated_scene_is_named_and_the_others_are_finished(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    products = [landsat_product(tmp_path, date=date, seed=n) for n, date in enumerate(DATES)]
    broken = next(products[1].glob("*_B4.TIF"))
    broken.write_bytes(broken.read_bytes()[:-4000])
    header = next(products[2].glob("*_B4.TIF"))
    header.write_bytes(b"II*\0 this is no picture")
    made = run(products, out, settings, bands=("red",), composite="median")
    assert sorted(made.summary.failed) == [products[1].name, products[2].name]
    assert "Failed to read directory" in made.summary.failed[products[2].name]
    assert made.summary.scenes == (products[0].name,)
    np.testing.assert_array_equal(image(out)[0], plain(products[0], "red")[0])
    options = Options(bands=("red",), composite="median")
    one = choose("local", settings, 1)
    with pytest.raises(SceneFault, match=f"scene {products[2].name} cannot be read"):
        prepare([str(p) for p in products], str(out / "2"), options, settings, run=one, strict=True)


def test_nothing_to_do_is_one_clear_error_each(tmp_path: Path, out: Path, settings: Settings) -> None:
    product = landsat_product(tmp_path)
    with pytest.raises(
        InputError, match=r"no scene overlaps the bounds: got bounds 0 0 30 30, expected inside"
    ):
        run([product], out, settings, bounds=(0.0, 0.0, 30.0, 30.0))
    with pytest.raises(InputError, match=r"band swir99 .*is not in scene LC09.*got landsat-c2-l2: .*nir"):
        run([product], out, settings, indices=("x=nir-swir99",))
    with pytest.raises(InputError, match=r"no chip is clear enough: got at most 0\.\d+.*--min-clear"):
        run([product], out, settings, min_clear=1.0, chip=160)
    with pytest.raises(NotFound, match="there is no file or folder"):
        run([tmp_path / "gone"], out, settings)
    with pytest.raises(InputError, match="would be there twice"):
        run([product], out, settings, bands=("red",), indices=("red=nir*1",))


def test_a_scene_without_a_clear_pixel_is_one_clear_error(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    product = landsat_product(tmp_path)
    quality = next(product.glob("*QA_PIXEL*"))
    write_tiff(quality, np.full((160, 200), CLOUD, dtype=np.uint16))
    with pytest.raises(InputError, match="no pixel is clear: got every pixel is fill or masked by cloud"):
        run([product], out, settings)
    assert not (out / "manifest.parquet").exists()


def test_a_missing_quality_band_and_mixed_crs_are_clear_errors(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    product = landsat_product(tmp_path)
    other = landsat_product(tmp_path, path_row="016034", crs="EPSG:32618")
    with pytest.raises(InputError, match="several CRS"):
        run([product, other], out, settings)
    next(product.glob("*QA_PIXEL*")).unlink()
    with pytest.raises(InputError, match=r"has no quality band: got nothing to mask cloud.*--mask none"):
        run([product], out, settings)
    run([product], out, settings, mask=())
    shutil.rmtree(out)
