"""One helikon.yaml for laptop and cluster.

:func:`load` builds one frozen :class:`Settings` from, weakest first: the
defaults here, ``helikon.yaml``, ``HELIKON_*`` variables, and the caller's own
overrides. Entry points call it once and pass the result down; nothing in
Helikon keeps a copy at module level. An unknown key is an error.
"""

import difflib
import getpass
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic
import yaml

from helikon.errors import SettingsError

__all__ = [
    "GatewaySettings",
    "ObjectSettings",
    "ServingSettings",
    "Settings",
    "SparkSettings",
    "default_state_dir",
    "load",
]


class _Section(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def default_state_dir() -> Path:
    """Return ``$XDG_DATA_HOME/helikon``, or ``~/.local/share/helikon``."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "helikon"


class GatewaySettings(_Section):
    """The gateway: JupyterHub, its proxy and the portal."""

    host: str = "127.0.0.1"
    """Address that the proxy listens on. Anything but loopback needs TLS in front of it."""
    port: int = pydantic.Field(8000, ge=0, le=65535)
    """Port of the one URL. 0 takes a free one."""
    user: str = ""
    """Name of the one local account; empty means the name of the user who runs Helikon."""
    ready_timeout_s: float = pydantic.Field(90.0, gt=0)
    """How many seconds `helikon up` waits for the gateway to answer."""
    idle_timeout_s: int = pydantic.Field(0, ge=0)
    """Notebook servers idle for this many seconds are stopped; 0 never stops them."""
    hub_config: dict[str, dict[str, Any]] = pydantic.Field(default_factory=dict)
    """JupyterHub's own options, `{Class: {trait: value}}`, passed on untranslated."""


class SparkSettings(_Section):
    """The Spark service."""

    master: str = "local[*,3]"
    """Spark master; `local[*,3]` uses all cores and tries a failed task three times."""
    remote: str = ""
    """URL of a Spark Connect server (`sc://…`); when set, `master` is not used."""
    driver_memory_gib: float = pydantic.Field(2.0, gt=0)
    """Memory of the driver's JVM in GiB."""
    conf: dict[str, str] = pydantic.Field(default_factory=dict)
    """Spark's own options, passed on untranslated."""


class ObjectSettings(_Section):
    """Object storage: where ``s3://`` is, and the keys to it."""

    endpoint: str = ""
    """URL of an S3 service; empty means `AWS_ENDPOINT_URL`, else the embedded server, else Amazon's."""
    region: str = ""
    """Region of the buckets; empty means `AWS_REGION`, else `us-east-1`."""
    access_key: str = ""
    """Name of the keys; empty means `AWS_ACCESS_KEY_ID`, else those of the embedded server, else nobody."""
    secret_key: pydantic.SecretStr = pydantic.SecretStr("")
    """Its secret, never shown, written into a job's settings or sent to a worker."""
    retry_s: float = pydantic.Field(90.0, ge=0)
    """How many seconds a store that does not answer is asked again before that is an error."""
    embedded: bool = False
    """Whether `helikon up` starts SeaweedFS, an S3 server, on this machine."""

    @pydantic.field_serializer("secret_key", when_used="json")
    def _without_secret(self, _value: pydantic.SecretStr) -> str:
        return ""

    def __getstate__(self) -> dict[Any, Any]:
        """Leave the secret out of a pickle."""
        state = dict(super().__getstate__())
        state["__dict__"] = state["__dict__"] | {"secret_key": pydantic.SecretStr("")}
        return state


class ServingSettings(_Section):
    """Model servers."""

    n_threads: int = pydantic.Field(2, ge=1)
    """Requests that one model server works on at a time."""
    timeout_s: float = pydantic.Field(600.0, gt=0)
    """Seconds after which a request is given up."""
    max_upload_mib: int = pydantic.Field(2048, ge=1)
    """Largest body that a model server takes, in MiB."""
    ready_timeout_s: float = pydantic.Field(120.0, gt=0)
    """How many seconds to wait for a model server to answer."""


class Settings(_Section):
    """All settings."""

    state_dir: Path = pydantic.Field(default_factory=default_state_dir)
    """The one folder that holds everything the platform knows."""
    owner: str = pydantic.Field(default_factory=getpass.getuser)
    """Who jobs and models are recorded for."""
    backend: Literal["local"] = "local"
    """Where workloads run."""
    tracking_uri: str = ""
    """MLflow tracking and registry server; empty means a database in `state_dir`."""
    gateway: GatewaySettings = GatewaySettings()
    """The gateway."""
    spark: SparkSettings = SparkSettings()
    """The Spark service."""
    serving: ServingSettings = ServingSettings()
    """Model servers."""
    objects: ObjectSettings = ObjectSettings()
    """Object storage."""

    @pydantic.field_validator("state_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()


def load(
    path: Path | str | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Build the settings.

    Parameters
    ----------
    path : Path or str, optional
        A settings file. By default ``HELIKON_CONFIG``, else ``helikon.yaml``
        in the working folder where there is one.
    environ : Mapping[str, str]
        ``HELIKON_STATE_DIR`` sets ``state_dir``, ``HELIKON_GATEWAY_PORT`` sets
        ``gateway.port``; values are read as YAML, but for settings that are
        text. An empty one counts as not set.
    overrides : Mapping[str, Any], optional
        Keys as in the file; stronger than all else.

    Raises
    ------
    SettingsError
        Says which setting, what was got and what was expected.
    """
    values: dict[str, Any] = {}
    for layer in (_read_file(path, environ), _from_environment(environ), dict(overrides or {})):
        _merge(values, layer)
    try:
        return Settings.model_validate(values)
    except pydantic.ValidationError as error:
        raise _explain(error) from error


def environment_names() -> dict[str, tuple[str, ...]]:
    """Return every ``HELIKON_*`` variable that sets a setting, with the setting's key."""
    names: dict[str, tuple[str, ...]] = {}
    for key, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, _Section):
            for inner in section.model_fields:
                names[f"HELIKON_{key}_{inner}".upper()] = (key, inner)
        else:
            names[f"HELIKON_{key}".upper()] = (key,)
    return names


def _read_file(path: Path | str | None, environ: Mapping[str, str]) -> dict[str, Any]:
    named = path or environ.get("HELIKON_CONFIG")
    file = Path(named) if named else Path("helikon.yaml")
    if not named and not file.is_file():
        return {}
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"settings file {file} cannot be read", got=reason) from error
    if not isinstance(values, dict):
        raise SettingsError(
            f"settings file {file} has the wrong form", got=type(values).__name__, expected="a mapping"
        )
    return values


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    _refuse_misspelt(environ)
    values: dict[str, Any] = {}
    for variable, key in environment_names().items():
        if not environ.get(variable):
            continue
        section = values
        for name in key[:-1]:
            section = section.setdefault(name, {})
        section[key[-1]] = _as_value(environ[variable], _kind(key))
    return values


def _refuse_misspelt(environ: Mapping[str, str]) -> None:
    """Refuse variables that look like one of ours; jobs are given others that are no settings."""
    known = environment_names()
    sections = tuple({f"HELIKON_{key[0]}_".upper() for key in known.values() if len(key) > 1})
    for variable in environ:
        if not variable.startswith("HELIKON_") or variable in known:
            continue
        close = difflib.get_close_matches(variable, known, n=3, cutoff=0.85)
        if close or variable.startswith(sections):
            expected = ", ".join(close or [name for name in known if name.startswith(sections)])
            raise SettingsError(f"variable {variable} sets nothing", expected=f"one of {expected}")


def _kind(key: tuple[str, ...]) -> Any:
    """Return the annotation of a setting."""
    section: Any = Settings
    for name in key:
        section = section.model_fields[name].annotation
    return section


def _as_value(text: str, kind: Any) -> Any:
    if kind in (str, Path, pydantic.SecretStr):
        return text
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return text if value is None else value


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if value is None:
            continue  # a section of the file with nothing in it
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _explain(error: pydantic.ValidationError) -> SettingsError:
    first = error.errors()[0]
    where = first["loc"]
    key = ".".join(str(part) for part in where)
    if first["type"] == "extra_forbidden":
        section = Settings if len(where) == 1 else _kind((str(where[0]),))
        return SettingsError(f"unknown setting {key}", expected=f"one of {', '.join(section.model_fields)}")
    # Options that are passed on to an engine may be secrets: say their type alone.
    may_be_shown = len(where) <= 2 and _kind(tuple(map(str, where))) is not pydantic.SecretStr
    got = repr(first["input"]) if may_be_shown else f"a value of type {type(first['input']).__name__}"
    return SettingsError(f"setting {key}", got=got, expected=first["msg"].removeprefix("Input should be "))
