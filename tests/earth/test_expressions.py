import numpy as np
import pytest

from helikon.earth.expressions import INDICES, evaluate, parse_index
from helikon.errors import InputError

RED = np.array([0.1, 0.2, np.nan, 0.0], dtype=np.float32)
NIR = np.array([0.5, 0.2, 0.4, 0.0], dtype=np.float32)
BLUE = np.array([0.05, 0.1, 0.1, 0.1], dtype=np.float32)


def test_ndvi_is_that_of_numpy_bit_for_bit() -> None:
    with np.errstate(invalid="ignore"):
        expected = (NIR - RED) / (NIR + RED)
    found = evaluate(parse_index("ndvi"), {"red": RED, "nir": NIR})
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_evi_has_huete_s_coefficients() -> None:
    found = evaluate(parse_index("EVI"), {"red": RED, "nir": NIR, "blue": BLUE})
    assert found[0] == pytest.approx(2.5 * 0.4 / (0.5 + 0.6 - 0.375 + 1), rel=1e-6)


def test_every_named_index_can_be_evaluated() -> None:
    bands = dict.fromkeys(("blue", "green", "red", "nir", "swir16", "swir22"), NIR + 0.1)
    for name in INDICES:
        assert np.isfinite(evaluate(parse_index(name), bands)[0])


def test_an_expression_has_a_name_and_says_which_bands_it_uses() -> None:
    index = parse_index("Bright = maximum(red, nir) ** 2 - abs(-blue) / 3")
    assert (index.name, index.bands) == ("bright", ("red", "nir", "blue"))
    found = evaluate(index, {"red": RED, "nir": NIR, "blue": BLUE})
    assert found[0] == pytest.approx(0.25 - 0.05 / 3)


def test_what_is_not_finite_is_nothing() -> None:
    zero = np.zeros(1, dtype=np.float32)
    assert np.isnan(evaluate(parse_index("x=red/nir"), {"red": zero + 1, "nir": zero}))[0]
    assert np.isnan(evaluate(parse_index("x=log(red)"), {"red": zero}))[0]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "x=red.real",
        "x=red[0]",
        "x=red if nir else 1",
        "x=[red for red in nir]",
        "x=open(red)",
        "x=red and nir",
        "x=red < nir",
        "x=lambda: red",
        "x='red'",
        "x=abs(red, nir)",
        "x=abs(red, out=nir)",
        "x=True*red",
    ],
)
def test_anything_but_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"allowed in an expression|takes"):
        parse_index(text)


@pytest.mark.parametrize("text", ["x=", "x=(red", "x=1+1", "1x=red", "x=" + "-" * 5000 + "red"])
def test_what_is_no_expression_of_bands_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_index(text)
