"""The keys of object storage: where they come from, and how another process finds them again.

A secret is in the settings, in the usual ``AWS_*`` variables, or in the state
folder, where the embedded server's are made. It travels by none of these: what
is written down or sent to a worker holds the *path* of a file that only its
owner can read, one for each endpoint and access key.
"""

import dataclasses
import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from helikon.errors import SettingsError
from helikon.settings import Settings

__all__ = ["Keys", "Place", "find_keys", "find_place", "keep_keys", "objects_folder", "write_secret"]

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Who one is at an object store.

    Attributes
    ----------
    access_key : str
        The name of the pair; empty for somebody unknown, who reads what is public.
    secret_key, session_token : str
        Never shown.
    """

    access_key: str = ""
    secret_key: str = dataclasses.field(default="", repr=False)
    session_token: str = dataclasses.field(default="", repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An S3 endpoint, and where a process finds the keys to it. It holds no secret.

    Attributes
    ----------
    endpoint : str
        URL without a slash at its end; empty for Amazon's.
    region : str
        Of the bucket.
    access_key : str
        Name of the keys.
    file : str
        Path of the private file that holds them.
    """

    endpoint: str
    region: str
    access_key: str
    file: str

    @property
    def name(self) -> str:
        """The endpoint as it is told."""
        return self.endpoint or f"Amazon S3 ({self.region})"


def objects_folder(settings: Settings) -> Path:
    """Return ``<state_dir>/objects``, made with mode 0700."""
    folder = settings.state_dir / "objects"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def find_place(settings: Settings, environ: Mapping[str, str] = os.environ) -> Place:
    """Return the endpoint that the settings mean, with its keys kept in a private file.

    The endpoint is that of the settings, else of ``AWS_ENDPOINT_URL_S3`` or
    ``AWS_ENDPOINT_URL``, else the embedded server of this state folder where
    one is up, else Amazon's. The keys are those of the settings, else of
    ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, else of the embedded
    server, else none.
    """
    asked = settings.objects
    server = _embedded(settings)
    given = asked.endpoint or _first(environ, _ENDPOINTS)
    endpoint = (given or server.get("endpoint", "")).rstrip("/")
    region = asked.region or _first(environ, _REGIONS) or "us-east-1"
    if server and endpoint == server["endpoint"] and not asked.access_key:
        return Place(
            endpoint=endpoint, region=region, access_key=server["access_key"], file=server["keys_file"]
        )
    keys = _given(settings, environ)
    place = Place(
        endpoint=endpoint,
        region=region,
        access_key=keys.access_key,
        file=str(_file(settings, endpoint, keys.access_key)) if keys.access_key else "",
    )
    if keys.secret_key:
        _keep(Path(place.file), keys)
    return place


def keep_keys(settings: Settings) -> None:
    """Keep a secret of the settings for the processes that are given the settings without it."""
    if settings.objects.secret_key.get_secret_value():
        find_place(settings)


def find_keys(place: Place, environ: Mapping[str, str] = os.environ) -> Keys:
    """Return the keys to a place: of the private file, else of this process's environment.

    Raises
    ------
    SettingsError
        If neither has them.
    """
    if not place.access_key:
        return Keys()
    try:
        return Keys(**json.loads(Path(place.file).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        found = _from_environment(environ)
    if found.access_key != place.access_key or not found.secret_key:
        raise SettingsError(
            f"there is no secret for the access key {place.access_key} of {place.name}",
            got=f"neither {place.file} nor AWS_SECRET_ACCESS_KEY",
            next_step="set objects.secret_key, or give the workers AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY",
        )
    return found


def write_secret(path: Path, content: object) -> None:
    """Write a value as JSON into a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def _given(settings: Settings, environ: Mapping[str, str]) -> Keys:
    asked = settings.objects
    if not asked.access_key:
        return _from_environment(environ)
    return Keys(access_key=asked.access_key, secret_key=asked.secret_key.get_secret_value())


def _from_environment(environ: Mapping[str, str]) -> Keys:
    return Keys(
        access_key=environ.get("AWS_ACCESS_KEY_ID", ""),
        secret_key=environ.get("AWS_SECRET_ACCESS_KEY", ""),
        session_token=environ.get("AWS_SESSION_TOKEN", ""),
    )


def _keep(file: Path, keys: Keys) -> None:
    try:
        known = Keys(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        known = None
    if known != keys:
        write_secret(file, dataclasses.asdict(keys))


def _file(settings: Settings, endpoint: str, access_key: str) -> Path:
    digest = hashlib.sha256(f"{endpoint}\n{access_key}".encode()).hexdigest()[:16]
    return objects_folder(settings) / f"keys-{digest}.json"


def _embedded(settings: Settings) -> dict[str, str]:
    """Return what the embedded server wrote down when it was started; nothing if it is down."""
    try:
        found: dict[str, str] = json.loads((settings.state_dir / "objects" / "server.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")
