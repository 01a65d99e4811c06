"""Radio maps from FITS files: read rightly or refused in one line.

:func:`read_map` reads a whole map; :class:`MapFile` reads windows of one, so
that a task can work on a tile without holding the rest.
"""

import contextlib
import gzip
import math
import os
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import astropy.wcs
import numpy as np
import numpy.typing as npt
from astropy.io import fits

from helikon.errors import HelikonError, InputError
from helikon.space.beam import Beam, header_beam
from helikon.space.hdus import choose_image
from helikon.space.maps import MapFile, RadioMap, quiet
from helikon.space.units import to_jy_per_beam

__all__ = ["Beam", "MapFile", "RadioMap", "map_hdu", "open_map", "read_map", "write_map"]


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
    try:
        with quiet() as said, fits.open(path, mode="readonly", lazy_load_hdus=False) as hdus:
            _refuse_truncated(said)
            yield _describe(hdus, name or path.name, beam)
    except HelikonError:
        raise
    except (OSError, EOFError, ValueError, TypeError, KeyError, zlib.error, gzip.BadGzipFile,
            fits.VerifyError, RuntimeError) as error:  # fmt: skip
        raise InputError(
            f"{name or path.name} cannot be read as FITS",
            got=_reason(path, error),
            expected="a whole FITS file with an image",
        ) from error


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
    wcs = _celestial(header, chosen.axes, name)
    scales = astropy.wcs.utils.proj_plane_pixel_scales(wcs) * 3600
    pixel = float(math.sqrt(scales[0] * scales[1]))
    _check_pixels(scales, name)
    history = map(str, header.get("HISTORY", ()))
    used = beam or header_beam(header, history) or chosen.table_beam
    if used is None:
        raise InputError(
            f"{name} does not name its beam",
            expected="BMAJ, BMIN, BPA in the header",
            next_step="give it in arcseconds: --beam FWHM or --beam MAJOR,MINOR,PA",
        )
    notes = [*chosen.notes, *_check_beam(used, pixel, chosen.shape, name)]
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
        leading=(0,) * (len(chosen.hdu.shape) - 2),
        factor=factor,
        fills_are_blank=int(header.get("BITPIX", -32)) < 0 and not isinstance(chosen.hdu, fits.CompImageHDU),
    )


def _celestial(header: Any, axes: tuple[int, int], name: str) -> Any:
    try:
        with quiet():
            whole = astropy.wcs.WCS(header)
            wcs = whole.sub([axis + 1 for axis in axes])
            if wcs.has_celestial and wcs.wcs.lng == 0:
                astropy.wcs.utils.wcs_to_celestial_frame(wcs)
                return wcs
    except (ValueError, astropy.wcs.WcsError):
        pass
    types = [header.get(f"CTYPE{axis + 1}", "nothing") for axis in axes]
    raise InputError(
        f"{name} has no celestial coordinates",
        got=f"CTYPE {types[0]!r} and {types[1]!r}",
        expected="longitude and latitude on axes 1 and 2, as RA---SIN and DEC--SIN",
    )


def _check_pixels(scales: npt.NDArray[np.float64], name: str) -> None:
    if not np.all(np.isfinite(scales)) or abs(scales[0] / scales[1] - 1) > 0.02:
        got = f"{scales[0]:.4g} by {scales[1]:.4g} arcsec"
        raise InputError(f"{name} has pixels that are not square", got=got, expected="square pixels")


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


def _reason(path: Path, error: Exception) -> str:
    if path.stat().st_size == 0:
        return "an empty file"
    text = " ".join(str(error).split())
    if "SIMPLE" in text:
        return "no FITS header"
    return text[:120].rstrip(" .,") or type(error).__name__


def _refuse_truncated(said: list[warnings.WarningMessage]) -> None:
    """Astropy only warns of a file that is too short."""
    for warning in said:
        if "truncated" in str(warning.message):
            raise OSError("a file that is cut short")
