"""Pieces, and pairs of them, in numbers."""

import numpy as np
import pytest

from helikon.space.association.pairs import PAIR_FEATURES, find_pairs
from helikon.space.association.surroundings import PIECE_FEATURES, Shapes, describe_pieces
from helikon.space.detect import Pieces, find_pieces

FWHM = 5.0
SIZE = 200


def gaussian(x0: float, y0: float, height: float, width: float = FWHM, length: float = FWHM) -> np.ndarray:
    """Longer along x where ``length`` is greater."""
    y, x = np.mgrid[:SIZE, :SIZE]
    return height * np.exp(-4 * np.log(2) * (((x - x0) / length) ** 2 + ((y - y0) / width) ** 2))


def describe(image: np.ndarray) -> tuple[np.ndarray, Shapes, Pieces]:
    image = image.astype(np.float32)
    pieces = find_pieces(image, seed_sigma=5, flood_sigma=3, beam_fwhm_pixels=FWHM)
    rms = np.ones_like(image)
    return image, describe_pieces(image, rms, pieces, flood_sigma=3, beam_fwhm_pixels=FWHM), pieces


def column(features: np.ndarray, names: tuple[str, ...], name: str) -> np.ndarray:
    return features[:, names.index(name)]


def test_a_point_source_has_the_flux_of_a_beam_whatever_its_height() -> None:
    _, shapes, _ = describe(gaussian(50, 50, 8) + gaussian(150, 50, 300) + gaussian(100, 150, 60, 5, 20))
    ratio = dict(zip(shapes.x, column(shapes.features, PIECE_FEATURES, "flux_ratio"), strict=True))
    assert ratio[50] == pytest.approx(0, abs=0.12)
    assert ratio[150] == pytest.approx(0, abs=0.12)
    assert ratio[100] == pytest.approx(np.log(4), abs=0.2)


@pytest.mark.parametrize("said", [FWHM, 0.88 * FWHM])
def test_what_all_sources_have_in_width_makes_none_of_them_kin(said: float) -> None:
    """A header whose beam is an eighth too narrow makes every point a quarter too large."""
    rng = np.random.default_rng(4)
    grid = [(x, y) for x in range(20, 180, 20) for y in range(20, 180, 20)]
    places = rng.uniform(-1, 1, (len(grid), 2)) + grid
    image = sum(gaussian(x, y, rng.uniform(30, 90)) for x, y in places[1:]) + gaussian(*places[0], 60, 5, 12)
    pieces = find_pieces(image.astype(np.float32), seed_sigma=5, flood_sigma=3, beam_fwhm_pixels=said)
    shapes = describe_pieces(
        image.astype(np.float32), np.ones_like(image), pieces, flood_sigma=3, beam_fwhm_pixels=said
    )
    long = np.argmin(np.hypot(shapes.x - places[0][0], shapes.y - places[0][1]))
    others = np.delete(np.arange(len(pieces)), long)
    ratio = column(shapes.features, PIECE_FEATURES, "flux_ratio")
    too_large = 2 * np.log(FWHM / said)
    assert np.median(ratio[others]) == pytest.approx(0.02 + too_large, abs=0.05)
    assert shapes.wider == pytest.approx(0.76 * too_large, abs=0.03)  # as 64 pieces say it
    pairs = find_pairs(image.astype(np.float32), shapes, pieces, beam_fwhm_pixels=said)
    told = column(pairs.features, PAIR_FEATURES, "flux_ratio_most")
    of_long = (pairs.one == long) | (pairs.other == long)
    assert np.median(told[~of_long]) == pytest.approx(0.02 + 0.24 * too_large, abs=0.05)
    assert np.median(told[of_long]) > np.median(told[~of_long]) + 0.5


