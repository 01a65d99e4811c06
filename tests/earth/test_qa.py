import numpy as np
import pytest

from helikon.earth.qa import CATEGORIES, TABLES, flagged
from helikon.errors import InputError


def words(*values: int, dtype: type = np.uint16) -> np.ndarray:
    return np.array(values, dtype=dtype)


@pytest.mark.parametrize(
    ("word", "categories"),
    [
        (21824, []),  # clear
        (21888, ["water"]),
        (21952, ["water"]),
        (22018, ["dilated"]),
        (22280, ["cloud"]),
        (23888, ["shadow"]),
        (30048, ["snow"]),
        (54596, ["cirrus"]),
        (54852, ["cirrus"]),
        (55052, ["cirrus", "cloud"]),
        (22282, ["cloud", "dilated"]),
    ],
)
def test_words_of_landsat_collection_2_mean_what_usgs_says(word: int, categories: list[str]) -> None:
    found = [name for name in CATEGORIES if flagged(TABLES["landsat-c2"], words(word), [name])[0]]
    assert sorted(found) == sorted(categories)


@pytest.mark.parametrize(
    ("word", "categories"),
    [
        (2720, []),  # clear
        (2724, ["poor"]),  # one or two bands saturated
        (2800, ["cloud"]),  # high confidence
        (2976, ["shadow"]),
        (3744, ["snow"]),
        (6816, ["cirrus"]),
        (2752, []),  # cloud of medium confidence without the cloud bit
    ],
)
def test_words_of_landsat_collection_1_mean_what_usgs_says(word: int, categories: list[str]) -> None:
    found = [name for name in CATEGORIES if flagged(TABLES["landsat-c1"], words(word), [name])[0]]
    assert found == categories


def test_words_from_before_the_collections_are_refused_by_the_table_of_collection_1() -> None:
    assert not flagged(TABLES["landsat-pre"], words(20480), ["cloud", "cirrus", "snow"])[0]
    assert flagged(TABLES["landsat-pre"], words(53248), ["cloud"])[0]
    with pytest.raises(InputError, match=r"does not hold landsat-c1 words: got the word 20480.*--qa"):
        flagged(TABLES["landsat-c1"], words(2720, 20480))


def test_classes_of_sentinel2_are_flagged_one_by_one() -> None:
    classes = np.arange(12, dtype=np.uint8)
    meant = {"cloud": [8, 9], "shadow": [3], "snow": [11], "cirrus": [10], "water": [6], "poor": [1]}
    for name, values in meant.items():
        assert np.flatnonzero(flagged(TABLES["s2-scl"], classes, [name])).tolist() == sorted([0, *values])


@pytest.mark.parametrize(
    ("bits", "category"),
    [
        (0b10, "cloud"),
        (1 << 10 | 1 << 11, "cloud"),
        (1 << 8 | 1 << 11, "dilated"),
        (1 << 14 | 1 << 11, "snow"),
        (1 << 15 | 1 << 11, "shadow"),
        (0b101 << 11, "water"),
        (1 << 11 | 1, "poor"),
    ],
)
def test_bits_of_the_quality_of_mod13_are_flagged(bits: int, category: str) -> None:
    assert flagged(TABLES["modis-vi"], words(bits), [category])[0]
    land_and_good = 1 << 11
    assert not flagged(TABLES["modis-vi"], words(land_and_good), CATEGORIES)[0]


def test_reliability_of_mod13_is_read_from_signed_bytes() -> None:
    found = words(-1, 0, 1, 2, 3, dtype=np.int8)
    assert flagged(TABLES["modis-reliability"], found, ["cloud"]).tolist() == [
        True,
        False,
        False,
        False,
        True,
    ]
    assert flagged(TABLES["modis-reliability"], found, ["snow"]).tolist() == [True, False, False, True, False]


@pytest.mark.parametrize(
    ("bits", "category"),
    [
        (1, "cloud"),
        (2, "cloud"),
        (1 << 10, "cloud"),
        (1 << 2, "shadow"),
        (2 << 8, "cirrus"),
        (1 << 12, "snow"),
        (1 << 15, "snow"),
        (1 << 13, "dilated"),
        (3 << 3, "water"),
    ],
)
def test_bits_of_the_state_of_mod09_are_flagged(bits: int, category: str) -> None:
    land = 1 << 3
    word = bits if category == "water" else bits | land
    assert flagged(TABLES["modis-state"], words(word), [category])[0]
    assert not flagged(TABLES["modis-state"], words(land | 3 | 1 << 8), CATEGORIES)[0]


def test_fill_is_always_masked() -> None:
    fills = {"landsat-c2": 1, "landsat-c1": 1, "landsat-pre": 1, "s2-scl": 0, "modis-vi": 3}
    fills |= {"modis-reliability": 255, "modis-state": 65535, "modis-brdf": 255}
    assert set(fills) == set(TABLES)
    for name, value in fills.items():
        assert flagged(TABLES[name], words(value))[0], name
