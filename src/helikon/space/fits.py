"""Radio maps from FITS files: read rightly or refused in one line.

:func:`read_map` reads a whole map; :class:`MapFile` reads windows of one, so
that a task can work on a tile without holding the rest.
"""

import contextlib
import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import astropy.wcs
import numpy as np
import numpy.typing as npt
from astropy.io import fits

from helikon.errors import InputError
from helikon.space.beam import Beam, beam_notes, header_beam
from helikon.space.hdus import ChosenImage, choose_image
from helikon.space.maps import A_FITS_FILE, MapFile, RadioMap, quiet, reading
from helikon.space.units import to_jy_per_beam

__all__ = ["Beam", "MapFile", "RadioMap", "map_hdu", "open_map", "read_map", "write_map"]

MOST_OBLONG = 0.02
"""By how much one side of a pixel in the header may exceed the other, relative to it."""
MOST_STRETCHED = 3.0
"""How much longer one side of a pixel on the sky may be than the other, where the projection makes it so."""
SAME_SIZE = 1e-3
"""Pixels on the sky whose size differs by less from that in the header have the latter."""


def read_map(path: Path | str, *, beam: Beam | None = None, name: str = "") -> RadioMap:
    """Read a radio map.

    Parameters
    ----------
    path : Path or str
        A FITS file, plain, gzipped or tile-compressed. The first image that
        has two axes longer than one is read.
    beam : Beam, optional
        Instead of what the header says; needed where it says nothing.
    name : str
        What to call the map; by default the file's name.

    Raises
    ------
    InputError
        If it is no FITS image of the sky with a beam; says what was expected.
    """
    with open_map(path, beam=beam, name=name) as file:
        return file.read()


@contextlib.contextmanager
def open_map(path: Path | str, *, beam: Beam | None = None, name: str = "") -> Iterator[MapFile]:
    """Open a map to read windows of it; see :func:`read_map` for what is taken and refused."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no file {path}", expected="a radio map in FITS")
    name = name or path.name
    if path.stat().st_size == 0:
        raise InputError(f"{name} cannot be read as FITS", got="an empty file", expected=A_FITS_FILE)
    with contextlib.ExitStack() as stack:
        said = stack.enter_context(quiet())
        with reading(name):
            hdus = stack.enter_context(fits.open(path, mode="readonly", lazy_load_hdus=False))
            _refuse_truncated(said)
            file = _describe(hdus, name, beam)
        yield file


def map_hdu(radio_map: RadioMap) -> Any:
    """Return a map as a primary FITS HDU of float32, with its beam and frequency."""
    header = radio_map.wcs.to_header()
    header["BUNIT"] = "Jy/beam"
    header["BMAJ"] = radio_map.beam.major_arcsec / 3600
    header["BMIN"] = radio_map.beam.minor_arcsec / 3600
    header["BPA"] = radio_map.beam.position_angle_deg
    header["OBJECT"] = radio_map.name
    if radio_map.frequency_hz is not None:
        header["RESTFRQ"] = radio_map.frequency_hz
    return fits.PrimaryHDU(radio_map.data.astype(">f4"), header)


def write_map(radio_map: RadioMap, path: Path | str) -> None:
    """Write a map as float32 FITS, whole or not at all."""
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        map_hdu(radio_map).writeto(beside, overwrite=True, output_verify="silentfix")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _describe(hdus: Any, name: str, beam: Beam | None) -> MapFile:
    chosen = choose_image(hdus, name)
    header = chosen.hdu.header
    wcs = _celestial(chosen, name)
    pixel, stretched = _pixel_size(wcs, chosen, name)
    used, assumed = (beam, []) if beam else _named_beam(hdus, chosen)
    if used is None:
        raise InputError(
            f"{name} does not name its beam",
            expected="BMAJ, BMIN, BPA in the header",
            next_step="give it in arcseconds: --beam FWHM or --beam MAJOR,MINOR,PA",
        )
    notes = [*chosen.notes, *stretched, *assumed, *_check_beam(used, pixel, chosen.shape, name)]
    factor, unit_note = to_jy_per_beam(str(header.get("BUNIT", "")), used.area_arcsec2 / pixel**2)
    return MapFile(
        shape=chosen.shape,
        wcs=wcs,
        beam=used,
        pixel_arcsec=pixel,
        frequency_hz=_frequency(header),
        name=name,
        notes=(*notes, *((unit_note,) if unit_note else ())),
        section=chosen.hdu.section,
        n_axes=len(chosen.hdu.shape),
        axes=chosen.axes,
        factor=factor,
        fills_are_blank=int(header.get("BITPIX", -32)) < 0 and not isinstance(chosen.hdu, fits.CompImageHDU),
    )


def _named_beam(hdus: Any, chosen: ChosenImage) -> tuple[Beam | None, list[str]]:
    """Return the beam that a file names for an image, and what was assumed of it."""
    header, primary = chosen.hdu.header, hdus[0].header
    found = header_beam(header, map(str, header.get("HISTORY", ())))
    if found or chosen.table_beam:
        return found or chosen.table_beam, beam_notes(header)
    found = header_beam(primary)
    return found, ["the beam is that of the primary header", *beam_notes(primary)] if found else []


def _celestial(chosen: ChosenImage, name: str) -> Any:
    why = ""
    try:
        with quiet():
            whole = astropy.wcs.WCS(chosen.hdu.header)
            wcs = whole.sub([axis + 1 for axis in chosen.axes])
            if wcs.has_celestial and wcs.wcs.lng == 0:
                astropy.wcs.utils.wcs_to_celestial_frame(wcs)
                return wcs
    except (ValueError, astropy.wcs.WcsError) as error:
        why = str(error).strip().rpartition("\n")[2].rstrip(".")
    got = f"CTYPE {chosen.types[0]!r} and {chosen.types[1]!r} in HDU {chosen.number}"
    if chosen.of_the_sky and why:
        raise InputError(
            f"{name} has no usable sky coordinates",
            got=f"{got} ({why})",
            expected="a projection that is defined where the map lies",
        )
    raise InputError(
        f"{name} has no celestial coordinates",
        got=got,
        expected="longitude and latitude on the two axes, in this order, as RA---SIN and DEC--SIN",
    )


def _pixel_size(wcs: Any, chosen: ChosenImage, name: str) -> tuple[float, list[str]]:
    """Return the side of a pixel at the map's centre, the root of its area on the sky in arcsec; notes."""
    nominal = astropy.wcs.utils.proj_plane_pixel_scales(wcs) * 3600
    sides = _sides_on_the_sky(wcs, chosen.shape)
    if not np.all(np.isfinite(sides) & (sides > 0)):
        raise InputError(
            f"{name} has no usable sky coordinates at its centre",
            got=f"no place on the sky there from {chosen.types[0]} and {chosen.types[1]}",
            expected="a projection with all its parameters that is defined all over the map",
        )
    if abs(nominal[0] / nominal[1] - 1) > MOST_OBLONG or sides[0] > MOST_STRETCHED * sides[1]:
        raise InputError(
            f"{name} has pixels that are not square",
            got=f"{sides[0]:.4g} by {sides[1]:.4g} arcsec on the sky at its centre",
            expected="square pixels",
            next_step="regrid it, as with reproject, to a SIN or TAN projection about the map's centre",
        )
    pixel = float(math.sqrt(nominal[0] * nominal[1]))
    on_the_sky = float(math.sqrt(sides[0] * sides[1]))
    notes = []
    if sides[0] > (1 + MOST_OBLONG) * sides[1]:
        notes.append(f"pixels of {sides[0]:.4g} by {sides[1]:.4g} arcsec on the sky: extents are less sure")
    return (pixel if abs(on_the_sky / pixel - 1) < SAME_SIZE else on_the_sky), notes