def test_a_beam_of_two_pixels_makes_no_source_wide() -> None:
    """The highest pixel is a tenth below the peak there, the parabola through it is not."""
    rng = np.random.default_rng(5)
    grid = [(x, y) for x in range(10, 190, 18) for y in range(10, 190, 18)]
    places = rng.uniform(0, 1, (len(grid), 2)) + grid
    image = sum(gaussian(x, y, 60, 2.2, 2.2) for x, y in places).astype(np.float32)
    pieces = find_pieces(image, seed_sigma=5, flood_sigma=3, beam_fwhm_pixels=2.2)
    shapes = describe_pieces(image, np.ones_like(image), pieces, flood_sigma=3, beam_fwhm_pixels=2.2)
    ratio = column(shapes.features, PIECE_FEATURES, "flux_ratio")
    assert len(ratio) == len(places)
    assert np.median(ratio) == pytest.approx(0.02, abs=0.06)


def test_a_bright_source_glares_at_a_faint_one_and_not_the_reverse() -> None:
    _, shapes, _ = describe(gaussian(50, 100, 3000) + gaussian(110, 100, 8))
    glare = dict(zip(shapes.x, column(shapes.features, PIECE_FEATURES, "glare"), strict=True))
    assert glare[110] == pytest.approx(np.log(3000 / 8) - 1.2 * np.log(12), abs=0.05)
    assert glare[50] == -8


def test_bridges_and_alignment_tell_a_double_from_two_neighbours() -> None:
    double = gaussian(60, 60, 50, 5, 12) + gaussian(100, 60, 40, 5, 12) + gaussian(80, 60, 4, 8, 45)
    image, shapes, pieces = describe(double + gaussian(60, 150, 50) + gaussian(100, 150, 40))
    pairs = find_pairs(image, shapes, pieces, beam_fwhm_pixels=FWHM)
    row = {
        y: next(
            i
            for i in range(len(pairs))
            if {(shapes.x[j], shapes.y[j]) for j in (pairs.one[i], pairs.other[i])} == {(60, y), (100, y)}
        )
        for y in (60, 150)
    }
    for name, more in (("bridge_sigma", 2.0), ("aligned_least", 0.2)):
        values = column(pairs.features, PAIR_FEATURES, name)
        assert values[row[60]] > values[row[150]] + more
    distance = column(pairs.features, PAIR_FEATURES, "distance")
    assert distance[row[60]] == pytest.approx(np.log(8))


def test_one_piece_has_no_pair() -> None:
    image, shapes, pieces = describe(gaussian(50, 50, 30))
    pairs = find_pairs(image, shapes, pieces, beam_fwhm_pixels=FWHM)
    assert len(pairs) == 0
    assert pairs.features.shape == (0, len(PAIR_FEATURES))


def test_two_faint_pieces_are_never_a_pair() -> None:
    image = (gaussian(50, 50, 30) + gaussian(70, 50, 4.5) + gaussian(85, 50, 4.5)).astype(np.float32)
    pieces = find_pieces(image, seed_sigma=5, flood_sigma=3, faint_sigma=4, beam_fwhm_pixels=FWHM)
    shapes = describe_pieces(image, np.ones_like(image), pieces, flood_sigma=3, beam_fwhm_pixels=FWHM)
    pairs = find_pairs(image, shapes, pieces, beam_fwhm_pixels=FWHM)
    found = {tuple(sorted((shapes.x[a], shapes.x[b]))) for a, b in zip(pairs.one, pairs.other, strict=True)}
    assert found == {(50, 70), (50, 85)}


def test_a_cut_out_gives_a_pair_about_the_chance_that_the_whole_map_does() -> None:
    image = gaussian(90, 100, 30) + gaussian(112, 100, 30)
    chances = []
    for part in (image, image[60:140, 60:140]):
        cut, shapes, pieces = describe(np.ascontiguousarray(part))
        pairs = find_pairs(cut, shapes, pieces, beam_fwhm_pixels=FWHM)
        chances.append(column(pairs.features, PAIR_FEATURES, "chance")[0])
    assert chances[1] == pytest.approx(chances[0], abs=0.5)
    assert max(chances) < np.log(0.2)
