"""Measure compact pieces: Gaussians, fitted together where they touch.

A first fit of free shape, over all pixels of the piece (``shapes.py``), says
whether a Gaussian describes it. Those that it does describe are measured by fits in
correlated noise (``correlated.py``) over the pixels within a beam width of the
peak: one of free shape, and for those that are not wide for sure another one
of the beam's shape and the area that the map speaks for (``usual_area.py``).
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from helikon.space.detect import Pieces
from helikon.space.measures.correlated import Correlated, covariance, n_independent
from helikon.space.measures.gaussians import Grid, fit_gaussians
from helikon.space.measures.shapes import fit_shapes
from helikon.space.measures.stamps import Stamps
from helikon.space.measures.usual_area import UsualArea

__all__ = ["CompactFits", "are_on_map", "fit_pieces"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.intp]
Form = tuple[float, float, float]

RESOLVED_SIGMA = 3.0
"""Excess of integrated over peak flux density that makes a source resolved."""
MOST_DOUBT = 0.3
"""Relative error of a peak off the map, from which nothing is left of it but what the map holds."""
LEAST_VARIANCE = 1e-18
"""Of a logarithm of an area."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CompactFits:
    """Gaussians of all pieces; only those that are ``good`` mean something.

    Attributes
    ----------
    parameters : ndarray, shape (n, 6)
        Peak (Jy/beam), x, y, a, b, c.
    covariance : ndarray, shape (n, 6, 6)
        Of the parameters; of an unresolved source's a, b, c as a fit of free shape has it.
    area_ratio : ndarray, shape (n,)
        Integrated over peak flux density: area of the Gaussian in beams.
    flux_error : ndarray, shape (n,)
        Relative error of the integrated flux density.
    largest_ratio : ndarray, shape (n,)
        What area_ratio is below, at three sigma.
    chi2 : ndarray, shape (n,)
        Reduced chi squared of the fit in correlated noise.
    good : ndarray of bool, shape (n,)
        The piece is compact and a Gaussian describes it.
    resolved : ndarray of bool, shape (n,)
        It is good and surely wider than the beam; other good ones have the beam's shape, and
        the area that is most probable for them in this map.
    usual : UsualArea
        How wide sources are in this map.
    """

    parameters: Double
    covariance: Double
    area_ratio: Double
    flux_error: Double
    largest_ratio: Double
    chi2: Double
    good: Bool
    resolved: Bool
    usual: UsualArea

    def renewed(self, fresh: "CompactFits", chosen: Bool, before: Int) -> "CompactFits":
        """Return fits of pieces some of which are others than these.

        Parameters
        ----------
        fresh : CompactFits
            Of all the pieces; only those that are ``chosen`` are used.
        before : ndarray of int, shape (n,)
            Row in these fits of each that is not chosen.
        """
        columns = {}
        for name in (field.name for field in dataclasses.fields(self) if field.name != "usual"):
            columns[name] = getattr(self, name)[before]
            columns[name][chosen] = getattr(fresh, name)[chosen]
        return CompactFits(**columns, usual=self.usual)


def fit_pieces(
    data: Float,
    rms: Float,
    pieces: Pieces,
    form: Form,
    beam_fwhm_pixels: float,
    *,
    white: float = 0.0,
    chosen: Bool | None = None,
    usual: UsualArea | None = None,
) -> CompactFits:
    """Fit a Gaussian to every piece.

    Parameters
    ----------
    data, rms : ndarray of float32, shape (ny, nx)
        Map less its background, and noise, in Jy/beam.
    form : tuple of float
        a, b, c of the beam in pixels.
    white : float
        Part of the noise that is not correlated, see ``correlated.white_share``.
    chosen : ndarray of bool, shape (n,), optional
        Which pieces to fit; by default all. Whole islands, for neighbours are fitted together.
    usual : UsualArea, optional
        How wide sources are in this map, by default as these pieces say.
    """
    parameters, good = np.zeros((len(pieces), 6)), np.zeros(len(pieces), dtype=bool)
    parameters[:, 3:] = form
    noise = rms[pieces.y, pieces.x].astype(np.float64)
    cores = []
    for shapes in fit_shapes(data, noise, pieces, form, beam_fwhm_pixels, chosen):
        parameters[shapes.stamps.piece], good[shapes.stamps.piece] = shapes.parameters, shapes.good
        cores.append(_Core.of(shapes.stamps, shapes.values, shapes.good))
    fits = _measure(_Core.join(cores), parameters, good, pieces, noise, form, white, usual)
    peak_error = np.sqrt(fits.covariance[:, 0, 0])
    is_made_up = ~are_on_map(fits.parameters, data) & (peak_error > MOST_DOUBT * fits.parameters[:, 0])
    return dataclasses.replace(fits, good=good & ~is_made_up)


