"""Tests that ship with Helikon, for those who extend it.

A class of tests holds the whole contract of a backend; whoever writes a
backend subclasses it and overrides its fixture. It is not used at run time
and needs pytest. Read :class:`BackendContract` in ``backend.py`` first.
"""

import pytest

pytest.register_assert_rewrite("helikon.testing.backend", "helikon.testing.servers")

from helikon.testing.backend import BackendContract  # noqa: E402
from helikon.testing.polling import eventually  # noqa: E402
from helikon.testing.server import server_commands  # noqa: E402

__all__ = ["BackendContract", "eventually", "server_commands"]
