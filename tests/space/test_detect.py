"""Islands are found, and parted where they are blends of compact sources."""

import numpy as np
from scipy import ndimage

from helikon.space.detect import Pieces, find_pieces

FWHM = 5.0


def field(*sources: tuple[float, float, float], size: int = 100, width: float = FWHM) -> np.ndarray:
    """Gaussians (x, y, height) on faint noise, in sigma."""
    y, x = np.mgrid[:size, :size]
    image = np.random.default_rng(0).normal(0, 0.2, (size, size))
    for x0, y0, height in sources:
        image += height * np.exp(-4 * np.log(2) * ((x - x0) ** 2 + (y - y0) ** 2) / width**2)
    return image.astype(np.float32)


def find(image: np.ndarray, seed: float = 5.0, flood: float = 3.0) -> Pieces:
    return find_pieces(image, seed_sigma=seed, flood_sigma=flood, beam_fwhm_pixels=FWHM)


def test_islands_have_a_pixel_above_the_seed_and_reach_down_to_the_flood() -> None:
    image = field((20, 20, 20), (60, 60, 4), (80, 20, 8))
    found = find(image)
    assert len(found) == 2
    assert sorted(zip(found.x.tolist(), found.y.tolist(), strict=True)) == [(20, 20), (80, 20)]
    assert image[found.labels > 0].min() > 3
    assert len(find(image, seed=3.5)) == 3


def test_nothing_found_is_no_piece() -> None:
    found = find(field())
    assert len(found) == 0
    assert found.slices == []


def test_touching_compact_sources_are_two_pieces_of_one_island() -> None:
    found = find(field((40, 40, 50), (47, 40, 30)))
    assert len(found) == 2
    assert set(found.island) == {1}
    assert found.n_pieces_of_island.tolist() == [2, 2]
    assert sorted(found.x.tolist()) == [40, 47]


def test_a_broad_source_with_rough_top_is_one_piece() -> None:
    noise = ndimage.gaussian_filter(
        np.random.default_rng(2).normal(size=(100, 100)), FWHM / 2.355 / np.sqrt(2), mode="wrap"
    )
    found = find(field((50, 50, 30), width=30) + (0.8 * noise / noise.std()).astype(np.float32))
    assert np.bincount(found.labels.ravel())[1:].max() > 500
    assert (found.n_pieces_of_island[found.labels[50, 50] - 1]) == 1


def test_a_shoulder_without_a_peak_of_its_own_is_a_piece() -> None:
    found = find(field((40, 40, 200), (46, 40, 60)))
    assert sorted(zip(found.x.tolist(), found.y.tolist(), strict=True))[0] == (40, 40)
    assert len(found) == 2


def test_a_compact_source_in_extended_emission_is_parted_from_it() -> None:
    found = find(field((45, 50, 20), width=40) + field((66, 50, 60)))
    here, there = found.labels[50, 66], found.labels[50, 40]
    assert here != there
    assert found.island[here - 1] == found.island[there - 1]


def test_a_single_hot_pixel_is_no_source() -> None:
    image = field()
    image[30, 30] = 50
    assert len(find(image)) == 0


def test_blank_pixels_are_no_source() -> None:
    image = field((20, 20, 20))
    image[:, :19] = np.nan
    found = find(image)
    assert (found.labels[:, :19] == 0).all()
    assert len(found) == 1


def test_faint_islands_are_kept_where_asked_for_and_say_so() -> None:
    image = field((20, 20, 20), (60, 60, 4.4), (80, 20, 8), (20, 80, 3.4))
    found = find_pieces(image, seed_sigma=5, flood_sigma=3, faint_sigma=4, beam_fwhm_pixels=FWHM)
    assert dict(zip(found.x.tolist(), found.is_faint.tolist(), strict=True)) == {
        20: False,
        60: True,
        80: False,
    }
    assert not find(image).is_faint.any()


def test_some_pieces_alone_are_numbered_anew() -> None:
    image = field((40, 40, 50), (47, 40, 30), (80, 80, 20), (20, 80, 4.4))
    found = find_pieces(image, seed_sigma=5, flood_sigma=3, faint_sigma=4, beam_fwhm_pixels=FWHM)
    kept = found.only(found.x != 40)
    assert sorted(kept.x.tolist()) == [20, 47, 80]
    for number, (x, y, place) in enumerate(zip(kept.x, kept.y, kept.slices, strict=True), start=1):
        assert kept.labels[y, x] == number
        assert (kept.labels[place] == number).sum() == (kept.labels == number).sum() > 0
    assert sorted(kept.island.tolist()) == [1, 2, 3]
    assert kept.is_faint.tolist() == (kept.x == 20).tolist()
    assert len(found.only(np.zeros(len(found), dtype=bool))) == 0