def are_on_map(parameters: Double, data: Float) -> Bool:
    """Say which Gaussians (n, 6) have their centre on a pixel of the map that has a value."""
    column, row = np.rint(parameters[:, 1]), np.rint(parameters[:, 2])
    height, width = data.shape
    on_map = np.asarray((column >= 0) & (column < width) & (row >= 0) & (row < height))
    on_map[on_map] = np.isfinite(data[row[on_map].astype(np.int64), column[on_map].astype(np.int64)])
    return on_map


@dataclasses.dataclass(frozen=True, slots=True)
class _Core:
    """Pixels within a beam width of the peaks of good pieces, neighbours subtracted."""

    piece: Int
    grid: Grid
    values: Double
    used: Bool

    @classmethod
    def of(cls, stamps: Stamps, values: Double, chosen: Bool) -> "_Core":
        grid = Grid(stamps.grid.dx[stamps.core], stamps.grid.dy[stamps.core], stamps.grid.scale)
        used = stamps.free[chosen][:, stamps.core]
        return cls(stamps.piece[chosen], grid, values[chosen][:, stamps.core], used)

    @classmethod
    def join(cls, cores: list["_Core"]) -> "_Core | None":
        """Put those of all groups together: their grids are the same."""
        if not cores:
            return None
        piece, values, used = (
            np.concatenate([getattr(core, name) for core in cores]) for name in ("piece", "values", "used")
        )
        return cls(piece, cores[0].grid, values, used)


