"""Diffuse emission of the Galaxy."""

import numpy as np
import pytest

from helikon.space.skies.arrays import load_array, observe
from helikon.space.skies.diffuse import draw_diffuse
from helikon.space.skies.imaging import forward, make_imager
from helikon.space.skies.scene import SceneOptions, make_scene


def test_diffuse_emission_lacks_what_the_array_does_not_see() -> None:
    tracks = observe(load_array("vla-b"), declination_deg=30.0, hour_angles=np.linspace(-1, 1, 8))
    imager = make_imager(tracks, n=256, beam_pixels=5.0)
    image = draw_diffuse(np.random.default_rng(1), imager)
    assert image.std() == pytest.approx(1.0, rel=1e-3)
    assert abs(image.mean()) < 1e-3
    blind = imager.transfer == 0
    power = np.abs(forward(image)) ** 2
    assert power[blind].max() < 1e-6 * power[~blind].max()


def test_diffuse_emission_is_in_the_map_and_not_in_the_truth() -> None:
    plain, cloudy = (
        make_scene(np.random.default_rng(5), SceneOptions(size=256, stripes=0.0, diffuse=diffuse))
        for diffuse in (0.0, 3.0)
    )
    np.testing.assert_array_equal(plain.true_image, cloudy.true_image)
    assert cloudy.image.std() > plain.image.std()
    assert np.median(cloudy.local_rms) >= np.median(plain.local_rms)
