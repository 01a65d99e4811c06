import inspect

import pytest

from helikon import errors
from helikon.portal.problems import STATUS, status_of

ALL = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.HelikonError)
]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_has_a_status_and_its_class_of_blame(kind: type[errors.HelikonError]) -> None:
    status = status_of(kind("x"))
    assert status == STATUS.get(kind, status_of(kind.__mro__[1]("x")))
    if issubclass(kind, errors.EngineError):
        assert status >= 500


def test_an_error_that_is_not_ours_is_500() -> None:
    assert status_of(ValueError()) == 500
