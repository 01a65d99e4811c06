"""Two points that look like one: told apart where they can be, and measured right either way."""

import dataclasses

import numpy as np
import pytest
from astropy.wcs import WCS
from scipy import ndimage

from helikon.space.background import Background
from helikon.space.detect import Pieces, find_pieces
from helikon.space.fits import Beam, RadioMap
from helikon.space.measures.compact import CompactFits, fit_pieces
from helikon.space.measures.doubles import Parted, part_doubles
from helikon.space.measures.gaussians import FWHM, evaluate, form_of_ellipse
from helikon.space.measures.measure import fit_map

SIZE = 96
MIDDLE = 47.3, 48.1


def sky(*points: tuple[float, float, float], beam: float = 5.0) -> np.ndarray:
    """Points (peak, x, y) from the middle in beams, in noise of unit rms as smooth as the beam."""
    rng = np.random.default_rng(11)
    noise = ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), beam / FWHM / np.sqrt(2), mode="wrap")
    data, (y, x) = noise / noise.std(), np.indices((SIZE, SIZE), dtype=float)
    for peak, dx, dy in points:
        one = np.array([[peak, MIDDLE[0] + dx * beam, MIDDLE[1] + dy * beam, *round_form(beam)]])
        data = data + evaluate(one, x, y)
    return data.astype(np.float32)


def round_form(beam: float) -> tuple[float, float, float]:
    return form_of_ellipse(beam, beam, 0.0)


def find(data: np.ndarray, beam: float = 5.0) -> tuple[Pieces, CompactFits]:
    pieces = find_pieces(data, seed_sigma=8, flood_sigma=3, beam_fwhm_pixels=beam)
    return pieces, fit_pieces(data, np.ones_like(data), pieces, round_form(beam), beam)


def part(data: np.ndarray, *, together: bool = False, is_compact: bool = True, beam: float = 5.0) -> Parted:
    pieces, fits = find(data, beam)
    source = np.zeros(len(pieces), dtype=np.int64) if together else np.arange(len(pieces))
    return part_doubles(
        data,
        np.ones_like(data),
        data,
        pieces,
        source,
        np.full(int(source.max()) + 1, is_compact),
        fits,
        form=round_form(beam),
        beam_fwhm_pixels=beam,
        least_sigma=5.0,
    )


def measured(data: np.ndarray, beam: float = 5.0) -> np.ndarray:
    """Fits (peak, x, y in beams from the middle) of what is parted, brightest first."""
    parted = part(data, beam=beam)
    fits = fit_pieces(data, np.ones_like(data), parted.pieces, round_form(beam), beam)
    assert fits.good.all()
    found = fits.parameters[np.argsort(-fits.parameters[:, 0]), :3]
    found[:, 1:] = (found[:, 1:] - MIDDLE) / beam
    return found


@pytest.mark.parametrize("beam", [2.6, 5.0, 10.0])
@pytest.mark.parametrize(("apart", "faint"), [(1.0, 120.0), (1.2, 60.0), (1.6, 20.0), (2.2, 15.0)])
def test_two_points_are_two_sources_with_their_own_peaks_and_places(
    beam: float, apart: float, faint: float
) -> None:
    bright, other = measured(sky((300, 0, 0), (faint, apart, 0), beam=beam), beam)
    assert bright == pytest.approx([300, 0, 0], abs=6)
    assert bright[1:] == pytest.approx([0, 0], abs=0.02)
    assert other[0] == pytest.approx(faint, abs=5)
    assert other[1:] == pytest.approx([apart, 0], abs=0.15)


def test_points_are_told_apart_where_all_are_wider_than_the_beam_that_the_header_gives() -> None:
    data = sky((300, 0, 0), (100, 1.0, 0), *[(200, x, y) for x in (-7, 7) for y in (-7, 0, 7)])
    narrow = 0.88 * 5.0
    parted = part(data, beam=narrow)
    assert len(parted.pieces) == 8
    assert parted.before.tolist().count(-1) == 2


def test_a_single_point_stays_one() -> None:
    parted = part(sky((300, 0, 0)))
    assert len(parted.pieces) == 1
    assert not parted.is_merged.any()
    assert parted.parent.tolist() == [0]


def test_points_that_were_taken_for_one_source_are_parted_and_pieces_that_are_extended_stay_joined() -> None:
    data = sky((300, 0, 0), (100, 1.8, 0))
    assert part(data, together=True).source_of_piece.tolist() == [0, 1]
    assert part(data, together=True).parent.tolist() == [0, 0]
    assert part(data, together=True, is_compact=False).source_of_piece.tolist() == [0, 0]


def test_a_companion_in_the_noise_or_one_that_leaves_much_behind_is_none() -> None:
    assert len(part(sky((300, 0, 0), (4, 1.6, 0))).pieces) == 1
    ring = [(12, 1.4 * np.cos(a), 1.4 * np.sin(a)) for a in np.arange(12) * np.pi / 6]
    parted = part(sky((300, 0, 0), *ring))
    assert parted.parent.tolist() == list(range(len(parted.pieces)))


def test_two_points_too_close_to_be_told_apart_are_said_to_be_merged() -> None:
    parted = part(sky((300, 0, 0), (120, 0.75, 0)))
    assert len(parted.pieces) == 1
    assert parted.is_merged.tolist() == [True]


def test_each_new_piece_has_its_point_and_all_pixels_of_the_island() -> None:
    data = sky((300, 0, 0), (100, 1.0, 0), (50, -5, 0))
    before, after = find(data)[0], part(data)
    assert (len(before), len(after.pieces)) == (2, 3)
    assert np.array_equal(before.labels > 0, after.pieces.labels > 0)
    assert sorted(after.before.tolist())[:2] == [-1, -1]
    kept = int(np.flatnonzero(after.before >= 0)[0])
    assert after.pieces.x[kept] == before.x[after.before[kept]]
    places = sorted((after.pieces.x - MIDDLE[0]) / 5)
    assert places == pytest.approx([-5, 0, 1.0], abs=0.35)


def test_only_the_islands_that_were_parted_are_fitted_again() -> None:
    data = sky((300, 0, 0), (100, 1.0, 0), (50, -5, 0))
    radio_map, background = as_map(data), Background(level=0 * data, rms=np.ones_like(data))
    known = fit_map(radio_map, background, find(data)[0])
    marked = dataclasses.replace(known, parameters=known.parameters * [np.nan, 1, 1, 1, 1, 1])
    parted = part(data)
    again = fit_map(radio_map, background, parted.pieces, known=marked, before=parted.before)
    is_new = parted.before < 0
    assert np.isnan(again.parameters[:, 0]).tolist() == (~is_new).tolist()
    assert sorted(again.parameters[is_new, 0]) == pytest.approx([100, 300], rel=0.05)
    assert again.usual == known.usual


def as_map(data: np.ndarray) -> RadioMap:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---SIN", "DEC--SIN"], [-1 / 3600, 1 / 3600]
    beam = Beam(major_arcsec=5.0, minor_arcsec=5.0)
    return RadioMap(data=data, wcs=wcs, beam=beam, pixel_arcsec=1.0, name="made-up")
