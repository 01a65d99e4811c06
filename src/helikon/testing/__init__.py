"""Tests that ship with Helikon, for those who extend it.

A class of tests holds the whole contract of a backend; whoever writes a
backend subclasses it and overrides its fixture. It is not used at run time
and needs pytest. Read :class:`BackendContract` in ``backend.py`` first.
"""

import pytest

_PARTS = ("backend", "ends", "lives", "one_liners", "servers", "words")
pytest.register_assert_rewrite(*(f"helikon.testing.{part}" for part in _PARTS))

from helikon.testing.backend import BackendContract  # noqa: E402
from helikon.testing.polling import eventually  # noqa: E402
from helikon.testing.server import server_commands  # noqa: E402

__all__ = ["BackendContract", "eventually", "server_commands"]
