import pytest

from helikon.portal.render import ago


@pytest.mark.parametrize(
    ("past", "text"), [(0, "0 s"), (59, "59 s"), (61, "1 min"), (7200, "2 h"), (200_000, "2 d"), (-5, "0 s")]
)
def test_how_long_ago_is_said_in_one_unit(past: float, text: str) -> None:
    assert ago(1_000_000 - past, now=1_000_000) == text


def test_what_never_began_is_a_dash() -> None:
    assert ago(None) == "–"
