import optuna
import pytest

from helikon.errors import InputError
from helikon.spark.ranges import Choice, Range, read_space, suggest


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1e-5..1e-2 log", Range(low=1e-5, high=1e-2, is_log=True)),
        ("2..8", Range(low=2, high=8, is_whole=True)),
        ("2..8 int", Range(low=2, high=8, is_whole=True)),
        ("1..1000 log int", Range(low=1, high=1000, is_log=True, is_whole=True)),
        ("0.5 .. 1", Range(low=0.5, high=1)),
        ("-1.5..1.5", Range(low=-1.5, high=1.5)),
        ("adam, sgd", Choice(values=("adam", "sgd"))),
        ("only", Choice(values=("only",))),
    ],
)
def test_a_range_is_read(text: str, meant: Range | Choice) -> None:
    assert read_space([f"key={text}"]) == {"key": meant}


@pytest.mark.parametrize("pair", ["key", "=1..2", "key=", "key=a,,b", "key=2..1", "key=0..1 log", "key=a..b"])
def test_what_cannot_be_read_is_refused(pair: str) -> None:
    with pytest.raises(InputError, match="search"):
        read_space([pair])


def test_what_is_suggested_lies_in_the_space() -> None:
    space = read_space(["rate=1e-5..1e-2 log", "depth=2..8", "kind=a,b"])
    for _ in range(20):
        found = suggest(optuna.create_study().ask(), space)
        assert 1e-5 <= found["rate"] <= 1e-2
        assert found["depth"] in range(2, 9)
        assert found["kind"] in ("a", "b")
