"""Patches show two pieces always in the same places, whatever their distance and direction."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from helikon.space.association.patches import LENGTHS, SHAPE, SOFT_SIGMA, UNIT, Patches
from helikon.space.association.surroundings import Shapes, describe_pieces
from helikon.space.detect import Pieces, find_pieces

BEAM = 5.0
HEIGHT, WIDTH = SHAPE[1:]


def two_pieces(
    distance: float, angle_deg: float, snr: tuple[float, float] = (20.0, 40.0), size: int = 401
) -> tuple[npt.NDArray[np.float32], Pieces, Shapes]:
    """A map of two point sources around its middle."""
    y, x = np.indices((size, size)) - size // 2
    image = np.zeros((size, size), dtype=np.float32)
    for sign, height in zip((-0.5, 0.5), snr, strict=True):
        dx, dy = (sign * distance * f(math.radians(angle_deg)) for f in (math.cos, math.sin))
        image += height * np.exp(-4 * math.log(2) * ((x - dx) ** 2 + (y - dy) ** 2) / BEAM**2)
    pieces = find_pieces(image, seed_sigma=5, flood_sigma=3, beam_fwhm_pixels=BEAM)
    shapes = describe_pieces(image, np.ones_like(image), pieces, flood_sigma=3, beam_fwhm_pixels=BEAM)
    return image, pieces, shapes


def cut(distance: float, angle_deg: float, **options: tuple[float, float]) -> npt.NDArray[np.float32]:
    image, pieces, shapes = two_pieces(distance, angle_deg, **options)
    assert len(pieces) == 2
    return Patches(image, pieces, shapes, BEAM).cut(np.array([0]), np.array([1]))[0]


@pytest.mark.parametrize("angle_deg", [0.0, 37.0, 90.0, 180.0, 251.0])
@pytest.mark.parametrize("distance", [40.0, 100.0])
def test_the_brighter_piece_is_left_whatever_distance_and_direction(
    distance: float, angle_deg: float
) -> None:
    patch = cut(distance, angle_deg)
    assert patch.shape == SHAPE
    for channel, length, least in zip((0, 2), LENGTHS, (0.8, 0.4), strict=True):
        halves = patch[channel, :, : WIDTH // 2], patch[channel, :, WIDTH // 2 :]
        places = WIDTH / 2 - WIDTH / length / 2, WIDTH / length / 2
        for half, place, snr in zip(halves, places, (40.0, 20.0), strict=True):
            row, column = np.unravel_index(half.argmax(), half.shape)
            assert abs(row + 0.5 - HEIGHT / 2) <= 1
            assert abs(column + 0.5 - place) <= 1
            assert least <= half.max() / (np.arcsinh(snr / SOFT_SIGMA) / UNIT) <= 1
        assert halves[0].max() > halves[1].max()


def test_the_mask_is_of_the_two_alone_and_close_pieces_are_not_magnified() -> None:
    patch = cut(12.0, 0.0)
    signal, mask = patch[:2]
    assert set(np.unique(mask)) == {0, 1}
    assert signal[mask > 0].min() > signal[mask == 0].max() * 0.5
    cell = 4.0 * BEAM * LENGTHS[0] / WIDTH
    image, pieces, _ = two_pieces(12.0, 0.0)
    assert mask.sum() * cell**2 == pytest.approx((pieces.labels > 0).sum(), rel=0.15)
    assert image.shape == (401, 401)


def test_off_the_map_and_blank_pixels_are_zero() -> None:
    image, pieces, shapes = two_pieces(60.0, 0.0, size=121)
    image = image + np.float32(1.0)
    whole = Patches(image, pieces, shapes, BEAM).cut(np.array([0]), np.array([1]))[0]
    assert whole[2, 0, 0] == 0
    assert whole[2, HEIGHT // 2, WIDTH // 2] > 0
    image[:, 58:64] = np.nan
    blank = Patches(image, pieces, shapes, BEAM).cut(np.array([0]), np.array([1]))[0]
    assert np.isfinite(blank).all()
    assert blank[0, HEIGHT // 2, WIDTH // 2] < 0.05 < whole[0, HEIGHT // 2, WIDTH // 2]


def test_no_pairs_have_no_patches() -> None:
    image, pieces, shapes = two_pieces(40.0, 0.0)
    nothing = np.zeros(0, dtype=np.int64)
    assert Patches(image, pieces, shapes, BEAM).cut(nothing, nothing).shape == (0, *SHAPE)
