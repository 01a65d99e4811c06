"""Published models: names, versions, aliases, checksums and where they came from.

MLflow's registry holds them. :func:`publish` copies a model folder to the
artifacts of a run, registers that copy as a version and moves an alias to it,
in this order, so that a version is never seen before it is whole.
"""

import contextlib
import dataclasses
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from helikon.catalogue.checksums import sha256_of_folder
from helikon.catalogue.folders import CARD, appear, check_model_folder
from helikon.catalogue.runs import record
from helikon.catalogue.tracking import client, engine_errors, exists, prepare
from helikon.errors import EngineError, InputError, NotFound
from helikon.settings import Settings

__all__ = ["Model", "fetch", "fetch_uri", "find_model", "list_models", "publish"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_URI = re.compile(r"(?:models:/)?(?P<name>[^/@]+)(?:/(?P<version>\d+)|@(?P<alias>[A-Za-z0-9_.-]+))?")
_SHA256, _SERVICE, _OWNER, _SOURCE = "helikon.sha256", "helikon.service", "helikon.owner", "helikon.source."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One version of a published model.

    Attributes
    ----------
    name : str
        In the registry.
    version : int
        From 1 up.
    aliases : tuple of str
        Names that point at this version, ``champion`` say.
    sha256 : str
        Of its folder, see :func:`helikon.catalogue.checksums.sha256_of_folder`;
        empty if it was registered by something else.
    service : str
        ``APP/SERVICE`` or ``module:Class`` that serves it.
    run_id : str
        The MLflow run that made it.
    owner : str
        Who published it.
    created : float
        Unix time in seconds.
    sources : Mapping[str, str]
        Where the data it learnt from came from.
    description : str
        In words.
    """

    name: str
    version: int
    aliases: tuple[str, ...] = ()
    sha256: str = ""
    service: str = ""
    run_id: str = ""
    owner: str = ""
    created: float = 0.0
    sources: Mapping[str, str] = dataclasses.field(default_factory=dict)
    description: str = ""

    @property
    def uri(self) -> str:
        """``models:/NAME/VERSION``, which never changes its meaning."""
        return f"models:/{self.name}/{self.version}"


def publish(
    settings: Settings,
    folder: Path,
    name: str,
    *,
    service: str,
    alias: str = "champion",
    sources: Mapping[str, str] | None = None,
    run_id: str | None = None,
    description: str = "",
) -> Model:
    """Register a model folder as a new version, and let an alias point at it.

    A folder with the same content as a version of that name is that version;
    only the alias moves.

    Parameters
    ----------
    settings : Settings
        Say where the registry is and who the owner is.
    folder : Path
        Holds ``weights.safetensors``, ``model.json`` and whatever else its
        service reads.
    name : str
        Letters, digits, ``.``, ``_`` and ``-``.
    service : str
        ``APP/SERVICE`` or ``module:Class`` that serves it.
    alias : str
        Moves to this version; empty moves none.
    sources : Mapping[str, str], optional
        Where the data it learnt from came from.
    run_id : str, optional
        The run that trained it. By default the one that its card names, if
        that is known here; else a run is made.
    description : str
        In words.

    Raises
    ------
    InputError
        If the name or the folder cannot be used.
    """
    _check_name(name, alias)
    check_model_folder(folder)
    mlflow, digest = client(settings), sha256_of_folder(folder)
    with (
        FileLock(_folder_of(settings, name, make=True) / "lock"),
        engine_errors(f"{name} cannot be published"),
    ):
        known = next((one for one in _versions(mlflow, name) if one.tags.get(_SHA256) == digest), None)
        if known is None:
            tags = {_SHA256: digest, _SERVICE: service, _OWNER: settings.owner}
            tags |= {f"{_SOURCE}{key}": value for key, value in (sources or {}).items()}
            with _run(settings, mlflow, folder, f"publish-{name}-{digest[:12]}", run_id) as run:
                source = _copy(mlflow, run, folder, f"models/{name}-{digest[:12]}", digest)
                known = _register(mlflow, name, source, run, tags=tags, description=description)
        elif known.tags.get(_SERVICE) != service:
            mlflow.set_model_version_tag(name, known.version, _SERVICE, service)
        if alias:
            mlflow.set_registered_model_alias(name, alias, str(known.version))
    return find_model(settings, f"models:/{name}/{known.version}")


def list_models(settings: Settings) -> list[Model]:
    """Return every version of every model: by name, newest first."""
    if not exists(settings):
        return []
    mlflow = client(settings)
    with engine_errors("the registry cannot be read"):
        aliases = {model.name: model.aliases for model in _all(mlflow.search_registered_models)}
        found = [_model(one, aliases.get(one.name, {})) for one in _all(mlflow.search_model_versions)]
    return sorted(found, key=lambda model: (model.name, -model.version))


def find_model(settings: Settings, uri: str) -> Model:
    """Return one version.

    Parameters
    ----------
    settings : Settings
        Say where the registry is.
    uri : str
        ``models:/NAME/3``, ``models:/NAME@champion`` or ``NAME``: the version
        with the alias ``champion``, else the newest. ``models:/`` can be left out.

    Raises
    ------
    NotFound
        Says which models, versions or aliases there are.
    """
    parts = _URI.fullmatch(uri)
    if parts is None:
        raise InputError(
            "this names no model", got=repr(uri), expected="NAME, models:/NAME/VERSION or models:/NAME@ALIAS"
        )
    models = list_models(settings)
    versions = [model for model in models if model.name == parts["name"]]
    if not versions:
        known = ", ".join(dict.fromkeys(model.name for model in models))
        raise NotFound(
            f"no model {parts['name']}",
            expected=f"one of {known}" if known else "none is published",
            next_step="helikon model publish FOLDER --name NAME publishes one" if not known else None,
        )
    return _pick(versions, parts["version"], parts["alias"])


def fetch(settings: Settings, model: Model) -> Path:
    """Return a local folder with a model's files, their SHA-256 checked.

    Raises
    ------
    EngineError
        If the registry's copy is not what was published.
    """
    if not model.sha256:
        raise InputError(
            f"{model.uri} cannot be fetched",
            got="no checksum with it",
            expected="a model that helikon published",
        )
    target = _folder_of(settings, model.name, make=True) / str(model.version)
    with FileLock(target.parent / "lock"):
        if not target.is_dir() or sha256_of_folder(target) != model.sha256:
            appear(target, lambda beside: _download(settings, model, beside))
            _remember(target, model)
    return target


def fetch_uri(settings: Settings, uri: str) -> tuple[Model, Path]:
    """Find and fetch; a version fetched before is checked and returned without asking the registry."""
    parts = _URI.fullmatch(uri)
    if parts and parts["version"]:
        remembered = _folder_of(settings, parts["name"]) / f"{parts['version']}.json"
        if remembered.is_file():
            fields = json.loads(remembered.read_text())
            model = Model(**{**fields, "aliases": tuple(fields["aliases"])})
            return model, fetch(settings, model)
    model = find_model(settings, uri)
    return model, fetch(settings, model)


@contextlib.contextmanager
def _run(settings: Settings, mlflow: Any, folder: Path, name: str, run_id: str | None) -> Iterator[str]:
    """Yield the run that a version belongs to: the one given, the card's, or a new one."""
    named = run_id or json.loads((folder / CARD).read_text(encoding="utf-8")).get("run_id")
    if named and (run_id or _is_known(mlflow, named)):
        yield named
        return
    with record(settings, kind="publish", name=name, inputs={"folder": folder}) as run:
        yield run.run_id


def _is_known(mlflow: Any, run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        mlflow.get_run(run_id)
    except MlflowException:
        return False
    return True


def _copy(mlflow: Any, run_id: str, folder: Path, place: str, digest: str) -> str:
    """Copy a folder to a run's artifacts, and return where the copy is."""
    mlflow.log_artifacts(run_id, str(folder), place)
    source = f"{mlflow.get_run(run_id).info.artifact_uri}/{place}"
    if Path(source).is_dir() and sha256_of_folder(Path(source)) != digest:
        raise InputError(f"{folder} changed while it was copied", next_step="publish it again")
    return source


def _register(
    mlflow: Any, name: str, source: str, run_id: str, *, tags: dict[str, str], description: str
) -> Any:
    if name not in (one.name for one in _all(mlflow.search_registered_models)):
        mlflow.create_registered_model(name)
    return mlflow.create_model_version(name, source, run_id, tags=tags, description=description)


def _download(settings: Settings, model: Model, beside: Path) -> None:
    mlflow, uri = client(settings), prepare(settings)
    with engine_errors(f"{model.uri} cannot be fetched"):
        source = mlflow.get_model_version_download_uri(model.name, str(model.version))
        if Path(source).is_dir():
            shutil.copytree(source, beside, dirs_exist_ok=True)
        else:
            _download_from_server(source, beside, uri)
    if (got := sha256_of_folder(beside)) != model.sha256:
        raise EngineError(
            f"the files of {model.uri} are not those that were published",
            got=f"SHA-256 {got}",
            expected=model.sha256,
            next_step="publish the model again",
        )


def _download_from_server(source: str, beside: Path, uri: str) -> None:
    from mlflow.artifacts import download_artifacts

    inner = beside / ".download"
    inner.mkdir()
    got = Path(download_artifacts(artifact_uri=source, dst_path=str(inner), tracking_uri=uri))
    for path in list(got.iterdir()):
        shutil.move(path, beside / path.name)
    shutil.rmtree(inner)


def _remember(target: Path, model: Model) -> None:
    beside = target.with_name(f".{target.name}.json")
    beside.write_text(json.dumps(dataclasses.asdict(model), indent=1))
    beside.replace(target.with_name(f"{target.name}.json"))


def _pick(versions: list[Model], version: str | None, alias: str | None) -> Model:
    name = versions[0].name
    if version:
        found = [model for model in versions if model.version == int(version)]
        known = ", ".join(str(model.version) for model in reversed(versions))
    else:
        found = [model for model in versions if (alias or "champion") in model.aliases]
        found = found or ([] if alias else versions)
        known = ", ".join(word for model in versions for word in model.aliases) or "no alias"
    if not found:
        wanted = f"version {version}" if version else f"alias {alias}"
        raise NotFound(f"model {name} has no {wanted}", expected=f"one of {known}")
    return found[0]


def _versions(mlflow: Any, name: str) -> list[Any]:
    return [one for one in _all(mlflow.search_model_versions) if one.name == name]


def _all(search: Any) -> list[Any]:
    """Return all pages of a search."""
    found: list[Any] = []
    token = None
    while True:
        page = search(page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return found


def _model(version: Any, aliases: Mapping[str, Any]) -> Model:
    tags = version.tags
    return Model(
        name=version.name,
        version=int(version.version),
        aliases=tuple(sorted(name for name, at in aliases.items() if int(at) == int(version.version))),
        sha256=tags.get(_SHA256, ""),
        service=tags.get(_SERVICE, ""),
        run_id=version.run_id or "",
        owner=tags.get(_OWNER, ""),
        created=version.creation_timestamp / 1000,
        sources={key.removeprefix(_SOURCE): value for key, value in tags.items() if key.startswith(_SOURCE)},
        description=version.description or "",
    )


def _folder_of(settings: Settings, name: str, *, make: bool = False) -> Path:
    folder = settings.state_dir / "models" / name
    if make:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _check_name(name: str, alias: str) -> None:
    for what, value in (("a model's name", name), ("an alias", alias or "none")):
        if not _NAME.fullmatch(value):
            raise InputError(
                f"{what} cannot be used", got=repr(value), expected="letters, digits, '.', '_' and '-'"
            )
