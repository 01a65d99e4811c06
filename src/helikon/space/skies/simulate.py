"""Made-up skies: a radio map as a real array would see it, and the truth of it.

:func:`simulate_sky` is the whole of it. The field itself is made in
``scene.py`` (sources, point-spread function, noise, artefacts, labels); here
it gets a place on the sky, a beam and a table.
"""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy import units as u
from astropy.table import Table
from astropy.wcs import WCS

from helikon.errors import InputError
from helikon.space.beam import Beam
from helikon.space.fits import RadioMap
from helikon.space.skies.labels import TrueSource
from helikon.space.skies.options import SPLITS
from helikon.space.skies.scene import Scene, SceneOptions, make_scene

__all__ = ["SKIES_VERSION", "Sky", "simulate_sky", "truth_table"]

SKIES_VERSION = 4
"""Grows whenever the same seed and options give another sky than before."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """A made-up map and its truth.

    Attributes
    ----------
    map : RadioMap
    truth : astropy.table.Table
        One row for each true source above 3 sigma and for each artefact
        (class ``spurious``) above 4 sigma. Columns: id, class, shape, ra, dec
        (deg, ICRS), x, y (pixels from 0), peak_flux (Jy/beam) and int_flux
        (Jy) without noise, snr (peak over local noise), n_islands, bbox (x0,
        y0, x1, y1, end excluded).
    labels : ndarray of int32, shape (ny, nx)
        ``id`` of the source that owns the pixel, 0 for none.
    local_rms : ndarray of float32, shape (ny, nx)
        Noise where there are no sources, Jy/beam.
    """

    map: RadioMap
    truth: Any
    labels: npt.NDArray[np.int32]
    local_rms: npt.NDArray[np.float32]


def simulate_sky(seed: int, *, size: int = 1024, array: str = "askap", **options: Any) -> Sky:
    """Make a radio map of a made-up piece of sky.

    Parameters
    ----------
    seed : int
        From 0 on; the same seed and options give the same sky, to the bit.
    size : int
        Pixels along each side, 128 to 8192.
    array : str
        ``askap``, ``meerkat`` or ``vla-b``.
    **options
        Any other field of :class:`helikon.space.scene.SceneOptions`, as
        ``beam_pixels``, ``rms_jy``, ``n_extended`` or ``primary_beam``.

    Raises
    ------
    InputError
        If the seed, the array or an option cannot be used, or an option is unknown.
    """
    if seed < 0:
        raise InputError("no sky has this seed", got=seed, expected="a whole number from 0 on")
    known = {field.name for field in dataclasses.fields(SceneOptions)}
    if unknown := sorted(set(options) - known):
        raise InputError(
            "no such option of a sky", got=", ".join(unknown), expected=f"one of {', '.join(sorted(known))}"
        )
    made = SceneOptions(size=size, array=array, **options)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=_stream(made.split)))
    scene = make_scene(rng, made)
    return _place(scene, right_ascension_deg=float(rng.uniform(0, 360)), name=f"{array}-{seed}")


def _stream(split: str) -> tuple[int, ...]:
    """Return what keeps the random numbers of a split from those of the others."""
    return (SPLITS.index(split),) if split != SPLITS[0] else ()


def _place(scene: Scene, *, right_ascension_deg: float, name: str) -> Sky:
    """Give a field coordinates, north up and east left."""
    size = len(scene.image)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN"]
    wcs.wcs.crval = [right_ascension_deg, scene.declination_deg]
    wcs.wcs.crpix = [size / 2 + 0.5] * 2
    wcs.wcs.cdelt = [-scene.pixel_arcsec / 3600, scene.pixel_arcsec / 3600]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.set()
    major, minor, angle = scene.beam.axes
    beam = Beam(
        major_arcsec=major * scene.pixel_arcsec,
        minor_arcsec=minor * scene.pixel_arcsec,
        position_angle_deg=angle % 180,
    )
    radio_map = RadioMap(
        data=scene.image,
        wcs=wcs,
        beam=beam,
        pixel_arcsec=scene.pixel_arcsec,
        frequency_hz=scene.frequency_hz,
        name=name,
    )
    return Sky(
        map=radio_map,
        truth=truth_table(scene.sources, wcs),
        labels=scene.labels,
        local_rms=scene.local_rms,
    )


def truth_table(sources: tuple[TrueSource, ...], wcs: Any) -> Any:
    """Make the table of :attr:`Sky.truth`."""
    x = np.array([source.x for source in sources], dtype=np.float64)
    y = np.array([source.y for source in sources], dtype=np.float64)
    ra, dec = wcs.all_pix2world(x, y, 0) if sources else (x, y)
    table = Table()
    table["id"] = np.array([source.label for source in sources], dtype=np.int32)
    table["class"] = np.array([source.class_name for source in sources], dtype="U24")
    table["shape"] = np.array([source.shape for source in sources], dtype="U16")
    table["ra"], table["dec"] = ra * u.deg, dec * u.deg
    table["x"], table["y"] = x * u.pix, y * u.pix
    table["peak_flux"] = np.array([source.peak_flux for source in sources]) * (u.Jy / u.beam)
    table["int_flux"] = np.array([source.int_flux for source in sources]) * u.Jy
    table["snr"] = np.array([source.snr for source in sources], dtype=np.float64)
    table["n_islands"] = np.array([source.n_islands for source in sources], dtype=np.int32)
    table["bbox"] = np.array([source.box for source in sources], dtype=np.int32).reshape(len(sources), 4)
    return table
