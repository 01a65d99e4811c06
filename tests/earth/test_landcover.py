"""Land cover from made-up series of four phenologies."""

import csv
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from tests.earth.scenes import modis_series

from helikon.cli import cli
from helikon.earth.landcover import cross_validate, read_samples, suggest, train
from helikon.errors import InputError
from helikon.settings import Settings

MONTHS = np.arange(12)
PHENOLOGIES = {
    "forest": 0.85 + 0.02 * np.cos(MONTHS),
    "pasture": 0.5 + 0.2 * np.cos(2 * np.pi * (MONTHS - 4) / 12),
    "savanna": 0.35 + 0.1 * np.cos(2 * np.pi * (MONTHS - 5) / 12),
    "two-crops": 0.45 + 0.35 * np.cos(2 * np.pi * (MONTHS - 3) / 6),
}
FOREST = {"kind": "forest", "n_estimators": 30, "max_features": 0.5, "min_samples_leaf": 1}
DATES = [f"2024{16 * n + 1:03d}" for n in range(12)]


def series_of(name: str, random: np.random.Generator) -> np.ndarray:
    return PHENOLOGIES[name] + random.normal(0, 0.06, 12)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """A CSV file of 400 labelled series in many cells."""
    random = np.random.default_rng(7)
    path = tmp_path / "samples.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["lon", "lat", "label", *(f"ndvi{n}" for n in MONTHS)])
        for number in range(400):
            name = list(PHENOLOGIES)[number % 4]
            lon, lat = -55 + random.uniform(0, 0.4), -12 + random.uniform(0, 0.4)
            writer.writerow([lon, lat, name, *series_of(name, random).round(4)])
    return path


def test_no_cell_is_both_trained_on_and_tested(samples: Path) -> None:
    found = read_samples(samples)
    train_part, test_part = found.held_out()
    assert len(train_part) + len(test_part) == len(found) == 400
    assert not set(train_part.cells) & set(test_part.cells)
    assert set(test_part.labels) == {0, 1, 2, 3}


def test_four_phenologies_are_told_apart_and_labels_by_chance_are_not(samples: Path) -> None:
    found = read_samples(samples)
    assert cross_validate(found, FOREST) > 0.9
    shuffled = np.random.default_rng(0).permutation(found.labels)
    object.__setattr__(found, "labels", shuffled)
    assert cross_validate(found, FOREST) < 0.4


@pytest.mark.parametrize("kind", ["forest", "extra-trees", "svm"])
def test_every_classifier_that_a_trial_can_choose_learns(kind: str, samples: Path) -> None:
    import optuna

    trial = optuna.trial.FixedTrial(
        {
            "kind": kind,
            "C": 10.0,
            "gamma": 0.1,
            "n_estimators": 50,
            "max_features": 0.5,
            "min_samples_leaf": 1,
        }
    )
    assert cross_validate(read_samples(samples), suggest(trial)) > 0.9


def test_the_model_maps_a_cube_with_gaps(tmp_path: Path, samples: Path, settings: Settings) -> None:
    prepare = {"bands": ["ndvi"], "mask": ["cloud"], "chip": 32}
    report = train(read_samples(samples), FOREST, tmp_path / "model", prepare=prepare)
    assert report["n_train"] + report["n_test"] == 400
    low, high = report["interval_95"]
    assert 0.8 < low < report["accuracy"] <= high + 1e-9
    assert np.sum(report["confusion"]) == report["n_test"]
    random = np.random.default_rng(8)
    truth = np.repeat(np.repeat(random.integers(0, 4, (5, 6)), 8, axis=0), 8, axis=1)
    classes = sorted(PHENOLOGIES)
    cube = np.array([[series_of(classes[k], random) for k in row] for row in truth]).transpose(2, 0, 1)
    cube[3, :9, :9] = np.nan  # a cloud at one time
    cube[:, :4, 40:] = np.nan  # nothing at all
    scenes = modis_series(tmp_path / "scenes", cube, DATES)
    command = ["earth", "predict", str(tmp_path / "model"), "--scenes", str(scenes)]
    environment = {"HELIKON_STATE_DIR": str(settings.state_dir)}
    done = CliRunner().invoke(
        cli, [*command, "--out", str(tmp_path / "map"), "--processes", "1"], env=environment
    )
    assert done.exit_code == 0, done.output
    with rasterio.open(tmp_path / "map/map.tif") as file:
        found = file.read(1)
    assert (found[:4, 40:] == 0).all()
    known = found != 0
    assert known.mean() > 0.95
    assert (found[known] - 1 == truth[known]).mean() > 0.9


def test_what_is_no_table_of_samples_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    for text in ("", "lon,lat,ndvi0\n1,2,0.5\n", "lon,lat,label,ndvi0\n1,2,a,high\n"):
        path.write_text(text)
        with pytest.raises(InputError, match="expected CSV with lon, lat, label"):
            read_samples(path)
