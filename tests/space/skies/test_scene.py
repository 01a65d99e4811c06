"""One made-up field."""

import numpy as np
import pytest

from helikon.space.skies.arrays import ARRAY_NAMES
from helikon.space.skies.scene import Scene, SceneOptions, make_scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(np.random.default_rng(11), SceneOptions(size=384, n_extended=60, n_bright=8))


def test_the_map_is_the_truth_plus_noise_and_artefacts(scene: Scene) -> None:
    rest = scene.image - scene.true_image - scene.artefacts
    assert abs(rest.mean()) < 0.5e-5
    assert rest.std() == pytest.approx(30e-6, rel=0.15)


def test_labels_are_those_of_the_sources(scene: Scene) -> None:
    assert set(np.unique(scene.labels)) - {0} == {source.label for source in scene.sources}
    for source in scene.sources:
        x0, y0, x1, y1 = source.box
        rows, columns = np.nonzero(scene.labels == source.label)
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x0, y0, x1, y1)


def test_a_compact_source_on_the_border_has_all_its_flux_density() -> None:
    options = SceneOptions(size=256, density=6.0, n_extended=0.0, source_width=0.0)
    points = [
        source
        for seed in range(3)
        for source in make_scene(np.random.default_rng(seed), options).sources
        if source.class_name == "compact" and source.snr > 8
    ]
    on_border = [one for one in points if min(one.box[:2]) == 0 or max(one.box[2:]) == 256]
    assert len(on_border) > 5
    beams = np.array([one.int_flux / one.peak_flux for one in on_border])
    assert beams.min() > 0.99
    assert beams.max() > 1.2  # its peak lies outside


def test_labelled_pixels_of_true_sources_shine_above_the_noise(scene: Scene) -> None:
    true = [source.label for source in scene.sources if source.class_name != "spurious"]
    own = np.isin(scene.labels, true)
    assert (scene.true_image[own] > 2.4 * scene.local_rms[own]).all()


@pytest.mark.parametrize("array", ARRAY_NAMES)
def test_every_array_sees_compact_and_extended_sources(array: str) -> None:
    made = make_scene(np.random.default_rng(2), SceneOptions(size=256, array=array, n_extended=90))
    names = {source.class_name for source in made.sources}
    assert {"compact", "extended"} <= names
    assert np.isfinite(made.image).all()
    assert 1.0 < made.local_rms.max() / made.local_rms.min() < 10


def test_a_badly_calibrated_field_has_spurious_and_flagged_things() -> None:
    options = SceneOptions(size=512, n_bright=20, phase_error_deg=8.0, amplitude_error=0.05)
    scenes = [make_scene(np.random.default_rng(seed), options) for seed in range(4)]
    names = [source.class_name for made in scenes for source in made.sources]
    assert names.count("spurious") > 20
    assert names.count("flagged") > 3


def test_the_primary_beam_raises_the_noise_outwards() -> None:
    made = make_scene(np.random.default_rng(4), SceneOptions(size=384, primary_beam=0.9))
    assert made.local_rms[:40, :40].mean() > 2 * made.local_rms[172:212, 172:212].mean()


def test_sources_of_the_counts_are_as_wide_as_asked_and_called_extended_where_it_shows() -> None:
    shares, ratios = [], []
    for width in (0.0, 0.3, 1.0):
        options = SceneOptions(size=512, density=4.0, n_extended=0.0, source_width=width)
        made = make_scene(np.random.default_rng(5), options)
        bright = [source for source in made.sources if source.shape == "compact" and source.snr > 10]
        ratios.append(np.median([source.int_flux / source.peak_flux for source in bright]))
        shares.append(np.mean([source.class_name == "extended" for source in bright]))
    assert ratios[0] == pytest.approx(1.0, abs=0.03)
    assert ratios[0] < ratios[1] < ratios[2] - 0.1  # the widest do not reach ten sigma
    assert shares[0] < 0.02
    assert shares[0] < shares[1] < 0.2
    assert shares[2] > 0.3


def test_extended_sources_meet_by_chance_unless_kept_apart() -> None:
    shares = []
    for apart in (1.0, 0.0):
        options = SceneOptions(size=512, density=0.05, n_extended=120, apart=apart)
        made = [make_scene(np.random.default_rng(seed), options) for seed in range(3)]
        shares.append(np.mean([touching(one) for one in made]))
    assert shares[0] < 0.1
    assert shares[1] > 3 * shares[0] + 0.1


def touching(scene: Scene) -> float:
    """Share of the extended sources whose pixels touch those of another."""
    kept = [one.label for one in scene.sources if one.class_name.startswith("extended")]
    labels = np.where(np.isin(scene.labels, kept), scene.labels, 0)
    low, high = labels[:, :-1].ravel(), labels[:, 1:].ravel()
    meet = (low != high) & (low > 0) & (high > 0)
    return len(set(low[meet]) | set(high[meet])) / len(kept)
