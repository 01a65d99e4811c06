"""Real radio interferometers: where their antennas stand, and the (u, v) points they see."""

import dataclasses
import functools
import importlib.resources

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError

__all__ = ["ARRAY_NAMES", "Array", "Tracks", "load_array", "observe"]

SPEED_OF_LIGHT = 299_792_458.0  # m/s


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """An interferometer and what a usual continuum survey with it looks like.

    Attributes
    ----------
    name : str
    latitude_deg : float
        Geodetic latitude.
    frequency_hz, fractional_bandwidth : float
        Centre and relative width of the band.
    rms_jy : float
        Usual thermal noise of a deep map, Jy/beam.
    beam_arcsec : float
        Usual size of the synthesised beam (FWHM) at robust 0, arcsec.
    """

    name: str
    latitude_deg: float
    frequency_hz: float
    fractional_bandwidth: float
    rms_jy: float
    beam_arcsec: float

    def positions(self) -> npt.NDArray[np.float64]:
        """Return the antennas' positions, (n, 2): east and north in metres."""
        return _positions(self.name)


_ARRAYS = {
    array.name: array
    for array in (
        Array(
            name="askap",
            latitude_deg=-26.70,
            frequency_hz=943.5e6,
            fractional_bandwidth=0.30,
            rms_jy=30e-6,
            beam_arcsec=13.0,
        ),
        Array(
            name="meerkat",
            latitude_deg=-30.71,
            frequency_hz=1.284e9,
            fractional_bandwidth=0.55,
            rms_jy=10e-6,
            beam_arcsec=7.0,
        ),
        Array(
            name="vla-b",
            latitude_deg=34.08,
            frequency_hz=1.4e9,
            fractional_bandwidth=0.30,
            rms_jy=12e-6,
            beam_arcsec=4.5,
        ),
    )
}
ARRAY_NAMES = tuple(_ARRAYS)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """The (u, v) points of one observation.

    Attributes
    ----------
    u, v : ndarray
        Wavelengths, shape (n_times, n_channels, n_baselines).
    first, second : ndarray of int
        The two antennas of each baseline.
    n_antennas : int
    """

    u: npt.NDArray[np.float64]
    v: npt.NDArray[np.float64]
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    n_antennas: int


def load_array(name: str) -> Array:
    """Return an array by name.

    Raises
    ------
    InputError
        If no array of that name is known.
    """
    try:
        return _ARRAYS[name]
    except KeyError:
        expected = f"one of {', '.join(ARRAY_NAMES)}"
        raise InputError("no array of that name", got=repr(name), expected=expected) from None


@functools.cache
def _positions(name: str) -> npt.NDArray[np.float64]:
    path = importlib.resources.files("helikon.space.skies") / "layouts" / f"{name}.txt"
    return np.array([line.split() for line in path.read_text().splitlines()], dtype=np.float64)


def observe(
    array: Array,
    *,
    declination_deg: float,
    hour_angles: npt.NDArray[np.float64],
    n_channels: int = 8,
) -> Tracks:
    """Follow a field over the sky.

    Parameters
    ----------
    array : Array
    declination_deg : float
        Of the field's centre.
    hour_angles : ndarray
        Hour angles of the integrations, radians.
    n_channels : int
        Channels over the band, for bandwidth synthesis.

    Returns
    -------
    Tracks
        The antennas' height is taken as zero. Equations 4.1 of Thompson,
        Moran & Swenson, Interferometry and Synthesis in Radio Astronomy.
    """
    first, second = np.triu_indices(len(array.positions()), k=1)
    east, north = (array.positions()[second] - array.positions()[first]).T
    x, z = -north * np.sin(np.deg2rad(array.latitude_deg)), north * np.cos(np.deg2rad(array.latitude_deg))
    sin_h, cos_h = np.sin(hour_angles)[:, None], np.cos(hour_angles)[:, None]
    sin_d, cos_d = np.sin(np.deg2rad(declination_deg)), np.cos(np.deg2rad(declination_deg))
    u = sin_h * x + cos_h * east
    v = -sin_d * cos_h * x + sin_d * sin_h * east + cos_d * z
    per_metre = _frequencies(array, n_channels)[None, :, None] / SPEED_OF_LIGHT
    return Tracks(
        u=u[:, None, :] * per_metre,
        v=v[:, None, :] * per_metre,
        first=first,
        second=second,
        n_antennas=len(array.positions()),
    )


def _frequencies(array: Array, n_channels: int) -> npt.NDArray[np.float64]:
    half = array.fractional_bandwidth / 2 * (1 - 1 / n_channels)
    return array.frequency_hz * np.linspace(1 - half, 1 + half, n_channels)
