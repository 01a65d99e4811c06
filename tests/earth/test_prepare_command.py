"""``helikon earth prepare`` as it is typed."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner, Result
from tests.earth.scenes import landsat_product

from helikon.cli import cli
from helikon.earth.prepare import MARK
from helikon.settings import Settings


def run(settings: Settings, *arguments: object) -> Result:
    environment = {"HELIKON_STATE_DIR": str(settings.state_dir)}
    words = ["earth", "prepare", *map(str, arguments), "--processes", "1"]
    return CliRunner().invoke(cli, words, env=environment)


def test_a_product_becomes_an_image_chips_and_a_summary(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    product = landsat_product(tmp_path)
    done = run(settings, product, "--index", "ndvi", "--chip", 64, "--min-clear", 0, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["bands"] == ["ndvi"]
    assert sum(said["n_chips"].values()) == 12
    assert said["images"] == ["composite.tif"]
    with rasterio.open(out / "composite.tif") as file:
        assert file.descriptions == ("ndvi",)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.crs.to_epsg() == 32617


def test_stac_items_and_the_collection_are_valid(tmp_path: Path, out: Path, settings: Settings) -> None:
    import pystac

    run(settings, landsat_product(tmp_path), "--bands", "red", "--chip", 64, "--min-clear", 0, "--out", out)
    collection = pystac.Collection.from_file(str(out / "collection.json"))
    assert set(collection.assets) == {"manifest", "composite"}
    items = json.loads((out / "items/000000.json").read_text())
    assert items["type"] == "FeatureCollection"
    assert len(items["features"]) == 12
    item = pystac.Item.from_dict(items["features"][5])
    assert item.properties["proj:code"] == "EPSG:32617"
    west, south, east, north = item.bbox
    assert -80 < west < east < -79
    assert 38 < south < north < 39
    shard = out / "items" / item.assets["chip"].href
    chips = np.load(shard)["chips"]
    assert chips[item.assets["chip"].extra_fields["helikon:offset"]].shape == (1, 64, 64)


def test_the_manifest_is_geoparquet(tmp_path: Path, out: Path, settings: Settings) -> None:
    from pyarrow import parquet

    run(settings, landsat_product(tmp_path), "--bands", "red", "--chip", 64, "--min-clear", 0, "--out", out)
    table = parquet.read_table(out / "manifest.parquet")
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["columns"]["geometry"]["encoding"] == "WKB"
    first = table["geometry"][0].as_py()
    corners = np.frombuffer(first[13:], dtype="<f8").reshape(5, 2)
    assert first[:5] == b"\1\3\0\0\0"
    assert (corners[0] == corners[-1]).all()
    assert {"key", "shard", "offset", "split", "clear", "crs", "transform", "sha256"} <= set(
        table.column_names
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--mask", "fog"], "a category to mask cannot be used: got 'fog'"),
        (["--index", "x=__import__('os')"], "not allowed in an expression"),
        (["--index", "ndvii"], "neither a known index nor a band of scene"),
        (["--index", "ndvii"], "expected an index (ndvi, ndwi, nbr, evi, evi2, savi, ndmi, mndwi, ndsi)"),
        (["--index", "x=ndvii+1"], "band ndvii of the expression ndvii+1 is not in scene"),
        (["--qa", "none-such"], "the quality table cannot be used"),
        (["--crs", "EPSG:1"], "the CRS cannot be used"),
        (["--chip", "64", "--overlap", "64"], "the overlap of chips cannot be used"),
        (["--split", "0.9,0.9,0.9"], "the split cannot be used"),
        (["--chip", "0", "--no-image"], "nothing would be made"),
    ],
)
def test_what_cannot_be_is_one_clear_error(
    arguments: list[str], says: str, tmp_path: Path, out: Path, settings: Settings
) -> None:
    done = run(settings, landsat_product(tmp_path), "--out", out, *arguments)
    assert says in str(done.exception)


def test_numbers_that_are_none_are_wrong_usage(tmp_path: Path, out: Path, settings: Settings) -> None:
    done = run(settings, landsat_product(tmp_path), "--out", out, "--bounds", "here")
    assert done.exit_code == 2
    assert "'here' is not 4 numbers" in done.output


def test_a_disk_that_takes_no_more_is_one_clear_error_and_nothing_is_half_written(
    tmp_path: Path, out: Path
) -> None:
    product = landsat_product(tmp_path)
    words = [
        str(product),
        "--chip",
        "64",
        "--min-clear",
        "0",
        "--no-image",
        "--processes",
        "1",
        "--out",
        str(out),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "helikon.cli", "earth", "prepare", *words],
        env=os.environ | {"HELIKON_STATE_DIR": str(tmp_path / "state")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 70
    assert "chips/000000.npz cannot be written" in done.stderr
    assert "File too large" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in out.rglob("*") if path.is_file()] == [MARK]


def test_broken_scenes_are_told_on_stderr_and_with_strict_it_fails(
    tmp_path: Path, out: Path, settings: Settings
) -> None:
    landsat_product(tmp_path / "scenes")
    broken = landsat_product(tmp_path / "scenes", date="20240828")
    next(broken.glob("*_B4.TIF")).write_bytes(b"nothing")
    words = [tmp_path / "scenes", "--bands", "red", "--composite", "median", "--chip", 64, "--min-clear", 0]
    done = run(settings, *words, "--out", out)
    assert done.exit_code == 0
    assert f"scene {broken.name} cannot be read and was left out: " in done.stderr
    assert "not recognized as being in a supported file format" in done.stderr
    failed = run(settings, *words, "--out", out, "--strict", "--overwrite")
    assert f"scene {broken.name} cannot be read" in str(failed.exception)
