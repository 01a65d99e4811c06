"""Measure sources: positions, flux densities, sizes and their errors.

A source that is one compact piece is measured by its Gaussian, a wide one of
them also by the pixels of its mask (islands, with what is around them); any
other by its pixels alone, and it is described by Gaussians besides
(``components.py``).
"""

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.space.background import Background
from helikon.space.detect import Pieces, peak_heights
from helikon.space.fits import RadioMap
from helikon.space.measures.compact import CompactFits, fit_pieces
from helikon.space.measures.components import Components, component_rows, find_components
from helikon.space.measures.correlated import white_share
from helikon.space.measures.extended import MaskMeasure, measure_masks
from helikon.space.measures.footprints import (
    Footprints,
    SourceMasks,
    borders,
    largest_extents,
    shared_islands,
)
from helikon.space.measures.islands import island_rows
from helikon.space.measures.outlines import source_outlines, stc_texts
from helikon.space.measures.precision import errors_of_covariance, errors_of_sums
from helikon.space.measures.uncertainty import GaussianErrors, deconvolved_errors, gaussian_errors
from helikon.space.names import iau_names
from helikon.space.sky import SkyEllipses, beam_form, deconvolve, icrs, sky_axes, sky_ellipses

__all__ = ["SourceMasks", "fit_map", "measure_sources"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

POOR_CHI2 = 4.0
"""Reduced chi squared from which a compact source's fit is poor."""
RIM_SHARE = 0.5
"""Part of the flux density at the rim of a sum that may be missing beyond it, or somebody else's."""
USUAL_REST = 0.15
"""What wide sources usually have beyond their Gaussians, as a share: exponential discs have 0.14."""
POOR_SIGMA, POOR_SHARE = 6.0, 0.2
"""What the Gaussians of other sources leave where their fit is poor: in sigma and of the peak."""


def fit_map(
    radio_map: RadioMap,
    background: Background,
    pieces: Pieces,
    *,
    known: CompactFits | None = None,
    before: npt.NDArray[np.int64] | None = None,
) -> CompactFits:
    """Fit Gaussians to all pieces of a map.

    Parameters
    ----------
    known : CompactFits, optional
        Of other pieces of the same map; only islands that they do not know are fitted.
    before : ndarray of int, shape (n,), optional
        Row in ``known`` of each piece, -1 for those that are new.
    """
    data = radio_map.data - background.level
    form = beam_form(radio_map)
    white = white_share(background.significance(radio_map.data), form)
    fit = functools.partial(
        fit_pieces, data, background.rms, pieces, form, radio_map.beam_fwhm_pixels, white=white
    )
    if known is None or before is None:
        return fit()
    is_new = np.isin(pieces.island, pieces.island[before < 0])
    return known.renewed(fit(chosen=is_new, usual=known.usual), is_new, before)


def measure_sources(
    radio_map: RadioMap, background: Background, pieces: Pieces, fits: CompactFits, masks: SourceMasks
) -> dict[str, Any]:
    """Measure every source.

    Returns
    -------
    dict of str to array
        The columns of the catalogue except ``id`` and those of the class, in
        the units of ``catalogue.COLUMNS``; and ``components`` and ``islands``,
        for each source a text that ``catalogue.make_catalogue`` understands,
        so that they go where their source goes.
    """
    data = radio_map.data - background.level
    prints = Footprints.of(pieces, masks)
    best = _brightest_pieces(data, background, pieces, masks)
    alone = np.array([len(members) == 1 for members in masks.pieces], dtype=bool)
    is_gaussian = alone & fits.good[best]
    is_summed = ~is_gaussian | (fits.resolved[best] & ~shared_islands(pieces, masks))
    summed = measure_masks(
        data,
        masks,
        is_summed,
        beam_area_pixels=radio_map.beam_area_pixels,
        beam_fwhm_pixels=radio_map.beam_fwhm_pixels,
    )
    at = pieces.y[best], pieces.x[best]
    rms = background.rms[at].astype(np.float64)
    sums = dict(zip(np.flatnonzero(is_summed).tolist(), summed, strict=True))
    rows = _Rows.of(fits, best, is_gaussian, sums, rms)
    axes = sky_axes(radio_map.wcs, rows.x, rows.y)
    ellipses = sky_ellipses(rows.parameters[:, 3:], axes)
    errors = _errors(rows, ellipses, rms, axes, radio_map.beam.fwhm_arcsec)
    deconvolved = deconvolve(rows.parameters[:, 3:], np.array(beam_form(radio_map)), axes)
    ra, dec = icrs(radio_map.wcs, rows.x, rows.y)
    parts = find_components(data, background, pieces, fits, prints, radio_map)
    shapes = source_outlines(rows.parameters, rms, is_gaussian, masks, prints, radio_map.beam_fwhm_pixels)
    n_islands = np.bincount(prints.source_of_part, minlength=len(masks.pieces))
    return {
        "name": iau_names(ra, dec),
        "ra": ra,
        "dec": dec,
        "ra_err": errors.ra,
        "dec_err": errors.dec,
        "x": rows.x,
        "y": rows.y,
        "peak_flux": rows.parameters[:, 0],
        "peak_flux_err": np.abs(rows.parameters[:, 0]) * errors.peak,
        "int_flux": rows.flux,
        "int_flux_err": np.abs(rows.flux) * errors.flux,
        "local_rms": rms,
        "background": background.level[at],
        "snr": peak_heights(data, *at) / rms,
        "major": ellipses.major,
        "major_err": ellipses.major * errors.major,
        "minor": ellipses.minor,
        "minor_err": ellipses.minor * errors.minor,
        "pa": ellipses.angle,
        "pa_err": errors.angle,
        **_deconvolved(rows, ellipses, errors, deconvolved, radio_map.beam.fwhm_arcsec),
        "las": largest_extents(prints.x, prints.y, prints.source_starts) * radio_map.pixel_arcsec,
        "n_islands": n_islands,
        "n_components": np.bincount(parts.source, minlength=len(masks.pieces)),
        "n_pixels": np.diff(prints.source_starts),
        "flags": _flags(radio_map, pieces, masks, prints, _is_poor(fits, best, is_gaussian, parts)),
        "outline": stc_texts(radio_map.wcs, shapes),
        "components": component_rows(parts, radio_map, rows.x, rows.y),
        "islands": island_rows(data, background, prints, shapes, radio_map, rows.x, rows.y),
    }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """All sources in pixels.

    ``flux_error`` is that of a Gaussian's flux density, relative to it.
    ``scatter`` is the covariance of a centre of brightness and ``sum_error`` the error of a sum,
    both for a noise of 1, and ``rim`` what the sum has at its rim; they mean nothing
    for Gaussians.
    """

    parameters: Double
    covariance: Double
    flux: Double
    flux_error: Double
    largest_ratio: Double
    is_gaussian: Bool
    resolved: Bool
    scatter: Double
    sum_error: Double
    rim: Double

    @property
    def x(self) -> Double:
        return self.parameters[:, 1]

    @property
    def y(self) -> Double:
        return self.parameters[:, 2]

    @classmethod
    def of(
        cls,
        fits: CompactFits,
        best: npt.NDArray[np.intp],
        is_gaussian: Bool,
        sums: Mapping[int, MaskMeasure],
        rms: Double,
    ) -> "_Rows":
        parameters, n = fits.parameters[best].copy(), len(best)
        flux, flux_error = parameters[:, 0] * fits.area_ratio[best], fits.flux_error[best].copy()
        scatter, sum_error, rim = np.tile(np.eye(2), (n, 1, 1)), np.ones(n), np.zeros(n)
        for row, found in sums.items():
            if is_gaussian[row]:
                error = math.hypot(rms[row] * found.sum_error, RIM_SHARE * found.rim)
                flux[row], flux_error[row] = _with_rest(flux[row], flux_error[row], found.flux, error)
                continue
            parameters[row] = found.peak, found.x, found.y, *found.form
            flux[row], scatter[row] = found.flux, found.scatter
            sum_error[row], rim[row] = found.sum_error, found.rim
        return cls(
            parameters=parameters,
            covariance=fits.covariance[best],
            flux=flux,
            flux_error=flux_error,
            largest_ratio=fits.largest_ratio[best],
            is_gaussian=is_gaussian,
            resolved=fits.resolved[best] | ~is_gaussian,
            scatter=scatter,
            sum_error=sum_error,
            rim=rim,
        )


def _with_rest(flux: float, relative_error: float, total: float, error: float) -> tuple[float, float]:
    """Return a Gaussian's flux density with what the source has beyond it, and the relative error of both.

    What a sum has more or less is believed as far as it stands out of its
    error, against what sources usually have: the mean of a normal distribution
    of that prior. A faint source keeps the flux density of its Gaussian, and
    its error says what may be missing.
    """
    usual = USUAL_REST * flux
    trust = usual**2 / (usual**2 + error**2)
    whole = flux + trust * (total - flux)
    return whole, math.hypot((1 - trust) * relative_error * flux, math.sqrt(trust) * error) / whole


def _errors(rows: _Rows, ellipses: SkyEllipses, rms: Double, axes: Double, beam: float) -> GaussianErrors:
    """Of Gaussians by their covariance; of sums by the noise in as many beams."""
    snr = rows.parameters[:, 0] / rms
    sums = gaussian_errors(snr, ellipses.major, ellipses.minor, ellipses.angle, beam)
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = errors_of_sums(
            sums,
            rows.scatter * rms[:, None, None] ** 2,
            axes,
            peak=np.abs(1 / snr),
            flux=np.hypot(rms * rows.sum_error, RIM_SHARE * rows.rim) / np.abs(rows.flux),
        )
    fitted = errors_of_covariance(rows.parameters, rows.covariance, axes, flux=rows.flux_error)
    return GaussianErrors(
        **{
            field.name: np.where(rows.is_gaussian, getattr(fitted, field.name), getattr(sums, field.name))
            for field in dataclasses.fields(GaussianErrors)
        }
    )


def _deconvolved(
    rows: _Rows, ellipses: SkyEllipses, errors: GaussianErrors, deconvolved: SkyEllipses, beam: float
) -> dict[str, Double]:
    """Sizes less the beam; 0, and what they are below, where the source is not resolved."""
    major, minor = (np.where(rows.resolved, size, 0.0) for size in (deconvolved.major, deconvolved.minor))
    major_error = deconvolved_errors(ellipses.major, errors.major, major)
    limit = beam * np.sqrt(np.maximum(rows.largest_ratio - 1, 0))
    return {
        "deconv_major": major,
        "deconv_major_err": major_error,
        "deconv_minor": minor,
        "deconv_minor_err": deconvolved_errors(ellipses.minor, errors.minor, minor),
        "deconv_pa": np.where(major > 0, deconvolved.angle, 0.0),
        "deconv_major_max": np.where(major > 0, major + 3 * major_error, limit),
    }


def _brightest_pieces(
    data: Float, background: Background, pieces: Pieces, masks: SourceMasks
) -> npt.NDArray[np.intp]:
    """Return each source's piece of the highest significance."""
    y, x = pieces.y, pieces.x
    significance = data[y, x] / background.rms[y, x]
    return np.array([members[np.argmax(significance[members])] for members in masks.pieces], dtype=np.intp)


def _is_poor(fits: CompactFits, best: npt.NDArray[np.intp], is_gaussian: Bool, parts: Components) -> Bool:
    poor = np.zeros(len(best), dtype=bool)
    np.logical_or.at(poor, parts.source, parts.residual > np.maximum(POOR_SIGMA, POOR_SHARE * parts.snr))
    return np.where(is_gaussian, fits.chi2[best] > POOR_CHI2, poor)


def _flags(
    radio_map: RadioMap, pieces: Pieces, masks: SourceMasks, prints: Footprints, is_poor: Bool
) -> list[str]:
    at_edge = np.maximum.reduceat(borders(radio_map.data)[prints.y, prints.x], prints.source_starts[:-1])
    columns = {"edge": at_edge, "blended": shared_islands(pieces, masks), "poor_fit": is_poor}
    return [
        " ".join(word for word, is_so in zip(columns, row, strict=True) if is_so)
        for row in zip(*(column.tolist() for column in columns.values()), strict=True)
    ]
