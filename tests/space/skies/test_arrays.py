"""The real arrays and what they see."""

import numpy as np
import pytest

from helikon.errors import InputError
from helikon.space.skies.arrays import ARRAY_NAMES, load_array, observe


@pytest.mark.parametrize(
    ("name", "n_antennas", "longest_m"), [("askap", 36, 6e3), ("meerkat", 64, 8e3), ("vla-b", 27, 11e3)]
)
def test_antennas_stand_where_the_array_has_them(name: str, n_antennas: int, longest_m: float) -> None:
    positions = load_array(name).positions()
    assert positions.shape == (n_antennas, 2)
    baselines = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    assert 0.85 * longest_m < baselines.max() < 1.15 * longest_m


def test_every_array_has_distinct_antennas() -> None:
    for name in ARRAY_NAMES:
        positions = load_array(name).positions()
        assert len(np.unique(positions, axis=0)) == len(positions)


def test_an_unknown_array_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="askap, meerkat, vla-b"):
        load_array("lofar")


def test_a_source_at_the_zenith_is_seen_through_the_baselines_themselves() -> None:
    array = load_array("meerkat")
    tracks = observe(array, declination_deg=array.latitude_deg, hour_angles=np.zeros(1), n_channels=1)
    positions = array.positions()
    east, north = (positions[tracks.second] - positions[tracks.first]).T
    wavelength = 299_792_458.0 / array.frequency_hz
    np.testing.assert_allclose(tracks.u[0, 0], east / wavelength)
    np.testing.assert_allclose(tracks.v[0, 0], north / wavelength)


def test_baselines_keep_their_length_at_the_pole() -> None:
    array = load_array("askap")
    tracks = observe(array, declination_deg=-90.0, hour_angles=np.linspace(-1, 1, 5), n_channels=1)
    length = np.hypot(tracks.u, tracks.v)
    np.testing.assert_allclose(length, np.broadcast_to(length[:1], length.shape))
