"""The Gaussians of sources: one of a compact source, a few of any other, island by island."""

import dataclasses
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from helikon.space.background import Background
from helikon.space.blends import Island, fit_blend
from helikon.space.columns import COMPONENT_COLUMNS, packed_names
from helikon.space.detect import Pieces
from helikon.space.fits import RadioMap
from helikon.space.measures.compact import CompactFits
from helikon.space.measures.footprints import Footprints
from helikon.space.measures.precision import errors_of_covariance
from helikon.space.measures.uncertainty import GaussianErrors, deconvolved_errors, gaussian_errors
from helikon.space.sky import beam_form, deconvolve, icrs, sky_axes, sky_ellipses

__all__ = ["Components", "component_rows", "find_components"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Gaussians of all sources, ordered by source and island.

    Attributes
    ----------
    source, island : ndarray of int, shape (n,)
        Source from 0; island of the source from 1.
    parameters : ndarray, shape (n, 6)
        Peak (Jy/beam), x, y, a, b, c in pixels.
    covariance : ndarray, shape (n, 6, 6)
        Theirs; only of what is ``alone``.
    flux_error : ndarray, shape (n,)
        Relative error of the integrated flux density; only of what is ``alone``.
    alone : ndarray of bool, shape (n,)
        A compact piece's fit (``compact.py``), not one of an extended island's (``blends.py``).
    resolved : ndarray of bool, shape (n,)
    rms : ndarray, shape (n,)
        Noise at the peak.
    chi2 : ndarray, shape (n,)
        Of the fit.
    residual : ndarray, shape (n,)
        Largest that the fit leaves in the island, over the noise; 0 where ``alone``.
    """

    source: Int
    island: Int
    parameters: Double
    covariance: Double
    flux_error: Double
    alone: Bool
    resolved: Bool
    rms: Double
    chi2: Double
    residual: Double

    @property
    def snr(self) -> Double:
        """Peak over noise."""
        return np.asarray(self.parameters[:, 0] / self.rms)


def find_components(
    data: Float,
    background: Background,
    pieces: Pieces,
    fits: CompactFits,
    prints: Footprints,
    radio_map: RadioMap,
) -> Components:
    """Describe every part of every source by Gaussians.

    A part whose pieces are all compact has their fits; any other is fitted anew.

    Parameters
    ----------
    data : ndarray of float32, shape (ny, nx)
        Map less its background.
    """
    form, fwhm = beam_form(radio_map), radio_map.beam_fwhm_pixels
    first = np.searchsorted(prints.source_of_part, prints.source_of_part)
    islands = np.arange(len(prints.source_of_part)) - first + 1
    found: list[Components] = []
    for part, members in enumerate(prints.pieces_of_part):
        place = int(prints.source_of_part[part]), int(islands[part])
        if fits.good[members].all():
            found.append(_of_pieces(fits, members, background, pieces, place))
        else:
            found.append(_of_island(data, pieces.labels, background, prints, part, place, form, fwhm))
    joined = {
        field.name: np.concatenate([getattr(one, field.name) for one in found])
        for field in dataclasses.fields(Components)
    }
    return Components(**joined)


def component_rows(parts: Components, radio_map: RadioMap, x: Double, y: Double) -> list[str]:
    """Pack the components of each source into a text (see ``columns.packed_names``).

    Parameters
    ----------
    x, y : ndarray, shape (n_sources,)
        Of the sources: packed places are relative to them, so that a text
        holds wherever its source is put.
    """
    columns = _measured(parts, radio_map)
    columns["x"] = columns["x"] - x[parts.source]
    columns["y"] = columns["y"] - y[parts.source]
    rows = list(zip(*(columns[name].tolist() for name in packed_names(COMPONENT_COLUMNS)), strict=True))
    ends = np.searchsorted(parts.source, np.arange(len(x)), side="right").tolist()
    return [json.dumps(rows[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def _measured(parts: Components, radio_map: RadioMap) -> dict[str, Any]:
    x, y = parts.parameters[:, 1], parts.parameters[:, 2]
    axes = sky_axes(radio_map.wcs, x, y)
    ellipses = sky_ellipses(parts.parameters[:, 3:], axes)
    form = np.array(beam_form(radio_map))
    deconvolved = deconvolve(parts.parameters[:, 3:], form, axes)
    major, minor = (np.where(parts.resolved, size, 0.0) for size in (deconvolved.major, deconvolved.minor))
    errors = _errors(parts, axes, ellipses.major, ellipses.minor, ellipses.angle, radio_map.beam.fwhm_arcsec)
    a, b, c = parts.parameters[:, 3:].T
    area = np.sqrt((form[0] * form[2] - form[1] ** 2) / (a * c - b * b))
    peak = parts.parameters[:, 0]
    flux = peak * area
    ra, dec = icrs(radio_map.wcs, x, y)
    return {
        "island": parts.island,
        "ra": ra,
        "dec": dec,
        "ra_err": errors.ra,
        "dec_err": errors.dec,
        "x": x,
        "y": y,
        "peak_flux": peak,
        "peak_flux_err": peak * errors.peak,
        "int_flux": flux,
        "int_flux_err": flux * errors.flux,
        "local_rms": parts.rms,
        "major": ellipses.major,
        "major_err": ellipses.major * errors.major,
        "minor": ellipses.minor,
        "minor_err": ellipses.minor * errors.minor,
        "pa": ellipses.angle,
        "pa_err": errors.angle,
        "deconv_major": major,
        "deconv_major_err": deconvolved_errors(ellipses.major, errors.major, major),
        "deconv_minor": minor,
        "deconv_minor_err": deconvolved_errors(ellipses.minor, errors.minor, minor),
        "deconv_pa": np.where(major > 0, deconvolved.angle, 0.0),
        "chi2": parts.chi2,
    }


def _errors(
    parts: Components, axes: Double, major: Double, minor: Double, angle: Double, beam: float
) -> GaussianErrors:
    """Of compact pieces by their covariance, of others after Condon (1997)."""
    fitted = errors_of_covariance(parts.parameters, parts.covariance, axes, flux=parts.flux_error)
    others = gaussian_errors(parts.snr, major, minor, angle, beam)
    return GaussianErrors(
        **{
            field.name: np.where(parts.alone, getattr(fitted, field.name), getattr(others, field.name))
            for field in dataclasses.fields(GaussianErrors)
        }
    )


def _of_pieces(
    fits: CompactFits,
    members: Int,
    background: Background,
    pieces: Pieces,
    place: tuple[int, int],
) -> Components:
    order = members[np.argsort(-fits.parameters[members, 0], kind="stable")]
    n = len(order)
    return Components(
        source=np.full(n, place[0]),
        island=np.full(n, place[1]),
        parameters=fits.parameters[order],
        covariance=fits.covariance[order],
        flux_error=fits.flux_error[order],
        alone=np.ones(n, dtype=bool),
        resolved=fits.resolved[order],
        rms=background.rms[pieces.y[order], pieces.x[order]].astype(np.float64),
        chi2=fits.chi2[order],
        residual=np.zeros(n),
    )


def _of_island(
    data: Float,
    labels: npt.NDArray[np.int32],
    background: Background,
    prints: Footprints,
    part: int,
    place: tuple[int, int],
    form: tuple[float, float, float],
    fwhm: float,
) -> Components:
    pixels = slice(prints.part_starts[part], prints.part_starts[part + 1])
    x, y = prints.x[pixels], prints.y[pixels]
    blend = fit_blend(Island.cut(data, background.rms, labels, y, x, fwhm), form, fwhm)
    parameters, (ny, nx) = blend.parameters, data.shape
    n = len(parameters)
    at = (
        np.clip(np.rint(parameters[:, 2]).astype(int), 0, ny - 1),
        np.clip(np.rint(parameters[:, 1]).astype(int), 0, nx - 1),
    )
    return Components(
        source=np.full(n, place[0]),
        island=np.full(n, place[1]),
        parameters=parameters,
        covariance=np.zeros((n, 6, 6)),
        flux_error=np.zeros(n),
        alone=np.zeros(n, dtype=bool),
        resolved=np.ones(n, dtype=bool),
        rms=background.rms[at].astype(np.float64),
        chi2=np.full(n, blend.chi2),
        residual=np.full(n, blend.largest_residual),
    )
