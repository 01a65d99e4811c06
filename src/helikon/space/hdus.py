"""Which image of a FITS file is the map."""

import dataclasses
import re
from typing import Any

from helikon.errors import InputError
from helikon.space.beam import Beam, header_beam

__all__ = ["ChosenImage", "choose_image"]

_LONGITUDE = re.compile(r"(RA|[A-Z]{1,2}LO?N)-+[A-Z]{3}")
_LATITUDE = re.compile(r"(DEC|[A-Z]{1,2}LA?T)-+[A-Z]{3}")
"""Names of axes of the sky with their projection, as ``DEC--SIN``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChosenImage:
    """The HDU that holds the map.

    Attributes
    ----------
    hdu : astropy HDU
        Its pixels are read through ``section``.
    number : int
        Of the HDU, from 0.
    shape : tuple of int
        (ny, nx).
    axes : tuple of int
        Which FITS axes are x and y, from 0; all others are one pixel long.
    table_beam : Beam or None
        From CASA's BEAMS table, where there is one.
    notes : tuple of str
        What was passed over.
    """

    hdu: Any
    number: int
    shape: tuple[int, int]
    axes: tuple[int, int]
    table_beam: Beam | None
    notes: tuple[str, ...]

    @property
    def types(self) -> tuple[str, str]:
        """What the header says x and y are (CTYPE)."""
        x, y = (str(self.hdu.header.get(f"CTYPE{axis + 1}", "nothing")) for axis in self.axes)
        return x, y

    @property
    def of_the_sky(self) -> bool:
        """Whether x is called a longitude and y a latitude."""
        return bool(_LONGITUDE.match(self.types[0]) and _LATITUDE.match(self.types[1]))


def choose_image(hdus: Any, name: str) -> ChosenImage:
    """Choose the first image of the sky with exactly two axes longer than one; if there is none, of anything.

    Raises
    ------
    InputError
        If there is no image: says what there is.
    """
    images = [(number, hdu) for number, hdu in enumerate(hdus) if hdu.is_image and hdu.shape]
    number, hdu = _best(images, name)
    along_x, along_y = _long_axes(hdu)
    notes = []
    if len(images) > 1:
        notes.append(f"{len(images)} images in the file: HDU {number} was read")
    if len(hdu.shape) > 2:
        notes.append(f"{len(hdu.shape) - 2} axes of length one were dropped")
    return ChosenImage(
        hdu=hdu,
        number=number,
        shape=(hdu.shape[-1 - along_y], hdu.shape[-1 - along_x]),
        axes=(along_x, along_y),
        table_beam=_table_beam(hdus),
        notes=tuple(notes),
    )


def _best(images: list[tuple[int, Any]], name: str) -> tuple[int, Any]:
    """Return the first image whose long axes are those of the sky; if none has a sky, the first flat one."""
    flat = [(number, hdu) for number, hdu in images if len(_long_axes(hdu)) == 2]
    for number, hdu in flat:
        if _long_axes(hdu) == _sky_axes(hdu):
            return number, hdu
    of_the_sky = [hdu for _, hdu in images if len(_sky_axes(hdu)) == 2]
    if of_the_sky or not flat:
        raise _refusal(name, [*of_the_sky, *(hdu for _, hdu in images)])
    return flat[0]


def _long_axes(hdu: Any) -> list[int]:
    """Return which FITS axes, from 0, are longer than one pixel."""
    return [axis for axis, n in enumerate(reversed(hdu.shape)) if n > 1]


def _sky_axes(hdu: Any) -> list[int]:
    """Return which FITS axes, from 0, are longitude and latitude."""
    names = [str(hdu.header.get(f"CTYPE{axis + 1}", "")).upper() for axis in range(len(hdu.shape))]
    return [axis for axis, name in enumerate(names) if _LONGITUDE.match(name) or _LATITUDE.match(name)]


def _refusal(name: str, images: list[Any]) -> InputError:
    if not images:
        return InputError(f"{name} holds no image", expected="a two-dimensional image")
    image = images[0]
    shape = " x ".join(map(str, reversed(image.shape)))
    if len(_long_axes(image)) > 2:
        return InputError(
            f"{name} is a cube",
            got=f"axes of {shape} pixels",
            expected="one image; further axes (Stokes, frequency) of length one",
            next_step="cut out one plane",
        )
    sky = ", ".join(f"{image.header[f'CTYPE{axis + 1}']} is axis {axis + 1}" for axis in _sky_axes(image))
    return InputError(
        f"{name} holds no two-dimensional image",
        got=f"axes of {shape} pixels{f' ({sky})' if sky else ''}",
        expected="longitude and latitude longer than one pixel, all other axes of length one",
    )


def _table_beam(hdus: Any) -> Beam | None:
    for hdu in hdus:
        if hdu.name != "BEAMS" or hdu.is_image or len(hdu.data) == 0:
            continue
        units = {column.name: column.unit or "arcsec" for column in hdu.columns}
        scale = 1.0 if units.get("BMAJ", "").startswith("deg") else 1 / 3600
        row = hdu.data[0]
        return header_beam({"BMAJ": row["BMAJ"] * scale, "BMIN": row["BMIN"] * scale, "BPA": row["BPA"]})
    return None
