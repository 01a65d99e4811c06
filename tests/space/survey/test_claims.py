"""Where windows meet, every piece ends in one source."""

from typing import Any

from helikon.space.survey.claims import Claim, settle


def claim(window: int, *pieces: tuple[int, int], **options: Any) -> Claim:
    """A claim whose box is drawn around its pieces, unless told otherwise."""
    y, x = zip(*pieces, strict=True)
    box = (min(y) - 3, min(x) - 3, max(y) + 4, max(x) + 4)
    values = {"row": 0, "box": box, "is_cut": False, "is_owned": True} | options
    return Claim(window=window, pieces=frozenset(pieces), **values)


def test_a_source_that_one_window_reports_stands() -> None:
    only = claim(0, (10, 10))
    assert settle([only]) == ([only], [])


def test_windows_that_agree_leave_the_source_to_its_owner() -> None:
    owner, other = claim(0, (10, 10), (10, 30)), claim(1, (10, 10), (10, 30), is_owned=False)
    assert settle([other, owner]) == ([owner], [])


def test_pieces_that_one_window_joins_and_the_other_does_not_are_looked_at_again() -> None:
    joined, apart, alone = claim(0, (10, 10), (10, 30)), claim(1, (10, 30)), claim(1, (90, 90))
    standing, (patch,) = settle([joined, apart, alone])
    assert standing == [alone]
    assert patch.claims == (joined, apart)
    assert patch.pixels == {(10, 10), (10, 30)}
    assert patch.box == (7, 7, 14, 34)


def test_a_source_without_an_owner_is_looked_at_again() -> None:
    lost = claim(0, (10, 10), (10, 30), is_owned=False)
    assert settle([lost])[1][0].claims == (lost,)


def test_parts_of_one_object_that_borders_cut_become_one_patch() -> None:
    left = claim(0, (10, 10), is_cut=True, box=(0, 0, 20, 64))
    right = claim(1, (12, 90), is_cut=True, box=(0, 32, 20, 120))
    inside = claim(1, (5, 50))
    far = claim(2, (300, 300))
    standing, (patch,) = settle([left, right, inside, far])
    assert standing == [far]
    assert patch.box == (0, 0, 20, 120)
    assert patch.pixels == {(10, 10), (12, 90), (5, 50)}


def test_stand_ins_share_no_piece_and_are_owned_first() -> None:
    seen, cut = claim(0, (10, 10), is_owned=False, is_cut=True), claim(1, (10, 10), is_cut=True)
    (patch,) = settle([seen, cut])[1]
    assert patch.stand_ins() == [cut]


def test_no_claims_give_nothing() -> None:
    assert settle([]) == ([], [])
