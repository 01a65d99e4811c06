"""One URL for where data lie: a folder, S3 (any endpoint), or HTTP, which can only be read.

:func:`open_folder` returns a :class:`Folder` of objects under keys. An object
is written whole or not at all, and a key that is written twice holds what was
written last, so a task that is tried again does no harm. A folder goes to a
worker without its keys, which the worker finds again (``object_keys.py``).
``stores.py`` holds the three kinds.
"""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlsplit

from helikon.errors import InputError, NotReady
from helikon.object_keys import Place, find_place
from helikon.settings import Settings

__all__ = ["Content", "Folder", "open_folder"]

_T = TypeVar("_T")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0

Content = bytes | Sequence[memoryview] | Path


class Store(Protocol):
    """What keeps the objects of one folder."""

    def write(self, key: str, data: "Content", lasting: bool) -> None: ...
    def read(self, key: str) -> bytes: ...
    def list(self, prefix: str) -> Iterator[str]: ...
    def version(self, key: str) -> str: ...
    def delete(self, key: str) -> None: ...
    def settle(self, keys: "Iterable[str]") -> None: ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Folder:
    """Objects under keys, in a folder, a bucket or on a web server.

    It can be pickled, and holds no secret then. Keys are relative paths with
    slashes: ``chips/000012.npz``.

    Attributes
    ----------
    url : str
        As it was given, a folder's made absolute.
    place : Place or None
        The S3 endpoint and where its keys are; nothing for other kinds.
    retry_s : float
        Seconds that a store which does not answer is asked again.
    """

    url: str
    place: Place | None = None
    retry_s: float = 90.0

    @property
    def is_remote(self) -> bool:
        """Whether it is reached over a network."""
        return not self.url.startswith("/")

    @property
    def endpoint(self) -> str:
        """What is named in errors: the S3 endpoint, the web server, or the folder."""
        if self.place is not None:
            return self.place.name
        return self.url if not self.is_remote else "{0.scheme}://{0.netloc}".format(urlsplit(self.url))

    def write(self, key: str, data: "Content", *, lasting: bool = True) -> None:
        """Write an object, whole or not at all, over what was there.

        Parameters
        ----------
        key : str
            Of the object.
        data : bytes, sequence of memoryview, or Path
            Its content, in one or in pieces, or a file that holds it.
        lasting : bool
            Whether a power cut after the call leaves it there. Else it may leave
            anything under the key, until :meth:`settle` was called; but the disk
            is not waited for.

        Raises
        ------
        EngineError
            If it cannot be written: the disk is full, the store refuses it.
        NotReady
            If the store does not answer in ``retry_s``.
        InputError
            If it is HTTP, or the key cannot be used.
        """
        self._store.write(_checked(key), data, lasting)

    def settle(self, keys: Iterable[str]) -> None:
        """Return when a power cut would leave the objects under keys as they are.

        Raises
        ------
        EngineError
            If the disk failed.
        """
        self._store.settle(_checked(key) for key in keys)

    def read(self, key: str) -> bytes:
        """Return an object's content.

        Raises
        ------
        NotFound
            If there is none.
        NotReady
            If the store does not answer in ``retry_s``.
        """
        return self._store.read(_checked(key))

    def list(self, prefix: str = "") -> list[str]:
        """Return the keys that begin with a prefix, in order; none is an empty list.

        Raises
        ------
        InputError
            If it is HTTP, which has no listing.
        """
        return sorted(self._store.list(prefix))

    def exists(self, key: str) -> bool:
        """Whether there is an object under a key."""
        return bool(self.version(key))

    def version(self, key: str) -> str:
        """Return what tells an object from an earlier one (size, ETag or time); empty if there is none."""
        return self._store.version(_checked(key))

    def delete(self, key: str) -> None:
        """Remove an object; nothing if there is none."""
        self._store.delete(_checked(key))

    def gdal_path(self, key: str) -> str:
        """Return what GDAL opens an object by: ``/vsis3/…``, ``/vsicurl/…`` or its path."""
        _checked(key)
        if not self.is_remote:
            return f"{self.url}/{key}"
        if self.place is not None:
            return f"/vsis3/{self.url.removeprefix('s3://')}/{key}"
        return f"/vsicurl/{self.url}/{quote(key)}"

    def gdal_options(self) -> dict[str, Any]:
        """Return the options of ``rasterio.Env(**options)`` for reading by :meth:`gdal_path`.

        Call it in the process that reads. The keys are in its ``session``.
        """
        from helikon.spark.gdal import options

        return options(self)

    def patiently(self, read: Callable[[], _T]) -> _T:
        """Return ``read()``; while the store does not answer, wait and call it again.

        For reads that do not go through this class, by GDAL say. It is told
        an :class:`OSError` (as rasterio's are) of a store that is away from
        one of an object that cannot be read by asking the store.

        Raises
        ------
        NotReady
            If the store does not answer in ``retry_s``.
        OSError
            What ``read`` raised, if the store answers and it raised it twice.
        """
        until, wait_s, n_answered = time.monotonic() + self.retry_s, _FIRST_WAIT_S, 0
        while True:
            try:
                return read()
            except OSError as error:
                n_answered = n_answered + 1 if self._answers() else 0
                if not self.is_remote or n_answered == 2:
                    raise
                if time.monotonic() > until:
                    raise NotReady(
                        f"object storage at {self.endpoint} does not answer",
                        got=f"{error} for {self.retry_s:g} s",
                        next_step="see that it runs and can be reached, or raise objects.retry_s",
                    ) from error
            time.sleep(min(wait_s, _LONGEST_WAIT_S))
            wait_s *= 2

    def _answers(self) -> bool:
        try:
            dataclasses.replace(self, retry_s=0.0).exists("helikon-is-there")
        except NotReady:
            return False
        return True

    @property
    def _store(self) -> Store:
        """The store, made once in each process."""
        from helikon.spark.stores import store_of

        return store_of(self)


def open_folder(url: "str | Path", settings: Settings) -> Folder:
    """Open where data lie.

    Parameters
    ----------
    url : str or Path
        ``/path``, ``path``, ``file:///path``, ``s3://bucket/prefix``,
        ``http://…`` or ``https://…``.
    settings : Settings
        ``objects`` in them says where S3 is. Its keys are kept in a file of
        mode 0600 in the state folder, where workers find them.

    Raises
    ------
    InputError
        If the URL is of none of these kinds, or names no bucket.
    """
    text = str(url)
    scheme, sign, rest = text.partition("://")
    if not sign or scheme == "file":
        path = Path(rest if sign else text).expanduser().absolute()
        return Folder(url=str(path))
    if scheme in ("http", "https") and rest.strip("/"):
        return Folder(url=text.rstrip("/"), retry_s=settings.objects.retry_s)
    if scheme == "s3" and rest.partition("/")[0]:
        place = find_place(settings)
        return Folder(url=text.rstrip("/"), place=place, retry_s=settings.objects.retry_s)
    raise InputError(
        "this URL cannot be used",
        got=repr(text),
        expected="a path, file://, s3://bucket/prefix, or http(s)://",
    )


def _checked(key: str) -> str:
    parts = key.split("/")
    if not key or any(part in ("", ".", "..") for part in parts):
        raise InputError("a key cannot be used", got=repr(key), expected="a relative path without . and ..")
    return key
