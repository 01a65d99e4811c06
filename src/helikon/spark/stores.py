"""The three kinds of stores behind :class:`helikon.spark.objects.Folder`: a folder, S3, and HTTP."""

import contextlib
import functools
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from helikon.apps import needing
from helikon.errors import EngineError, HelikonError, InputError, NotFound, NotReady, SettingsError
from helikon.object_keys import find_keys
from helikon.spark.objects import Content, Folder, Store

__all__ = ["store_of"]

_PARTIAL = ".partial"
_CONNECT_S = 5
_REQUEST_S = 120
_AT_ONCE = 2**20
"""Bytes; a file system takes pieces of this size two to four times as fast as 40 MiB in one."""


@functools.lru_cache(maxsize=32)
def store_of(folder: Folder) -> Store:
    """Return the store of a folder; a process keeps the few that it used last."""
    if not folder.is_remote:
        return _Disk(Path(folder.url))
    with needing(f"{folder.url} needs object storage", "spark"):
        return _Web(folder) if folder.place is None else _Bucket(folder)


class _Disk:
    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, key: str, data: Content, lasting: bool) -> None:
        path = self._root / key
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_PARTIAL}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                _fill(file, data)
                file.flush()
                if lasting:
                    os.fsync(file.fileno())
                else:
                    _begin_to_settle(file)
            os.replace(beside, path)
        except OSError as error:
            raise self._failed(key, error) from error
        finally:
            with contextlib.suppress(OSError):
                beside.unlink()

    def read(self, key: str) -> bytes:
        try:
            return (self._root / key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NotFound(f"there is no {key} in {self._root}") from error

    def list(self, prefix: str) -> Iterator[str]:
        root = str(self._root)
        top = os.path.join(root, os.path.dirname(prefix))
        for folder, _, names in os.walk(top):
            for name in names:
                key = os.path.relpath(os.path.join(folder, name), root)
                if key.startswith(prefix) and not name.endswith(_PARTIAL):
                    yield key

    def version(self, key: str) -> str:
        path = self._root / key
        if not path.is_file():
            return ""
        stat = path.stat()
        return f"{stat.st_size} {stat.st_mtime_ns}"

    def delete(self, key: str) -> None:
        (self._root / key).unlink(missing_ok=True)

    def settle(self, keys: Iterable[str]) -> None:
        for key in keys:
            try:
                with (self._root / key).open("rb") as file:
                    os.fsync(file.fileno())
            except OSError as error:
                raise self._failed(key, error) from error

    def _failed(self, key: str, error: OSError) -> EngineError:
        return EngineError(
            f"{key} cannot be written to {self._root}",
            got=error.strerror or str(error),
            next_step="make room, or write elsewhere",
        )


class _Remote:
    """What S3 and HTTP have in common; ``obstore`` asks again until ``retry_s`` are over."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    @functools.cached_property
    def _store(self) -> Any:
        raise NotImplementedError

    def read(self, key: str) -> bytes:
        import obstore

        with self._told(key):
            return bytes(obstore.get(self._store, key).bytes())

    def version(self, key: str) -> str:
        import obstore

        try:
            with self._told(key):
                head = obstore.head(self._store, key)
        except NotFound:
            return ""
        return f"{head['size']} {head['e_tag'] or head['last_modified'].isoformat()}"

    def settle(self, keys: Iterable[str]) -> None:
        """Do nothing: what a store has taken it keeps."""

    def _options(self) -> dict[str, Any]:
        seconds = self._folder.retry_s
        return {
            "client_options": {
                "allow_http": True,
                "connect_timeout": timedelta(seconds=_CONNECT_S),
                "timeout": timedelta(seconds=_REQUEST_S),
            },
            "retry_config": {
                "max_retries": 1000 if seconds else 0,
                "retry_timeout": timedelta(seconds=seconds),
                "backoff": {
                    "init_backoff": timedelta(seconds=0.2),
                    "max_backoff": timedelta(seconds=5),
                    "base": 2,
                },
            },
        }

    @contextlib.contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Raise obstore's errors as ours, in one line, without what it was sent."""
        from obstore import exceptions

        try:
            yield
        except (exceptions.BaseError, FileNotFoundError) as error:
            raise _explained(error, self._folder, key) from error


class _Bucket(_Remote):
    @functools.cached_property
    def _store(self) -> Any:
        from obstore.store import S3Store

        place = self._folder.place
        assert place is not None
        keys = find_keys(place)
        bucket, _, prefix = self._folder.url.removeprefix("s3://").partition("/")
        known: Any = {
            "access_key_id": keys.access_key,
            "secret_access_key": keys.secret_key,
            "session_token": keys.session_token,
            "endpoint": place.endpoint,
        }
        return S3Store(
            bucket,
            prefix=prefix or None,
            region=place.region,
            virtual_hosted_style_request=not place.endpoint,
            skip_signature=not keys.access_key,
            **dict(filter(all, known.items())),
            **self._options(),
        )

    def write(self, key: str, data: Content, lasting: bool) -> None:
        import obstore

        with self._told(key):
            obstore.put(self._store, key, data if isinstance(data, bytes | Path) else b"".join(data))

    def list(self, prefix: str) -> Iterator[str]:
        import obstore

        folder = prefix.rpartition("/")[0]
        with contextlib.suppress(NotFound), self._told(prefix or "its keys"):
            for batch in obstore.list(self._store, folder or None):
                yield from (one["path"] for one in batch if one["path"].startswith(prefix))

    def delete(self, key: str) -> None:
        import obstore

        with self._told(key), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, key)


