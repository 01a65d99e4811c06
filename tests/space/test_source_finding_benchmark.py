"""The benchmark's own maker of fields, and how it reads rivals: real runs of them are the benchmark's."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from helikon.space.evaluation.judge import judge
from helikon.space.skies import templates
from helikon.space.skies.files import read_sky

ROOT = Path(__file__).parents[2]
LAYOUTS = ROOT / "src/helikon/space/skies/layouts"


@pytest.fixture(scope="module")
def benchmark(benchmark_module: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda name: benchmark_module(f"source_finding_{name}")


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Options of a small field, whose galaxies are all one double in the test part of the sky."""
    y, x = np.mgrid[:150, :150]
    double = sum(np.exp(-((x - at) ** 2 + (y - 75) ** 2) / 8) for at in (62, 88))
    noise = np.random.default_rng(1).normal(0, 1e-4, double.shape)
    header = fits.Header({"CDELT1": -0.0005, "CDELT2": 0.0005, "BMAJ": 0.0015})
    place = next(ra for ra in range(1, 360, 3) if templates.split_of(ra) == "test")
    first, layouts = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("layouts")
    fits.writeto(first / f"200_{place:07.3f}+010.000_0.1_0060.00.fits", double * 0.01 + noise, header)
    shutil.copy(LAYOUTS / "vla-b.txt", layouts / "vla.b.txt")
    return {"array": "vla-b", "seed": 3, "size": 256, "split": "test", "layouts": layouts, "first": first}


@pytest.fixture(scope="module")
def folder(
    benchmark: Callable[[str], Any], chosen: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    made: Path = benchmark("fields").make_field(tmp_path_factory.mktemp("field"), **chosen)
    return made


def test_galaxies_are_split_as_in_made_up_skies(benchmark: Callable[[str], Any]) -> None:
    fields = benchmark("sources")
    for right_ascension in np.arange(0.0, 360.0, 0.37):
        assert fields.split_of(right_ascension) == templates.split_of(right_ascension)


def test_a_field_of_the_second_maker_is_a_sky_with_its_truth(
    benchmark: Callable[[str], Any], chosen: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    sky, again = read_sky(folder), read_sky(benchmark("fields").make_field(tmp_path, **chosen))
    assert np.array_equal(sky.map.data, again.map.data)
    assert 4 < sky.map.beam_fwhm_pixels < 6.5
    assert (np.asarray(sky.truth["snr"]) >= 3).all()
    strong = sky.truth[(sky.truth["class"] == "compact") & (sky.truth["snr"] > 8)]
    assert len(strong)
    for row in strong:
        x, y = round(float(row["x"])), round(float(row["y"]))
        assert sky.labels[y, x] == row["id"]
        noise = float(sky.local_rms[y, x])
        assert float(sky.map.data[y, x]) == pytest.approx(float(row["peak_flux"]), abs=6 * noise)


def test_segments_become_entries_with_flux_densities_and_footprints(
    benchmark: Callable[[str], Any], folder: Path, tmp_path: Path
) -> None:
    sky = read_sky(folder)
    benchmark("rivals").source_extractor(folder / "map.fits", tmp_path, {"filter": False})
    entries = benchmark("entries").read("sep", tmp_path, sky)
    assert (entries.snr >= 5).all()
    one = judge(entries, sky)
    bright = (one.truth_class == "compact") & (one.truth_snr > 12)
    assert one.found[bright].mean() > 0.6
    assert np.nanmedian(one.flux_ratio[bright]) == pytest.approx(1, abs=0.15)
    own = entries.footprints[int(np.argmax(entries.snr))]
    assert sky.map.data[own].max() == sky.map.data.max()
