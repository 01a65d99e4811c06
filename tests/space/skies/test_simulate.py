"""Made-up skies as maps with truth."""

import numpy as np
import pytest

from helikon.errors import InputError
from helikon.space.skies.simulate import Sky, simulate_sky


@pytest.fixture(scope="module")
def sky() -> Sky:
    return simulate_sky(5, size=256)


def test_the_same_seed_gives_the_same_sky_to_the_bit(sky: Sky) -> None:
    again = simulate_sky(5, size=256)
    assert again.map.data.tobytes() == sky.map.data.tobytes()
    assert again.labels.tobytes() == sky.labels.tobytes()
    assert list(again.truth["ra"]) == list(sky.truth["ra"])


def test_another_seed_gives_another_sky(sky: Sky) -> None:
    assert not np.array_equal(simulate_sky(6, size=256).map.data, sky.map.data)


def test_splits_share_no_noise_and_no_sources() -> None:
    maps = [
        simulate_sky(5, size=128, split=split).map.data.ravel() for split in ("train", "validation", "test")
    ]
    assert np.abs(np.corrcoef(maps) - np.eye(3)).max() < 0.1


def test_positions_on_the_sky_and_on_pixels_agree(sky: Sky) -> None:
    x, y = sky.map.wcs.all_world2pix(sky.truth["ra"], sky.truth["dec"], 0)
    np.testing.assert_allclose(x, sky.truth["x"], atol=1e-6)
    np.testing.assert_allclose(y, sky.truth["y"], atol=1e-6)


def test_the_brightest_compact_source_stands_in_the_map(sky: Sky) -> None:
    compact = sky.truth[sky.truth["class"] == "compact"]
    row = compact[np.argmax(compact["peak_flux"])]
    x0, y0, x1, y1 = row["bbox"]
    assert sky.map.data[y0:y1, x0:x1].max() == pytest.approx(float(row["peak_flux"]), rel=0.1)


def test_the_beam_has_the_size_in_pixels_asked_for() -> None:
    assert simulate_sky(1, size=256, beam_pixels=6.0).map.beam_fwhm_pixels == pytest.approx(6.0, rel=0.03)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 10}, "128 to 8192"),
        ({"robust": float("nan")}, "this robust: got nan, expected -2 to 2"),
        ({"seed": -1}, "this seed: got -1"),
        ({"array": "lofar"}, "askap, meerkat, vla-b"),
        ({"split": "exam"}, "train, validation, test"),
        ({"colour": 3}, "no such option of a sky: got colour"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        simulate_sky(**{"seed": 1, "size": 128, **arguments})  # type: ignore[arg-type]