class _Web(_Remote):
    @functools.cached_property
    def _store(self) -> Any:
        from obstore.store import HTTPStore

        return HTTPStore(self._folder.url, **self._options())

    def write(self, key: str, data: Content, lasting: bool) -> None:
        self._refuse(f"{key} cannot be written")

    def list(self, prefix: str) -> Iterator[str]:
        self._refuse("objects cannot be listed")
        yield prefix

    def delete(self, key: str) -> None:
        self._refuse(f"{key} cannot be deleted")

    def _refuse(self, what: str) -> None:
        raise InputError(
            f"{what} at {self._folder.url}", got="a web server", expected="a folder or s3://bucket/prefix"
        )


def _explained(error: Exception, folder: Folder, key: str) -> HelikonError:
    from obstore import exceptions

    said, endpoint = str(error), folder.endpoint
    if "NoSuchBucket" in said:
        return NotFound(f"there is no bucket of {folder.url} at {endpoint}")
    if isinstance(error, FileNotFoundError):
        return NotFound(f"there is no {key} in {folder.url}", got=f"asked {endpoint}")
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return SettingsError(
            f"{endpoint} refuses {key} in {folder.url}",
            got=f"access key {folder.place.access_key or 'none'}" if folder.place else "no access",
            next_step="look at objects.access_key, objects.secret_key and the bucket's rights",
        )
    if re.search("error sending request|HTTP error|timed out|status code: 50", said):
        return NotReady(
            f"object storage at {endpoint} does not answer",
            got=f"{_reason(said)} for {folder.retry_s:g} s",
            next_step="see that it runs and can be reached, or raise objects.retry_s",
        )
    return EngineError(f"{endpoint} failed over {key}", got=_reason(said))


def _begin_to_settle(file: BinaryIO) -> None:
    """Have Linux begin to write a file to the disk, without waiting for it."""
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _fill(file: BinaryIO, data: Content) -> None:
    if isinstance(data, Path):
        with data.open("rb") as source:
            shutil.copyfileobj(source, file, _AT_ONCE)
        return
    for piece in [memoryview(data)] if isinstance(data, bytes) else data:
        for start in range(0, piece.nbytes, _AT_ONCE):
            file.write(piece[start : start + _AT_ONCE])


def _reason(said: str) -> str:
    """Return the innermost cause of an error of obstore."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return (lines[0] if lines else "no reason").rpartition(" - ")[2][:300]