def _measure(
    core: _Core | None,
    parameters: Double,
    good: Bool,
    pieces: Pieces,
    noise: Double,
    form: Form,
    white: float,
    usual: UsualArea | None,
) -> CompactFits:
    """Fit good pieces in correlated noise, free and with the most probable area; choose for each."""
    n = len(pieces)
    area, largest, chi2, resolved = np.ones(n), np.ones(n), np.ones(n), np.zeros(n, dtype=bool)
    spread, flux_error = np.zeros((n, 6, 6)), np.zeros(n)
    if core is not None and len(core.piece):
        at = core.piece
        offset = np.stack([pieces.x[at], pieces.y[at]], axis=1)
        local = parameters[at]
        local[:, 1:3] -= offset
        matrix = covariance(core.grid, form, white)
        problem = Correlated.of(matrix, core.used)
        fitted, cost = fit_gaussians(core.values, problem, core.grid, local)
        n_pixels = n_independent(matrix, white) * core.used.mean(axis=1)
        chi2[at] = cost / noise[at] ** 2 / np.maximum(n_pixels - 6, 1)
        sigma = noise[at] * np.sqrt(np.maximum(chi2[at], 1))
        free = _Fit.free(fitted, _spread(fitted, problem, core.grid, sigma), form)
        usual = usual or UsualArea.of(free.log_area, free.log_error)
        narrow = _Fit.of_usual_area(core, problem, local, free, sigma, form, usual)
        is_wide = free.log_area > RESOLVED_SIGMA * free.log_error
        chosen = free.where(is_wide, narrow)
        parameters = parameters.copy()
        parameters[at], spread[at] = chosen.parameters, chosen.covariance
        parameters[at, 1:3] += offset
        resolved[at], flux_error[at] = is_wide, chosen.flux_error
        area[at] = np.exp(chosen.log_area)
        largest[at] = np.exp(np.maximum(free.log_area, 0) + RESOLVED_SIGMA * free.log_error)
    return CompactFits(
        parameters=parameters, covariance=spread, area_ratio=area, flux_error=flux_error,
        largest_ratio=largest, chi2=chi2, good=good, resolved=resolved, usual=usual or UsualArea(),
    )  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class _Fit:
    """Gaussians of stamps: parameters from the middle, and what follows.

    Attributes
    ----------
    parameters, covariance : ndarray, shape (n, 6) and (n, 6, 6)
    log_area, log_error : ndarray, shape (n,)
        Logarithm of the area in beams, and its error.
    fall : ndarray, shape (n,)
        By how much the logarithm of the peak grows with that of the area, in the free fit; below 0.
    flux_error : ndarray, shape (n,)
        Relative.
    """

    parameters: Double
    covariance: Double
    log_area: Double
    log_error: Double
    fall: Double
    flux_error: Double

    @classmethod
    def free(cls, parameters: Double, spread: Double, form: Form) -> "_Fit":
        """Take a fit of free shape."""
        peak, (a, b, c) = parameters[:, 0], parameters[:, 3:].T
        determinant = a * c - b * b
        slope = np.stack([-0.5 * c, b, -0.5 * a], axis=1) / determinant[:, None]
        variance = np.maximum(np.einsum("ni,nij,nj->n", slope, spread[:, 3:, 3:], slope), 0)
        with_peak = np.einsum("ni,ni->n", slope, spread[:, 0, 3:]) / peak
        flux = spread[:, 0, 0] / peak**2 + 2 * with_peak + variance
        return cls(
            parameters=parameters,
            covariance=spread,
            log_area=0.5 * np.log((form[0] * form[2] - form[1] ** 2) / determinant),
            log_error=np.sqrt(variance),
            fall=with_peak / np.maximum(variance, LEAST_VARIANCE),
            flux_error=np.sqrt(np.maximum(flux, 0)),
        )

    @classmethod
    def of_usual_area(
        cls,
        core: _Core,
        problem: Correlated,
        start: Double,
        free: "_Fit",
        sigma: Double,
        form: Form,
        usual: UsualArea,
    ) -> "_Fit":
        """Fit peaks and places of Gaussians of the beam's shape and the most probable area.

        The errors hold the doubt about the area; those of a, b, c stay those of the free fit.
        """
        log_area, doubt = usual.given(free.log_area, free.log_error)
        begin = start.copy()
        begin[:, 3:] = np.exp(-log_area)[:, None] * np.array(form)
        parameters, _ = fit_gaussians(core.values, problem, core.grid, begin, free_shape=False)
        spread = _spread(parameters, problem, core.grid, sigma, n_free=3)
        of_area = spread[:, 0, 0] / parameters[:, 0] ** 2
        spread[:, 0, 0] += (parameters[:, 0] * free.fall * doubt) ** 2
        spread[:, 3:, 3:] = free.covariance[:, 3:, 3:]
        return cls(
            parameters=parameters,
            covariance=spread,
            log_area=log_area,
            log_error=doubt,
            fall=free.fall,
            flux_error=np.sqrt(of_area + ((1 + free.fall) * doubt) ** 2),
        )

    def where(self, chosen: Bool, other: "_Fit") -> "_Fit":
        """Return these fits where they are chosen, and the others elsewhere."""
        both = [(getattr(self, one.name), getattr(other, one.name)) for one in dataclasses.fields(self)]
        return _Fit(*(np.where(chosen.reshape(-1, *[1] * (a.ndim - 1)), a, b) for a, b in both))


def _spread(parameters: Double, problem: Correlated, grid: Grid, sigma: Double, *, n_free: int = 6) -> Double:
    """Return the covariance of fitted parameters, 0 for those that were not free.

    The normal equations are scaled so that their diagonals are 1: whether peaks
    are 1 or 1e-9 in the map's unit makes no difference.
    """
    model = np.exp(grid.to_terms(parameters) @ grid.terms)
    matrix, _ = problem.normal(np.arange(len(model)), model, model, grid.terms)
    slopes = grid.slopes(parameters)
    normal = (slopes.transpose(0, 2, 1) @ matrix @ slopes)[:, :n_free, :n_free]
    result = np.zeros((len(model), 6, 6))
    scale = 1 / np.sqrt(np.maximum(np.einsum("nii->ni", normal), 1e-300))
    both = scale[:, :, None] * scale[:, None, :]
    inverse = np.linalg.pinv(normal * both, hermitian=True) * both
    result[:, :n_free, :n_free] = inverse * sigma[:, None, None] ** 2
    return result
