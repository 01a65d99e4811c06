"""Entries of a catalogue on the pixels of a map."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord
from skimage.draw import polygon as filled_polygon

from helikon.errors import InputError
from helikon.space.catalogues.places import Outline, Places
from helikon.space.fits import MapFile
from helikon.space.measures.gaussians import form_of_ellipse
from helikon.space.sky import sky_axes

__all__ = ["Located", "locate"]

Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

HALF_MAXIMUM = 2 * math.log(2)
"""Value of a form (see ``gaussians``) on the ellipse whose axes are its FWHM."""
LARGEST_BEAMS = 60
"""An ellipse of more beams than this is taken for a mistake and not for a shape."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Entries on the pixels of a map, its first pixel at 0.

    Attributes
    ----------
    x, y : ndarray, shape (n,)
        NaN where there is no position.
    on_map : ndarray of bool, shape (n,)
        The position is on the map, or less than a beam off: a fit may do that at the border.
    forms : ndarray, shape (n, 3)
        Ellipses as forms (see ``gaussians``); that of the beam where the
        catalogue tells no shape.
    outlines : tuple of Outline
        Polygons in pixels; empty where the catalogue tells none.
    """

    x: Double
    y: Double
    on_map: Bool
    forms: Double
    outlines: tuple[Outline, ...]

    def footprint(self, entry: int, corner: tuple[int, int], shape: tuple[int, int]) -> tuple[Int, Int]:
        """Return rows and columns that an entry covers in a window with this first (x, y) pixel."""
        parts = [_filled(points - np.array(corner), shape) for points in self.outlines[entry]]
        if not parts:
            centre = self.x[entry] - corner[0], self.y[entry] - corner[1]
            parts = [_ellipse(centre, self.forms[entry], shape)]
        rows, columns = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        return rows, columns


def locate(places: Places, file: MapFile, beam_form: tuple[float, float, float]) -> Located:
    """Put the entries of a catalogue on a map.

    Parameters
    ----------
    places : Places
    file : MapFile
    beam_form : tuple of float
        a, b, c of the beam in pixels.

    Raises
    ------
    InputError
        If there are entries and none is on the map; names both regions.
    """
    x, y = (places.x.copy(), places.y.copy()) if places.in_pixels else _to_pixels(places.x, places.y, file)
    on_map = _on_map(x, y, file)
    if len(places) and not on_map.any():
        raise InputError(
            f"no entry of the catalogue is on {file.name}",
            got=f"entries at {_region(places)}",
            expected=f"a part of {_map_region(file)}",
            next_step="is it the catalogue of another map, or in another frame (--frame)?",
        )
    return Located(
        x=x,
        y=y,
        on_map=on_map,
        forms=_forms(places, x, y, on_map, file, beam_form),
        outlines=_outlines(places, x, y, file),
    )


def _on_map(x: Double, y: Double, file: MapFile) -> Bool:
    """Say which positions are on a pixel; moves those onto it that are less than a beam off the border."""
    margin = file.beam.fwhm_arcsec / file.pixel_arcsec
    near = np.ones(len(x), dtype=bool)
    with np.errstate(invalid="ignore"):
        for values, length in ((x, file.shape[1]), (y, file.shape[0])):
            near &= (values > -margin) & (values < length - 1 + margin)
        for values, length in ((x, file.shape[1]), (y, file.shape[0])):
            values[near] = np.clip(values[near], 0, length - 1)
    return near


def _to_pixels(ra: Double, dec: Double, file: MapFile) -> tuple[Double, Double]:
    """Project what is nearer to the map's centre than its diagonal; NaN for all else."""
    x, y = np.full(len(ra), np.nan), np.full(len(ra), np.nan)
    usable = np.isfinite(ra) & np.isfinite(dec)
    centre, radius = _circle(file)
    position = SkyCoord(ra[usable], dec[usable], unit="deg")
    near = np.flatnonzero(usable)[position.separation(centre).deg < radius]
    if len(near):
        x[near], y[near] = file.wcs.world_to_pixel(SkyCoord(ra[near], dec[near], unit="deg"))
    return x, y


