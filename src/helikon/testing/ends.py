"""The part of the contract that is about stopping, and what is left behind."""

import pytest

from helikon.backends import Backend, wait
from helikon.errors import NotFound
from helikon.testing.one_liners import FOREVER, LEAVE_A_CHILD, assert_quiet, batch, ended, written
from helikon.workload import State

__all__ = ["EndContract"]


class EndContract:
    """How every backend ends jobs, with all that belongs to them."""

    def test_stop_ends_a_job(self, backend: Backend) -> None:
        """Stopped is not failed."""
        backend.start(batch("long", FOREVER))
        backend.stop("long")
        (status,) = backend.status("long")
        assert (status.state, status.cause) == (State.STOPPED, None)
        assert status.ended is not None

    def test_stop_ends_children_that_ignore_it_in_sessions_of_their_own(self, backend: Backend) -> None:
        """When stop returns nothing of it writes any more."""
        backend.start(batch("parent", LEAVE_A_CHILD.replace("0.5", "3600")))
        written(backend, "parent", "tick")
        backend.stop("parent")
        assert_quiet(backend, "parent")

    def test_a_job_that_ends_leaves_no_child_behind(self, backend: Backend) -> None:
        """What its main process forgot is ended too."""
        backend.start(batch("parent", LEAVE_A_CHILD))
        written(backend, "parent", "tick")
        assert ended(backend, "parent").state is State.SUCCEEDED
        assert_quiet(backend, "parent")

    def test_stop_does_nothing_to_what_is_not_alive(self, backend: Backend) -> None:
        """Unknown, stopped twice, done: all the same."""
        backend.stop("unknown")
        backend.start(batch("long", FOREVER))
        backend.stop("long")
        stopped = backend.status("long")
        backend.stop("long")
        assert backend.status("long") == stopped
        backend.start(batch("hello", "print('hello')"))
        done = wait(backend, "hello", 30)
        backend.stop("hello")
        assert backend.status("hello") == [done]
        with pytest.raises(NotFound):
            backend.status("unknown")
