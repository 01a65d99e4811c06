"""Real galaxies as templates, here on maps made up for the purpose."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from scipy import ndimage

from helikon.errors import InputError, NotFound
from helikon.space.skies.imaging import GaussianBeam
from helikon.space.skies.options import SPLITS
from helikon.space.skies.placing import place_template
from helikon.space.skies.scene import SceneOptions, make_scene
from helikon.space.skies.templates import isolate, load_templates, split_of

BEAM = 3.0
FIELD_BEAM = GaussianBeam(covariance=(4.5, 0.3, 4.0))


def _map(seed: int = 0) -> np.ndarray:
    """Draw a double in the middle, a stranger far away, and noise of 1."""
    y, x = np.indices((120, 120))
    data = ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 1, (120, 120)), 1.27)
    data /= data.std()
    for x0, y0, peak in ((48, 60, 80.0), (72, 60, 40.0), (15, 15, 100.0)):
        data += peak * np.exp(-0.5 * ((x - x0) ** 2 + (y - y0) ** 2) / 1.6**2)
    return data.astype(np.float32)


def _write(folder: Path, right_ascensions: list[float]) -> None:
    folder.mkdir()
    for number, right_ascension in enumerate(right_ascensions):
        header = fits.Header({"CDELT1": -0.0005, "CDELT2": 0.0005, "BMAJ": 0.0015})
        name = f"200_{right_ascension:07.3f}+10.000_0.1000_0060.00.fits"
        fits.PrimaryHDU(_map(number), header).writeto(folder / name)


def test_a_template_holds_all_islands_of_its_galaxy_and_no_stranger_or_noise() -> None:
    template = isolate(_map(), extent_pixels=34.0, beam_pixels=BEAM)
    assert template is not None
    assert ndimage.label(template.data > 0, structure=np.ones((3, 3)))[1] == 2
    assert template.data.shape[0] < 20
    assert template.data.max() == 1.0
    assert template.snr == pytest.approx(80, rel=0.15)


def test_a_map_with_nothing_in_the_middle_gives_no_template() -> None:
    assert isolate(np.roll(_map(), 60, axis=0), extent_pixels=20.0, beam_pixels=BEAM) is None


def test_a_placed_template_keeps_two_islands_and_has_the_beam_of_the_field() -> None:
    template = isolate(_map(), extent_pixels=34.0, beam_pixels=BEAM)
    assert template is not None
    stamp = place_template(np.random.default_rng(1), template, FIELD_BEAM, (300, 300), (150.0, 150.0))
    assert stamp.data.max() == pytest.approx(1.0)
    assert np.hypot(stamp.x - 150, stamp.y - 150) < 12
    y, x = np.unravel_index(int(stamp.data.argmax()), stamp.data.shape)
    half = (ndimage.label(stamp.data > 0.5)[0] == ndimage.label(stamp.data > 0.5)[0][y, x]).sum()
    assert half == pytest.approx(FIELD_BEAM.area * np.log(2), rel=0.35)


def test_a_template_over_the_border_is_cut() -> None:
    template = isolate(_map(), extent_pixels=34.0, beam_pixels=BEAM)
    assert template is not None
    stamp = place_template(np.random.default_rng(1), template, FIELD_BEAM, (100, 100), (1.0, 99.0))
    assert stamp.where[0].stop <= 100
    assert stamp.data.shape[0] < 40


def test_splits_are_blocks_of_the_sky_of_about_the_shares_asked_for() -> None:
    names = [split_of(right_ascension) for right_ascension in np.arange(0.5, 360, 1)]
    assert [round(names.count(split) / 360, 1) for split in SPLITS] == pytest.approx(
        [0.7, 0.15, 0.15], abs=0.06
    )
    assert split_of(30.1) == split_of(31.5) == split_of(32.9)


def test_no_galaxy_is_in_two_splits(tmp_path: Path) -> None:
    folder = tmp_path / "maps"
    _write(folder, [1.0 + 6 * i for i in range(12)])
    names = [{t.name for t in load_templates(str(folder), split)} for split in SPLITS]
    assert sum(len(part) for part in names) == len(set.union(*names)) == 12


def test_a_field_with_templates_shows_them(tmp_path: Path) -> None:
    folder = tmp_path / "maps"
    _write(folder, [1.0])
    options = SceneOptions(size=256, n_extended=120, templates=str(folder), template_share=1.0)
    shapes = [source.shape for source in make_scene(np.random.default_rng(3), options).sources]
    assert shapes.count("template") > 2
    assert set(shapes) <= {"template", "compact", "artefact"}


def test_a_folder_without_maps_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no galaxies to take as templates"):
        load_templates(str(tmp_path), "train")


def test_a_map_whose_name_has_no_position_is_told(tmp_path: Path) -> None:
    fits.PrimaryHDU(_map()).writeto(tmp_path / "m87.fits")
    with pytest.raises(InputError, match="class_position_redshift_extent"):
        load_templates(str(tmp_path), "train")
