"""Optuna's journal for one process: the same file, without a lock file, and with fewer waits for the disk.

Optuna's own backend takes a lock file and waits for the disk with every line,
six times a trial. Here one process holds the study, so its threads take turns
by a lock in memory, and the driver waits for the disk a few times a second
(``sync``). A process that is killed loses nothing that it wrote; a machine that
loses its power loses the last fraction of a second, which is run again.
"""

import collections
import json
import os
import threading
import weakref
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend

__all__ = ["Journal", "open_journal"]


class Journal(BaseJournalBackend):  # type: ignore[misc]
    """A file of JSON lines that this process alone appends to.

    Parameters
    ----------
    path : Path
        Of the file, made if it is not there; its last line is complete.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        weakref.finalize(self, os.close, self._descriptor)
        self._path = path
        lines = path.read_bytes().splitlines()
        self._unread = collections.deque(lines)
        self._n_read, self._size = 0, os.fstat(self._descriptor).st_size
        self._synced = self._size
        self._lock, self._syncing = threading.Lock(), threading.Lock()

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Yield what was logged from a number on; what comes before is forgotten."""
        with self._lock:
            while self._n_read < log_number_from:
                self._unread.popleft()
                self._n_read += 1
            lines = list(self._unread)
        yield from map(json.loads, lines)

    def append_logs(self, logs: Sequence[dict[str, Any]]) -> None:
        """Append lines, all or none.

        Raises
        ------
        OSError
            If the disk is full.
        """
        lines = [json.dumps(log, separators=(",", ":")).encode() for log in logs]
        data = b"".join(line + b"\n" for line in lines)
        with self._lock:
            try:
                self._write(data)
            except OSError:
                os.ftruncate(self._descriptor, self._size)
                raise
            self._size += len(data)
            self._unread.extend(lines)

    def sync(self) -> None:
        """Wait until all that was appended before is on the disk; nothing if it is."""
        wanted = self._size
        with self._syncing:
            if self._synced < wanted:
                size = self._size
                os.fsync(self._descriptor)
                self._synced = size

    def __reduce__(self) -> tuple[type["Journal"], tuple[Path]]:
        """Open the file again where it is unpickled."""
        return Journal, (self._path,)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]


class _Storage(JournalStorage):  # type: ignore[misc]
    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self._journal = journal

    def sync(self) -> None:
        """Wait until all that was written is on the disk."""
        self._journal.sync()


def open_journal(path: Path) -> JournalStorage:
    """Return a storage on a journal that this process alone writes; ``sync()`` waits for the disk."""
    return _Storage(Journal(path))
