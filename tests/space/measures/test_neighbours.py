"""Sources near a bright one are flagged."""

import numpy as np

from helikon.space.measures.neighbours import flag_near_bright


def flags(ra: list[float], dec: list[float], peak: list[float], words: list[str]) -> list[str]:
    values = {"ra": np.array(ra), "dec": np.array(dec), "peak_flux": np.array(peak), "flags": words}
    return flag_near_bright(values, 10.0)


def test_only_what_is_near_and_a_hundred_times_fainter_is_flagged() -> None:
    near, far = 150 / 3600, 250 / 3600  # 15 and 25 beam widths
    found = flags([0.0, near, near, far], [0.0] * 4, [1.0, 0.005, 0.02, 0.005], ["", "edge", "", ""])
    assert found == ["", "edge near_bright", "", ""]


def test_right_ascension_wraps_and_shrinks_towards_the_pole() -> None:
    step = 150 / 3600 / np.cos(np.radians(80))
    assert flags([359.999, (359.999 + step) % 360], [80, 80], [1.0, 0.001], ["", ""]) == ["", "near_bright"]


def test_flagging_again_changes_nothing() -> None:
    once = flags([0.0, 0.01], [0.0, 0.0], [1.0, 0.001], ["", "blended"])
    assert flags([0.0, 0.01], [0.0, 0.0], [1.0, 0.001], once) == once == ["", "blended near_bright"]


def test_no_sources_no_flags() -> None:
    assert flags([], [], [], []) == []