def _circle(file: MapFile) -> tuple[SkyCoord, float]:
    ny, nx = file.shape
    centre = file.wcs.pixel_to_world((nx - 1) / 2, (ny - 1) / 2).icrs
    return centre, min(90.0, math.hypot(nx, ny) * file.pixel_arcsec / 3600)


def _forms(
    places: Places, x: Double, y: Double, on_map: Bool, file: MapFile, beam: tuple[float, float, float]
) -> Double:
    forms = np.tile(np.array(beam), (len(places), 1))
    with np.errstate(invalid="ignore"):
        told = on_map & (places.major > 0) & (places.major < LARGEST_BEAMS * file.beam.fwhm_arcsec)
    rows = np.flatnonzero(told)
    if len(rows):
        axes = sky_axes(file.wcs, x[rows], y[rows])
        for row, matrix in zip(rows, axes, strict=True):
            sky = form_of_ellipse(places.major[row], places.minor[row], math.radians(90 - places.angle[row]))
            turned = matrix.T @ np.array([[sky[0], sky[1]], [sky[1], sky[2]]]) @ matrix
            forms[row] = turned[0, 0], turned[0, 1], turned[1, 1]
    return forms


def _outlines(places: Places, x: Double, y: Double, file: MapFile) -> tuple[Outline, ...]:
    """Outlines in pixels; those that are nowhere near their entry belong to another map and are left out."""
    if not places.outlines:
        return ((),) * len(places)
    result: list[Outline] = []
    margin = 2 * file.beam.major_arcsec / file.pixel_arcsec
    for entry, outline in enumerate(places.outlines):
        pixels = outline
        if not places.outlines_in_pixels:
            pixels = tuple(
                np.stack(_to_pixels(points[:, 0], points[:, 1], file), axis=1) for points in outline
            )
        pixels = tuple(points for points in pixels if np.isfinite(points).all())
        result.append(pixels if _holds(pixels, x[entry], y[entry], margin) else ())
    return tuple(result)


def _holds(outline: Outline, x: float, y: float, margin: float) -> bool:
    if not outline or not math.isfinite(x + y):
        return False
    points = np.concatenate(outline)
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    return bool(low[0] <= x <= high[0] and low[1] <= y <= high[1])


def _filled(points: Double, shape: tuple[int, int]) -> tuple[Int, Int]:
    rows, columns = filled_polygon(points[:, 1], points[:, 0], shape)
    return np.asarray(rows, dtype=np.int64), np.asarray(columns, dtype=np.int64)


def _ellipse(centre: tuple[float, float], form: Double, shape: tuple[int, int]) -> tuple[Int, Int]:
    """Pixels within the FWHM ellipse; at least the one at its centre."""
    a, b, c = form
    determinant = a * c - b * b
    half_x, half_y = (math.sqrt(HALF_MAXIMUM * side / determinant) for side in (c, a))
    columns = np.arange(
        max(0, math.floor(centre[0] - half_x)), min(shape[1], math.ceil(centre[0] + half_x) + 1)
    )
    rows = np.arange(max(0, math.floor(centre[1] - half_y)), min(shape[0], math.ceil(centre[1] + half_y) + 1))
    dx, dy = columns[None, :] - centre[0], rows[:, None] - centre[1]
    inside = a * dx**2 + 2 * b * dx * dy + c * dy**2 <= HALF_MAXIMUM
    inside |= (np.abs(dx) <= 0.5) & (np.abs(dy) <= 0.5)
    found_y, found_x = np.nonzero(inside)
    return rows[found_y].astype(np.int64), columns[found_x].astype(np.int64)


def _region(places: Places) -> str:
    known = np.isfinite(places.x)
    if not known.any():
        return "no position"
    ranges = [f"{np.min(v[known]):.4f} to {np.max(v[known]):.4f}" for v in (places.x, places.y)]
    names = ("x", "y") if places.in_pixels else ("ra", "dec")
    unit = "" if places.in_pixels else " deg"
    return " and ".join(f"{name} {text}{unit}" for name, text in zip(names, ranges, strict=True))


def _map_region(file: MapFile) -> str:
    centre, radius = _circle(file)
    return (
        f"{file.shape[1]} by {file.shape[0]} pixels around ra {centre.ra.deg:.4f} "
        f"dec {centre.dec.deg:+.4f} deg, {radius / math.sqrt(2):.3g} deg wide"
    )
