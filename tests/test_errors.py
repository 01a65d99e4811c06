"""One tree of errors, one line each, an exit code for every one."""

import inspect

import pytest

from helikon import errors
from helikon.errors import EngineError, HelikonError, InputError, UserError

ALL = [item for _, item in inspect.getmembers(errors, inspect.isclass)]


def test_the_drawing_shows_every_error() -> None:
    assert sorted(error.__name__ for error in ALL) == sorted(errors.__all__)
    for error in ALL:
        assert error.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_an_error_is_the_users_or_an_engines(error: type[HelikonError]) -> None:
    if error is not HelikonError:
        assert issubclass(error, UserError) != issubclass(error, EngineError)
    assert error.exit_code == (1 if issubclass(error, UserError) else 70)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InputError("no beam"), "no beam"),
        (InputError("no beam", got="nothing"), "no beam: got nothing"),
        (InputError("no beam", expected="BMAJ"), "no beam: expected BMAJ"),
        (InputError("no beam", got=0, expected="BMAJ"), "no beam: got 0, expected BMAJ"),
        (InputError("no beam", next_step="give --beam"), "no beam; give --beam"),
        (
            InputError("no beam", got=0, expected="BMAJ", next_step="give --beam"),
            "no beam: got 0, expected BMAJ; give --beam",
        ),
    ],
)
def test_a_message_says_what_got_expected_next(error: HelikonError, text: str) -> None:
    assert str(error) == text


def test_the_parts_of_a_message_can_be_read() -> None:
    error = InputError("no beam", got=0, expected="BMAJ", next_step="give --beam")
    assert (error.what, error.got, error.expected, error.next_step) == ("no beam", 0, "BMAJ", "give --beam")


def test_errors_have_one_shape_in_json() -> None:
    error = InputError("no beam", got=0, next_step="give --beam")
    assert error.as_dict() == {"what": "no beam", "got": "0", "expected": None, "next": "give --beam"}
