"""Where the shapes of a region file are, and what they cover."""

import dataclasses
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from helikon.errors import InputError
from helikon.space.catalogues.places import Outline, Places

__all__ = ["places_of_shapes"]

CORNERS = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
"""Of a box of unit sides."""
_ROUND = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack([np.cos(_ROUND), np.sin(_ROUND)], axis=1) / 2


def places_of_shapes(shapes: list[Any], name: str) -> Places:
    """Return where shapes of the package ``regions`` are; ``name`` is that of their file.

    Raises
    ------
    InputError
        If some are on the sky and some in pixels.
    """
    on_sky = {_is_sky(shape) for shape in shapes}
    if len(on_sky) > 1:
        raise InputError(
            f"{name} has shapes on the sky and in pixels",
            expected="one kind of coordinates",
            next_step="save the regions from DS9 in one frame",
        )
    places = [_place(shape) for shape in shapes]
    x, y, major, minor, angle = (np.array([place[i] for place in places], dtype=float) for i in range(5))
    in_pixels = on_sky == {False}
    return dataclasses.replace(
        Places.at(x, y, in_pixels=in_pixels),
        major=major,
        minor=minor,
        angle=angle,
        outlines=tuple(_outline(shape) for shape in shapes),
        outlines_in_pixels=in_pixels,
    )


def _is_sky(shape: Any) -> bool:
    return type(shape).__name__.endswith("SkyRegion")


def _place(shape: Any) -> tuple[float, float, float, float, float]:
    """Position, and for ellipses and circles on the sky the axes, which DS9 has as halves of widths."""
    nan = float("nan")
    if hasattr(shape, "vertices"):
        x, y = _middle(shape.vertices)
    elif _is_sky(shape):
        centre = shape.center.icrs
        x, y = float(centre.ra.deg), float(centre.dec.deg)
    else:
        x, y = float(shape.center.x), float(shape.center.y)
    if _is_sky(shape) and hasattr(shape, "radius"):
        width = 2 * float(shape.radius.to_value("arcsec"))
        return x, y, width, width, 0.0
    if type(shape).__name__ == "EllipseSkyRegion":
        width, height = (float(side.to_value("arcsec")) for side in (shape.width, shape.height))
        angle = float(shape.angle.to_value("deg")) - 90
        return x, y, max(width, height), min(width, height), angle if width >= height else angle + 90
    return x, y, nan, nan, nan


def _middle(vertices: Any) -> tuple[float, float]:
    if isinstance(vertices, SkyCoord):
        unit = vertices.icrs.cartesian.mean()
        centre = SkyCoord(unit, frame="icrs", representation_type="cartesian").spherical
        return float(centre.lon.deg), float(centre.lat.deg)
    return float(np.mean(vertices.x)), float(np.mean(vertices.y))


def _outline(shape: Any) -> Outline:
    if hasattr(shape, "vertices"):
        corners = shape.vertices
        if isinstance(corners, SkyCoord):
            return (np.stack([corners.icrs.ra.deg, corners.icrs.dec.deg], axis=1),)
        return (np.stack([np.asarray(corners.x, float), np.asarray(corners.y, float)], axis=1),)
    if _is_sky(shape):
        return _sky_box(shape) if type(shape).__name__ == "RectangleSkyRegion" else ()
    return _pixel_outline(shape)


def _sky_box(shape: Any) -> Outline:
    sides = np.array([side.to_value("deg") for side in (shape.width, shape.height)])
    west, north = _turned(CORNERS * sides, float(shape.angle.to_value("rad"))).T
    corners = shape.center.icrs.spherical_offsets_by(-west * u.deg, north * u.deg)
    return (np.stack([corners.ra.deg, corners.dec.deg], axis=1),)


def _pixel_outline(shape: Any) -> Outline:
    if hasattr(shape, "radius"):
        sides, unit = np.array([2 * shape.radius] * 2), _CIRCLE
    elif hasattr(shape, "width"):
        sides = np.array([shape.width, shape.height])
        unit = CORNERS if type(shape).__name__.startswith("Rectangle") else _CIRCLE
    else:
        return ()
    angle = float(shape.angle.to_value("rad")) if hasattr(shape, "angle") else 0.0
    return (_turned(unit * sides, angle) + np.array([shape.center.x, shape.center.y]),)


def _turned(points: Any, angle: float) -> Any:
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    return points @ turn
