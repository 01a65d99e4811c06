"""Part what is called one compact source and is several points.

Two points a beam or so apart leave one peak, or two that were taken for one
source. What the network then calls compact is described by Gaussians
(``blends.py``): if these are points that stand out of the noise and together
leave nothing else, each is a source of its own.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist, pdist

from helikon.space.blends import Blend, Island, fit_points
from helikon.space.detect import Pieces
from helikon.space.groups import grouped
from helikon.space.measures.compact import CompactFits, are_on_map
from helikon.space.measures.gaussians import evaluate, in_beams

__all__ = ["Parted", "part_doubles"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
Form = tuple[float, float, float]

SMALLEST, LARGEST = 0.6, 1.25
LARGEST_NOISE = 5.0
"""Areas of a point's Gaussian in those usual for the map, and how much larger over its S/N."""
POOR_CHI2 = 1.5
"""Reduced chi squared from which one Gaussian may not describe a piece, and several are tried."""
MERGED_CHI2 = 4.0
"""The same, from which a sum of pixels is nearer to the truth than that one Gaussian."""
LEAST_TRIED = 8.0
"""What one Gaussian seems to describe is tried from this signal to noise ratio on: fainter ones are one."""
NEIGHBOURS = 4.0
"""Other pieces shine on one from so many beam widths beside it."""
LEAST_APART = 0.75
"""Points are told apart from this many beam widths on."""
MOST_CHI2 = 2.0
"""What the points may leave, as a mean square over that of the noise."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parted:
    """Pieces and sources after the parting.

    Attributes
    ----------
    pieces : Pieces
    source_of_piece : ndarray of int, shape (n_pieces,)
        From 0 without gaps; the first are those that there were.
    before : ndarray of int, shape (n_pieces,)
        Which of the pieces before each is; -1 for new ones.
    parent : ndarray of int, shape (n_sources,)
        Which of the sources before each was, or was a part of.
    is_merged : ndarray of bool, shape (n_pieces_before,)
        Which of the pieces before take several Gaussians that are too close to be told apart.
    """

    pieces: Pieces
    source_of_piece: Int
    before: Int
    parent: Int
    is_merged: Bool


def part_doubles(
    data: Float,
    rms: Float,
    significance: Float,
    pieces: Pieces,
    source_of_piece: Int,
    is_compact: Bool,
    fits: CompactFits,
    *,
    form: Form,
    beam_fwhm_pixels: float,
    least_sigma: float,
) -> Parted:
    """Make a source of each point, where a compact source is several.

    Parameters
    ----------
    data, rms : ndarray of float32, shape (ny, nx)
        Map less its background, and noise, in Jy/beam.
    significance : ndarray of float32, shape (ny, nx)
        The one over the other.
    is_compact : ndarray of bool, shape (n_sources,)
        Which sources are called compact.
    fits : CompactFits
        Of the pieces.
    form : tuple of float
        a, b, c of the beam in pixels.
    least_sigma : float
        Height of a point in local noise.
    """
    is_merged = np.zeros(len(pieces), dtype=bool)
    doubles: list[tuple[int, Int, Int, Int]] = []
    noise = rms[pieces.y, pieces.x].astype(np.float64)
    for source, members in _in_doubt(pieces, source_of_piece, is_compact, fits, noise):
        y, x = _pixels(pieces, members)
        others = _neighbours(pieces, members, y, x, NEIGHBOURS * beam_fwhm_pixels)
        island = Island.cut(data, rms, pieces.labels, y, x, beam_fwhm_pixels)
        island = _without(island, fits.parameters[others[fits.good[others]]])
        is_single = len(members) == 1 and fits.good[members[0]]
        single = fits.parameters[members[0]] if is_single else None
        blend = fit_points(island, form, beam_fwhm_pixels, single=single)
        if not _are_points(blend, island.sigma, form, math.exp(fits.usual.middle), least_sigma):
            continue
        if not are_on_map(blend.parameters, data).all():
            continue
        peaks = np.stack([pieces.x[others], pieces.y[others]], axis=1).astype(np.float64)
        owner = _owners(blend.parameters, peaks, y, x, form)
        if owner is None:
            is_merged[members] = fits.chi2[members] > MERGED_CHI2
        else:
            doubles.append((source, y, x, owner))
    return _apart(pieces, source_of_piece, len(is_compact), doubles, significance, is_merged)


def _apart(
    pieces: Pieces,
    source_of_piece: Int,
    n_sources: int,
    doubles: list[tuple[int, Int, Int, Int]],
    significance: Float,
    is_merged: Bool,
) -> Parted:
    """Part the sources whose pixels (rows, columns) have several owners."""
    if not doubles:
        before, parent = np.arange(len(pieces)), np.arange(n_sources)
        return Parted(
            pieces=pieces, source_of_piece=source_of_piece, before=before, parent=parent, is_merged=is_merged
        )
    labels, sources, parents = pieces.labels.copy(), source_of_piece.tolist(), list(range(n_sources))
    for source, y, x, owner in doubles:
        labels[y, x] = len(sources) + 1 + owner
        n_more = int(owner.max())
        sources += [source, *range(len(parents), len(parents) + n_more)]
        parents += [source] * n_more
    is_used = np.bincount(labels.ravel(), minlength=len(sources) + 1) > 0
    is_used[0] = False
    before = np.flatnonzero(is_used[1:])
    numbers = np.where(is_used, np.cumsum(is_used), 0).astype(np.int32)
    return Parted(
        pieces=pieces.parted(numbers[labels], significance),
        before=np.where(before < len(pieces), before, -1),
        source_of_piece=np.array(sources)[before],
        parent=np.array(parents),
        is_merged=is_merged,
    )


def _in_doubt(
    pieces: Pieces, source_of_piece: Int, is_compact: Bool, fits: CompactFits, noise: Double
) -> list[tuple[int, Int]]:
    """Return compact sources of one island that no single Gaussian describes, and their pieces."""
    is_poor = (fits.chi2 > POOR_CHI2) & (fits.parameters[:, 0] > LEAST_TRIED * noise)
    return [
        (source, members)
        for source, members in enumerate(grouped(source_of_piece))
        if is_compact[source]
        and (len(members) > 1 or not fits.good[members[0]] or is_poor[members[0]])
        and np.ptp(pieces.island[members]) == 0
    ]


def _neighbours(pieces: Pieces, members: Int, y: Int, x: Int, reach: float) -> Int:
    """Return the other pieces of an island whose peaks are near these pixels."""
    near_x = np.abs(pieces.x - x.mean()) < np.ptp(x) + reach
    near_y = np.abs(pieces.y - y.mean()) < np.ptp(y) + reach
    mates = np.flatnonzero(near_x & near_y & (pieces.island == pieces.island[members[0]]))
    return np.setdiff1d(mates, members)


def _pixels(pieces: Pieces, members: Int) -> tuple[Int, Int]:
    """Return rows and columns of some pieces."""
    parts = []
    for piece in members.tolist():
        rows, columns = pieces.slices[piece]
        y, x = np.nonzero(pieces.labels[rows, columns] == piece + 1)
        parts.append(np.stack([y + rows.start, x + columns.start]))
    y, x = np.concatenate(parts, axis=1)
    return y, x


def _without(island: Island, neighbours: Double) -> Island:
    """Take the Gaussians (n, 6) of other pieces off."""
    rows, columns = np.indices(island.image.shape, dtype=np.float64)
    x, y = columns.ravel() + island.x0, rows.ravel() + island.y0
    shine = evaluate(neighbours, x[None], y[None]).sum(axis=0).reshape(island.image.shape)
    return dataclasses.replace(island, image=island.image - shine)


def _are_points(blend: Blend, sigma: float, form: Form, usual: float, least_sigma: float) -> bool:
    """Say whether Gaussians are several points, of the area ``usual`` in beams, that leave nothing else."""
    a, b, c = blend.parameters[:, 3:].T
    snr = blend.parameters[:, 0] / sigma
    with np.errstate(invalid="ignore", divide="ignore"):
        area = np.sqrt((form[0] * form[2] - form[1] ** 2) / (a * c - b * b)) / usual
        are_points = (area > SMALLEST) & (area < LARGEST + LARGEST_NOISE / snr) & (snr > least_sigma)
    return len(snr) > 1 and bool(are_points.all()) and blend.chi2 < MOST_CHI2


def _owners(points: Double, peaks: Double, y: Int, x: Int, form: Form) -> Int | None:
    """Return the point, from 0, that is brightest in each pixel.

    None where they are too close to each other or to other peaks (n, 2) to be told apart.
    """
    places = in_beams(points[:, 1:3], form)
    from_peaks = cdist(places, in_beams(peaks, form))
    if min(pdist(places).min(), from_peaks.min(initial=np.inf)) <= LEAST_APART:
        return None
    owner = evaluate(points, x[None].astype(np.float64), y[None].astype(np.float64)).argmax(axis=0)
    return np.asarray(owner) if len(np.unique(owner)) == len(points) else None
