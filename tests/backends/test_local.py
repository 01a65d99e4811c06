"""The local backend keeps the contract, also through kill -9 at every moment."""

from collections.abc import Iterator

import pytest

from helikon.backends import Backend
from helikon.backends.local import LocalBackend
from helikon.settings import Settings
from helikon.testing import BackendContract, server_commands


class TestContract(BackendContract):
    @pytest.fixture
    def backend(self, settings: Settings) -> Iterator[Backend]:
        backend = LocalBackend(settings, commands=server_commands, grace_s=1.0)
        yield backend
        for status in backend.status():
            backend.stop(status.name)

    def elsewhere(self, backend: Backend) -> str:
        assert isinstance(backend, LocalBackend)
        return (
            "from helikon.backends.local import LocalBackend\nfrom helikon.settings import load\n"
            f"backend = LocalBackend(load(overrides={{'state_dir': {str(backend.folder.parent)!r}, 'owner': 'ada'}}))"
        )
