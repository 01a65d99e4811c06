"""The part of the contract that is about what jobs are told and what they say."""

import pytest

from helikon.backends import Backend, wait
from helikon.errors import NotFound
from helikon.testing.one_liners import FOREVER, batch

__all__ = ["WordContract"]


class WordContract:
    """How every backend answers status and logs, and what it puts into a job's environment."""

    def test_status_answers_in_the_order_asked_or_oldest_first(self, backend: Backend) -> None:
        """One call for many."""
        assert backend.status() == []
        for name in ("c", "a", "b"):
            backend.start(batch(name, "print('began')"))
        assert [s.name for s in backend.status("b", "c", "a", "b")] == ["b", "c", "a", "b"]
        assert [s.name for s in backend.status()] == ["c", "a", "b"]

    def test_names_that_are_not_known_are_said(self, backend: Backend) -> None:
        """At the call, not at the first line."""
        backend.start(batch("known", "print('began')"))
        with pytest.raises(NotFound, match="no job unknown"):
            backend.status("known", "unknown")
        with pytest.raises(NotFound, match="no job unknown"):
            backend.logs("unknown")

    def test_logs_take_any_bytes(self, backend: Backend) -> None:
        """What is no UTF-8 is replaced; a last line without an end is a line; standard error is there."""
        code = r"import os; os.write(1, b'gal\xe9xie\n\n'); os.write(2, '5 µJy'.encode())"
        backend.start(batch("bytes", code))
        wait(backend, "bytes", 30)
        assert list(backend.logs("bytes")) == ["gal\ufffdxie", "", "5 µJy"]

    def test_followed_logs_come_while_the_job_runs_and_end_with_it(self, backend: Backend) -> None:
        """The first line is there long before the end."""
        backend.start(batch("long", FOREVER))
        lines = backend.logs("long", follow=True)
        assert next(lines) == "began"
        assert backend.status("long")[0].state.is_alive
        backend.stop("long")
        assert list(lines) == []
        assert list(backend.logs("long", follow=True)) == ["began"]

    def test_a_job_knows_its_name_its_settings_and_its_environment(self, backend: Backend) -> None:
        """The settings are the backend's, not those of the caller's shell."""
        code = (
            "import os; from helikon.settings import load; "
            "print(os.environ['HELIKON_JOB'], os.environ['FIELD'], load().owner)"
        )
        backend.start(batch("curious", code, environment=(("FIELD", "scorpio"),)))
        wait(backend, "curious", 30)
        assert list(backend.logs("curious")) == ["curious scorpio ada"]
