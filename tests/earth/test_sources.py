"""From what a user names to scenes."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from tests.earth.scenes import landsat_product, stac_item, write_tiff

from helikon.earth.chipset import open_chips
from helikon.earth.engines import choose
from helikon.earth.options import Options
from helikon.earth.prepare import prepare
from helikon.earth.scene import Scene
from helikon.earth.sources import find_scenes
from helikon.errors import AlreadyExists, InputError
from helikon.settings import Settings
from helikon.spark.objects import open_folder

PIXELS = np.full((64, 64), 2000, dtype=np.uint16)


def scenes_of(settings: Settings, *sources: Path, **options: object) -> list[Scene]:
    return find_scenes([str(source) for source in sources], settings, **options)[0]  # type: ignore[arg-type]


def test_a_folder_of_products_gives_its_scenes_by_time(tmp_path: Path, settings: Settings) -> None:
    later = landsat_product(tmp_path, date="20240828")
    first = landsat_product(tmp_path, date="20240712")
    found = scenes_of(settings, tmp_path)
    assert [(scene.id, scene.time) for scene in found] == [
        (first.name, "2024-07-12"),
        (later.name, "2024-08-28"),
    ]
    assert [band.name for band in found[0].bands] == ["blue", "green", "red", "nir", "swir16", "swir22"]
    assert [quality.table for quality in found[0].quality] == ["landsat-c2"]


def test_a_list_of_files_is_put_together_to_a_scene(tmp_path: Path, settings: Settings) -> None:
    product = landsat_product(tmp_path)
    (scene,) = scenes_of(settings, *sorted(product.glob("*_B[45].TIF")))
    assert [band.name for band in scene.bands] == ["red", "nir"]


def test_a_stac_item_and_a_search_result_give_the_same_scene(tmp_path: Path, settings: Settings) -> None:
    product = landsat_product(tmp_path)
    item = stac_item(tmp_path, product)
    (scene,) = scenes_of(settings, item)
    assert (scene.id, scene.sensor, scene.time) == (product.name, "landsat-c2-l2", "2024-07-12T16:04:01Z")
    assert {band.name for band in scene.bands} == {"blue", "green", "red", "nir", "swir16", "swir22"}
    search = tmp_path / "search.json"
    search.write_text(json.dumps({"type": "FeatureCollection", "features": [json.loads(item.read_text())]}))
    assert scenes_of(settings, search) == [scene]


def test_a_collection_s_items_are_followed(tmp_path: Path, settings: Settings) -> None:
    product = landsat_product(tmp_path / "items")
    stac_item(tmp_path / "items", product)
    links = [{"rel": "item", "href": "./items/item.json"}, {"rel": "self", "href": "collection.json"}]
    collection = tmp_path / "collection.json"
    collection.write_text(json.dumps({"type": "Collection", "id": "c", "links": links}))
    assert [scene.id for scene in scenes_of(settings, collection)] == [product.name]


def test_assets_are_known_by_their_common_names_whatever_the_files_are_called(
    tmp_path: Path, settings: Settings
) -> None:
    for name in ("a", "b", "c"):
        write_tiff(tmp_path / f"{name}.tif", PIXELS)
    item = {
        "type": "Feature",
        "id": "S2B_17SKB_20240712_0_L2A",
        "collection": "sentinel-2-l2a",
        "properties": {"datetime": "2024-07-12T16:00:00Z", "earthsearch:boa_offset_applied": True},
        "assets": {
            "red": {"href": "a.tif", "raster:bands": [{"scale": 1e-4, "offset": -0.1}]},
            "x": {"href": "b.tif", "bands": [{"eo:common_name": "nir", "raster:scale": 1e-4}]},
            "scl": {"href": "c.tif"},
            "thumbnail": {"href": "preview.jpg"},
        },
    }
    (tmp_path / "item.json").write_text(json.dumps(item))
    (scene,) = scenes_of(settings, tmp_path / "item.json")
    assert [(band.name, band.scale, band.offset) for band in scene.bands] == [
        ("red", 1e-4, 0),
        ("nir", 1e-4, 0),
    ]
    assert [quality.table for quality in scene.quality] == ["s2-scl"]


def test_a_sentinel2_product_is_calibrated_by_its_metadata(tmp_path: Path, settings: Settings) -> None:
    safe = tmp_path / "S2B_MSIL2A_20240712T160000_N0510_R097_T17SKB_20240712T200000.SAFE"
    data = safe / "GRANULE/L2A_T17SKB/IMG_DATA"
    for size in (10, 20):
        for band in ("B04", "B08"):
            write_tiff(data / f"R{size}m/T17SKB_20240712T160000_{band}_{size}m.tif", PIXELS, size=size)
    write_tiff(data / "R20m/T17SKB_20240712T160000_SCL_20m.tif", PIXELS.astype(np.uint8), size=20)
    without = scenes_of(settings, tmp_path)
    assert [(band.scale, band.offset) for band in without[0].bands] == [(1e-4, -0.1)] * 2
    (safe / "MTD_MSIL2A.xml").write_text(
        "<m><PRODUCT_START_TIME>2024-07-12T16:00:01.024Z</PRODUCT_START_TIME>"
        "<BOA_QUANTIFICATION_VALUE unit='none'>10000</BOA_QUANTIFICATION_VALUE>"
        "<BOA_ADD_OFFSET band_id='3'>-1000</BOA_ADD_OFFSET>"
        "<BOA_ADD_OFFSET band_id='7'>-500</BOA_ADD_OFFSET></m>"
    )
    (scene,) = scenes_of(settings, tmp_path)
    assert scene.time == "2024-07-12T16:00:01Z"
    assert {band.name: band.offset for band in scene.bands} == {"red": -0.1, "nir": -0.05}
    assert all(band.raster.key.endswith("_10m.tif") for band in scene.bands)


def test_landsat_level_1_is_calibrated_by_its_mtl_or_by_the_sun_that_is_given(
    tmp_path: Path, settings: Settings
) -> None:
    name = "LC08_L1TP_017034_20240712_20240713_02_T1"
    write_tiff(tmp_path / f"{name}_B4.TIF", PIXELS)
    scenes, notes = find_scenes([str(tmp_path)], settings)
    assert scenes[0].bands[0].scale == 2e-5
    assert "not corrected for the sun" in notes[0]
    (given,) = scenes_of(settings, tmp_path, sun_elevation_deg=30.0)
    assert given.bands[0].scale == pytest.approx(4e-5)
    (tmp_path / f"{name}_MTL.txt").write_text(
        "GROUP = LANDSAT_METADATA_FILE\n GROUP = IMAGE_ATTRIBUTES\n  DATE_ACQUIRED = 2024-07-12\n"
        '  SCENE_CENTER_TIME = "16:04:01.5Z"\n  SUN_ELEVATION = 30.0\n END_GROUP = IMAGE_ATTRIBUTES\n'
        " GROUP = LEVEL1_RADIOMETRIC_RESCALING\n  REFLECTANCE_MULT_BAND_4 = 2.0000E-05\n"
        "  REFLECTANCE_ADD_BAND_4 = -0.100000\n END_GROUP = LEVEL1_RADIOMETRIC_RESCALING\n"
    )
    for source in (tmp_path, tmp_path / f"{name}_B4.TIF"):
        (scene,) = scenes_of(settings, source)
        assert scene.time == "2024-07-12T16:04:01Z"
        assert (scene.bands[0].scale, scene.bands[0].offset) == pytest.approx((4e-5, -0.2))


@pytest.mark.parametrize(
    ("file", "sensor", "band", "time"),
    [
        ("L8-B4-Elkton-VA.tiff", "landsat-l1", "red", ""),
        ("LC08_B7_Memphis_COG.tiff", "landsat-l1", "swir22", ""),
        ("LC80460282016177LGN00_B5.TIF", "landsat-l1", "nir", "2016-06-25"),
        ("LC08_L1TP_017034_20190712_20190719_01_T1_B2.TIF", "landsat-l1", "blue", "2019-07-12"),
        ("LC08_L2SP_017034_20240712_20240713_02_T1_ST_B10.TIF", "landsat-c2-l2", "lwir11", "2024-07-12"),
        ("T31TCJ_20200101T105441_B8A_20m.tif", "sentinel2-l2a", "nir08", "2020-01-01T10:54:41Z"),
        ("TERRA_MODIS_012010_NDVI_2014-07-28.tif", "modis-vi", "ndvi", "2014-07-28"),
        ("MOD13Q1.A2013257.h12v10.061.2021231_250m_16_days_EVI.tif", "modis-vi", "evi", "2013-09-14"),
        ("MOD09A1.A2019113.h30v06.061.2020_sur_refl_b02.tif", "modis-reflectance", "nir", "2019-04-23"),
        ("MCD43A4.A2019111.h30v06.006.2019_Nadir_Reflectance_Band4.tif", "modis-brdf", "green", "2019-04-21"),
    ],
)
def test_files_are_recognised_by_the_products_own_names(
    file: str, sensor: str, band: str, time: str, tmp_path: Path, settings: Settings
) -> None:
    write_tiff(tmp_path / file, PIXELS)
    (scene,) = scenes_of(settings, tmp_path / file)
    assert (scene.sensor, scene.bands[0].name, scene.time) == (sensor, band, time)


def test_what_is_no_scene_says_which_are_known(tmp_path: Path, settings: Settings) -> None:
    write_tiff(tmp_path / "holiday.tif", PIXELS)
    with pytest.raises(
        InputError, match=r"no scene is found: got .*expected files of landsat-c2-l2, .*--sensor"
    ):
        scenes_of(settings, tmp_path)
    (tmp_path / "x.json").write_text('{"type": "Banana"}')
    with pytest.raises(InputError, match="is no STAC document: got type 'Banana'"):
        scenes_of(settings, tmp_path / "x.json")


def test_scenes_on_s3_become_chips_on_s3(tmp_path: Path, s3_settings: Settings) -> None:
    product = landsat_product(tmp_path)
    bucket = open_folder("s3://earth/scenes", s3_settings)
    for path in product.iterdir():
        bucket.write(f"{product.name}/{path.name}", path.read_bytes())
    options = Options(bands=("red",), indices=("ndvi",), chip=64, min_clear=0.0)
    run = choose("local", s3_settings, 1)
    made = prepare(["s3://earth/scenes"], "s3://earth/chips", options, s3_settings, run=run)
    plain = prepare([str(product)], str(tmp_path / "chips"), options, s3_settings, run=run)
    assert made.n_chips == plain.n_chips
    remote = open_chips("s3://earth/chips", s3_settings)
    assert remote.table["sha256"] == open_chips(str(tmp_path / "chips"), s3_settings).table["sha256"]
    assert (
        open_folder("s3://earth/chips", s3_settings).read("composite.tif")
        == (tmp_path / "chips/composite.tif").read_bytes()
    )
    again = prepare(["s3://earth/scenes"], "s3://earth/chips", options, s3_settings, run=run)
    assert again.n_kept == again.n_units
    red = next(key for key in bucket.list() if "SR_B4" in key)
    nir = next(key for key in bucket.list() if "SR_B5" in key)
    bucket.write(red, bucket.read(nir))
    with pytest.raises(AlreadyExists, match="another preparation"):
        prepare(["s3://earth/scenes"], "s3://earth/chips", options, s3_settings, run=run)
    options = dataclasses.replace(options, bands=("red", "nir"))
    prepare(["s3://earth/scenes"], "s3://earth/chips", options, s3_settings, run=run, overwrite=True)
    for _, pixels in open_chips("s3://earth/chips", s3_settings).batches():
        np.testing.assert_array_equal(pixels[:, 0], pixels[:, 1])
