"""Which image of a FITS file is the map."""

import dataclasses
from typing import Any

from helikon.errors import InputError
from helikon.space.beam import Beam, header_beam

__all__ = ["ChosenImage", "choose_image"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChosenImage:
    """The HDU that holds the map.

    Attributes
    ----------
    hdu : astropy HDU
        Its pixels are read through ``section``.
    shape : tuple of int
        (ny, nx).
    axes : tuple of int
        Which FITS axes are x and y, from 0.
    table_beam : Beam or None
        From CASA's BEAMS table, where there is one.
    notes : tuple of str
        What was passed over.
    """

    hdu: Any
    shape: tuple[int, int]
    axes: tuple[int, int]
    table_beam: Beam | None
    notes: tuple[str, ...]


def choose_image(hdus: Any, name: str) -> ChosenImage:
    """Choose the first image with exactly two axes longer than one.

    Raises
    ------
    InputError
        If there is none: says what there is.
    """
    images = [
        (number, hdu, tuple(hdu.shape)) for number, hdu in enumerate(hdus) if hdu.is_image and hdu.shape
    ]
    flat = [(number, hdu, shape) for number, hdu, shape in images if _is_flat(shape)]
    if not flat:
        raise _refusal(name, [shape for _, _, shape in images])
    number, hdu, shape = flat[0]
    notes = []
    if len(images) > 1:
        notes.append(f"{len(images)} images in the file: HDU {number} was read")
    if len(shape) > 2:
        notes.append(f"{len(shape) - 2} axes of length one were dropped")
    return ChosenImage(
        hdu=hdu, shape=(shape[-2], shape[-1]), axes=(0, 1), table_beam=_table_beam(hdus), notes=tuple(notes)
    )


def _is_flat(shape: tuple[int, ...]) -> bool:
    return len(shape) >= 2 and all(n == 1 for n in shape[:-2]) and min(shape[-2:]) > 1


def _refusal(name: str, shapes: list[tuple[int, ...]]) -> InputError:
    if not shapes:
        return InputError(f"{name} holds no image", expected="a two-dimensional image")
    shape = " x ".join(map(str, reversed(shapes[0])))
    what = "is a cube" if sum(n > 1 for n in shapes[0]) > 2 else "holds no two-dimensional image"
    return InputError(
        f"{name} {what}",
        got=f"axes of {shape} pixels",
        expected="one image; further axes (Stokes, frequency) of length one",
        next_step="cut out one plane" if "cube" in what else None,
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