def _sides_on_the_sky(wcs: Any, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Return the longest and the shortest extent of the pixel at the map's centre in arcseconds, or NaN."""
    centre = (np.array([shape[1], shape[0]]) - 1) / 2
    steps = centre + np.array([(0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)])
    lon, lat = np.radians(wcs.pixel_to_world_values(*steps.T))
    places = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    jacobian = places[::2] - places[1::2]
    if not np.all(np.isfinite(jacobian)):
        return np.full(2, np.nan)
    return np.asarray(np.degrees(np.linalg.svd(jacobian, compute_uv=False)) * 3600)


def _check_beam(beam: Beam, pixel: float, shape: tuple[int, int], name: str) -> list[str]:
    minor, major = beam.minor_arcsec / pixel, beam.major_arcsec / pixel
    got = f"{beam.major_arcsec:.4g} by {beam.minor_arcsec:.4g} arcsec on pixels of {pixel:.4g}"
    if minor < 1 or major > min(shape):
        raise InputError(
            f"the beam does not fit {name}",
            got=got,
            expected="a FWHM of more than one pixel and less than the map",
            next_step="give the right one in arcseconds: --beam MAJOR,MINOR,PA",
        )
    return [f"the beam is sampled by {minor:.2g} pixels only: fluxes are less sure"] if minor < 2 else []


def _frequency(header: Any) -> float | None:
    for number in range(1, int(header.get("NAXIS", 0)) + 3):
        if str(header.get(f"CTYPE{number}", "")).upper().startswith("FREQ"):
            value = header.get(f"CRVAL{number}")
            return float(value) if value else None
    value = header.get("RESTFRQ") or header.get("RESTFREQ") or header.get("FREQ")
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _refuse_truncated(said: list[warnings.WarningMessage]) -> None:
    """Astropy only warns of a file that is too short."""
    for warning in said:
        if "truncated" in str(warning.message):
            raise OSError("a file that is cut short")
