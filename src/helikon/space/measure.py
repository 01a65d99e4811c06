"""Measure sources: positions, flux densities, sizes and their errors.

A source that is one compact piece is measured by its Gaussian; any other by
the pixels of its mask (islands, with half a beam around them).
"""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from helikon.space.background import Background
from helikon.space.compact import CompactFits, fit_pieces
from helikon.space.detect import Pieces
from helikon.space.extended import largest_extent, measure_mask, polygons
from helikon.space.fits import RadioMap
from helikon.space.names import iau_names, stc_outline
from helikon.space.sky import SkyEllipses, beam_form, icrs, sky_axes, sky_ellipses
from helikon.space.uncertainty import gaussian_errors

__all__ = ["SourceMasks", "fit_map", "measure_sources"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SourceMasks:
    """Which pixels belong to which source.

    Attributes
    ----------
    labels : ndarray of int32, shape (ny, nx)
        Source number from 1, 0 elsewhere.
    pieces : list of ndarray of int
        Pieces (from 0) of each source.
    slices : list of tuple of slice
        Bounding boxes.
    """

    labels: npt.NDArray[np.int32]
    pieces: list[npt.NDArray[np.int64]]
    slices: list[tuple[slice, slice]]

    @classmethod
    def of(cls, pieces: Pieces, source_of_piece: npt.NDArray[np.int64]) -> "SourceMasks":
        """Join pieces to sources; ``source_of_piece`` counts from 0 without gaps."""
        table = np.concatenate([[0], source_of_piece + 1]).astype(np.int32)
        labels = table[pieces.labels]
        order = np.argsort(source_of_piece, kind="stable")
        counts = np.bincount(source_of_piece) if len(source_of_piece) else np.empty(0, dtype=np.int64)
        members = np.split(order, np.cumsum(counts)[:-1]) if len(counts) else []
        return cls(labels=labels, pieces=members, slices=ndimage.find_objects(labels))


def fit_map(radio_map: RadioMap, background: Background, pieces: Pieces) -> CompactFits:
    """Fit Gaussians to all pieces of a map."""
    data = radio_map.data - background.level
    return fit_pieces(data, background.rms, pieces, beam_form(radio_map), radio_map.beam_fwhm_pixels)


def measure_sources(
    radio_map: RadioMap, background: Background, pieces: Pieces, fits: CompactFits, masks: SourceMasks
) -> dict[str, Any]:
    """Measure every source.

    Returns
    -------
    dict of str to array
        The columns of the catalogue except ``id`` and those of the class, in
        the units of ``catalogue.COLUMNS``.
    """
    raw = _measure_pixels(radio_map, background, pieces, fits, masks)
    forms = np.array([row.form for row in raw]).reshape(-1, 3)
    x, y, peak, flux = (
        np.array([getattr(row, key) for row in raw], dtype=float) for key in ("x", "y", "peak", "flux")
    )
    axes = sky_axes(radio_map.wcs, x, y) if len(raw) else np.empty((0, 2, 2))
    ellipses = sky_ellipses(forms, axes)
    deconvolved = _deconvolve(forms, np.array(beam_form(radio_map)), axes)
    rms = np.array([row.rms for row in raw])
    errors = gaussian_errors(
        peak / rms, ellipses.major, ellipses.minor, ellipses.angle, radio_map.beam.fwhm_arcsec
    )
    summed_error = rms * np.sqrt(np.array([row.n_summed for row in raw]) / radio_map.beam_area_pixels)
    is_sum = np.array([row.n_summed > 0 for row in raw], dtype=bool)
    is_point = np.array([row.is_point for row in raw], dtype=bool)
    flux_error = np.where(is_point, rms, flux * errors.flux)
    ra, dec = icrs(radio_map.wcs, x, y)
    return {
        "name": iau_names(ra, dec),
        "ra": ra,
        "dec": dec,
        "ra_err": errors.ra,
        "dec_err": errors.dec,
        "x": x,
        "y": y,
        "peak_flux": peak,
        "peak_flux_err": np.where(is_sum | is_point, rms, peak * errors.peak),
        "int_flux": flux,
        "int_flux_err": np.where(is_sum, summed_error, flux_error),
        "local_rms": rms,
        "background": [row.level for row in raw],
        "snr": [row.snr for row in raw],
        "major": ellipses.major,
        "major_err": ellipses.major * errors.major,
        "minor": ellipses.minor,
        "minor_err": ellipses.minor * errors.minor,
        "pa": ellipses.angle,
        "pa_err": errors.angle,
        "deconv_major": deconvolved.major,
        "deconv_minor": deconvolved.minor,
        "deconv_pa": deconvolved.angle,
        "las": [row.las * radio_map.pixel_arcsec for row in raw],
        "n_islands": [row.n_islands for row in raw],
        "n_pixels": [row.n_pixels for row in raw],
        "flags": [row.flags for row in raw],
        "outline": [stc_outline(radio_map.wcs, row.polygons) for row in raw],
    }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One source in pixels; ``n_summed`` is 0 for a Gaussian."""

    peak: float
    flux: float
    x: float
    y: float
    form: tuple[float, float, float]
    n_summed: int
    is_point: bool
    rms: float
    level: float
    snr: float
    las: float
    n_islands: int
    n_pixels: int
    flags: str
    polygons: list[Double]


def _measure_pixels(
    radio_map: RadioMap, background: Background, pieces: Pieces, fits: CompactFits, masks: SourceMasks
) -> list[_Row]:
    data = radio_map.data - background.level
    borders = _borders(radio_map.data)
    shared = _shared_islands(pieces, masks)
    pad = int(np.ceil(radio_map.beam_fwhm_pixels))
    rows = []
    for number, (members, box) in enumerate(zip(masks.pieces, masks.slices, strict=True), start=1):
        wide = _widened(box, pad, data.shape)
        labels = masks.labels[wide]
        mask = labels == number
        best = members[np.argmax(_significance(data, background, pieces, members))]
        at = pieces.y[best], pieces.x[best]
        is_gaussian = len(members) == 1 and bool(fits.good[best])
        core = (
            _of_gaussian(fits, int(best))
            if is_gaussian
            else _of_mask(radio_map, data[wide], mask, labels, (wide[1].start, wide[0].start))
        )
        flags = [
            word
            for word, is_so in (("edge", borders[wide][mask].any()), ("blended", shared[members].any()))
            if is_so
        ]
        y, x = np.nonzero(mask)
        rows.append(
            _Row(
                **core,
                rms=float(background.rms[at]),
                level=float(background.level[at]),
                snr=float(data[at] / background.rms[at]),
                las=largest_extent(x, y),
                n_islands=len(np.unique(pieces.island[members])),
                n_pixels=int(mask.sum()),
                flags=" ".join(flags),
                polygons=[np.add(polygon, (wide[1].start, wide[0].start)) for polygon in polygons(mask)],
            )
        )
    return rows


def _significance(
    data: Float, background: Background, pieces: Pieces, members: npt.NDArray[np.int64]
) -> Float:
    y, x = pieces.y[members], pieces.x[members]
    return np.asarray(data[y, x] / background.rms[y, x])


def _of_gaussian(fits: CompactFits, piece: int) -> dict[str, Any]:
    peak, x, y, a, b, c = (float(value) for value in fits.parameters[piece])
    return {
        "peak": peak,
        "flux": peak * float(fits.area_ratio[piece]),
        "x": x,
        "y": y,
        "form": (a, b, c),
        "n_summed": 0,
        "is_point": not fits.resolved[piece],
    }


def _of_mask(
    radio_map: RadioMap, data: Float, mask: Bool, labels: npt.NDArray[np.int32], corner: tuple[int, int]
) -> dict[str, Any]:
    found = measure_mask(
        data, mask, (labels > 0) & ~mask, radio_map.beam_area_pixels, radio_map.beam_fwhm_pixels
    )
    return {
        "peak": found.peak,
        "flux": found.flux,
        "x": found.x + corner[0],
        "y": found.y + corner[1],
        "form": found.form,
        "n_summed": found.n_summed,
        "is_point": False,
    }


def _borders(data: Float) -> Bool:
    """Pixels at the map's border or beside a blank."""
    blank = np.pad(~np.isfinite(data), 1, constant_values=True)
    return np.asarray(ndimage.binary_dilation(blank, structure=np.ones((3, 3)))[1:-1, 1:-1])


def _shared_islands(pieces: Pieces, masks: SourceMasks) -> Bool:
    """Say of each piece whether its island belongs to several sources."""
    pairs = {(int(pieces.island[p]), number) for number, members in enumerate(masks.pieces) for p in members}
    n_sources = np.bincount([island for island, _ in pairs], minlength=int(pieces.island.max(initial=0)) + 1)
    return np.asarray(n_sources[pieces.island] > 1)


def _widened(box: tuple[slice, slice], pad: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    rows, columns = (
        slice(max(0, side.start - pad), min(length, side.stop + pad))
        for side, length in zip(box, shape, strict=True)
    )
    return rows, columns


def _deconvolve(forms: Double, beam: Double, axes: Double) -> SkyEllipses:
    """Subtract the beam's covariance; an axis that is not wider than the beam's is 0."""
    excess = _covariances(forms) - _covariances(beam[None])
    on_sky = axes @ excess @ axes.transpose(0, 2, 1)
    values, vectors = np.linalg.eigh(on_sky)
    widths = np.sqrt(8 * np.log(2) * np.clip(values, 0, None))
    widths[values < 1e-6 * np.abs(axes[:, :1, 0]) ** 2] = 0
    angle = np.degrees(np.arctan2(vectors[:, 0, 1], vectors[:, 1, 1]))
    return SkyEllipses(
        major=widths[:, 1], minor=widths[:, 0], angle=np.where(widths[:, 1] > 0, np.mod(angle, 180), 0.0)
    )


def _covariances(forms: Double) -> Double:
    a, b, c = forms.T
    return np.asarray((np.array([[c, -b], [-b, a]]) / (a * c - b**2)).transpose(2, 0, 1))
