"""What the demo does in each of its steps; every function is one step on one engine."""

import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from helikon.backends import connect
from helikon.settings import Settings
from helikon.space.background import MeshPart, assemble_background, mesh_of_tile, mesh_size
from helikon.space.demo.report import progress_bar, report_text, spinner
from helikon.space.fits import RadioMap, read_map, write_map
from helikon.space.tiles import Tile, plan_tiles

if TYPE_CHECKING:
    from helikon.serving.deploy import Endpoint
    from helikon.space.skies import Sky

__all__ = [
    "RESULTS",
    "Demo",
    "Field",
    "find",
    "make_map",
    "measure_noise",
    "publish_and_serve",
    "stopping_everything",
    "train",
    "tune_thresholds",
    "write_report",
]

RESULTS = {
    "sources.vot": "the catalogue, a VOTable",
    "sources.reg": "regions for DS9",
    "sources.png": "the map with what was found",
    "report.txt": "counts, completeness and reliability",
    "map.fits": "the map",
    "noise.fits": "its noise, measured in Spark",
}
"""What lies in the demo's folder at the end."""
MODEL = "radio-sources"
N_PROCESSES = 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What one demo works with: settings, folder, name, the user's wishes, and how it tells details."""

    settings: Settings
    out: Path
    name: str
    map_path: Path | None
    training_seconds: float
    n_trials: int
    seed: int
    say: Callable[[str], None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The map that is looked at, its file, and the whole sky where it was made up."""

    path: Path
    radio_map: RadioMap
    sky: "Sky | None" = None


def make_map(demo: Demo) -> Field:
    """Read the user's map, or make a field up."""
    if demo.map_path is not None:
        field = Field(path=demo.out / "map.fits", radio_map=read_map(demo.map_path))
    else:
        field = _made_up(demo)
    write_map(field.radio_map, field.path)
    for note in field.radio_map.notes:
        demo.say(f"note: {note}")
    ny, nx = field.radio_map.data.shape
    beam = field.radio_map.beam.fwhm_arcsec
    demo.say(f"{nx} x {ny} pixels of {field.radio_map.pixel_arcsec:.2f} arcsec, beam {beam:.1f} arcsec")
    return field


def _made_up(demo: Demo) -> Field:
    from helikon.space.skies import simulate_sky

    sky = simulate_sky(demo.seed, size=1024)
    demo.say(f"{len(sky.truth)} true sources, seed {demo.seed}")
    return Field(path=demo.out / "map.fits", radio_map=sky.map, sky=sky)


def measure_noise(demo: Demo, field: Field) -> float:
    """Estimate background and noise tile by tile in Spark's workers; return the median noise in Jy/beam."""
    from helikon.spark import session
    from helikon.spark.tasks import run_tasks

    mesh = mesh_size(field.radio_map.beam_fwhm_pixels)
    tiles = plan_tiles(field.radio_map.data.shape, size=384, overlap=96)
    version = session(demo.settings, demo.name).version
    work = functools.partial(_mesh_of_tile, str(field.path), mesh)
    with progress_bar("tiles", len(tiles)) as advance:
        parts = run_tasks(work, list(tiles), demo.settings, label="tiles", progress=advance)
    background = assemble_background(parts, field.radio_map.data.shape, mesh)
    noise = float(np.nanmedian(background.rms))
    demo.say(f"Spark {version}: {len(tiles)} overlapping tiles, median noise {noise * 1e6:.1f} uJy/beam")
    write_map(dataclasses.replace(field.radio_map, data=background.rms), demo.out / "noise.fits")
    return noise


def _mesh_of_tile(path: str, mesh: int, tile: Tile) -> MeshPart:
    return mesh_of_tile(path, tile, mesh)


def tune_thresholds(demo: Demo) -> dict[str, float]:
    """Search the finder's thresholds on made-up skies."""
    from optuna.pruners import MedianPruner
    from optuna.trial import TrialState

    from helikon.space.objectives import default_thresholds, thresholds
    from helikon.spark import tune

    with progress_bar("trials", demo.n_trials) as advance:
        study = tune(
            thresholds,
            settings=demo.settings,
            n_trials=demo.n_trials,
            n_workers=2,
            study_name=demo.name,
            first=[default_thresholds()],
            pruner=MedianPruner(n_startup_trials=2),
            resume=True,
            on_update=lambda update: advance(update.n_ended, demo.n_trials),
        )
    n_pruned = len(study.get_trials(deepcopy=False, states=(TrialState.PRUNED,)))
    best = {key: float(value) for key, value in study.best_params.items()}
    demo.say(
        f"{len(study.trials)} trials, {n_pruned} pruned; "
        f"best quality {study.best_value:.3f} at {_listed(best)}"
    )
    return best


def train(demo: Demo) -> Path:
    """Fine-tune the network under torchrun, and return the folder of the model."""
    from helikon.training.follow import run_job
    from helikon.training.launch import output_folder, training_job

    options = {"start": "shipped", "time_limit_s": f"{demo.training_seconds:g}"}
    job = training_job(
        demo.settings, "space/mask-rcnn", options=options, n_processes=N_PROCESSES, name=demo.name
    )
    run_job(demo.settings, job)
    folder = output_folder(demo.settings, demo.name)
    result = json.loads((folder / "result.json").read_text())
    shown = {key: result["metrics"].get(key) for key in ("loss", "completeness", "reliability")}
    demo.say(f"{N_PROCESSES} processes, {result['step']} steps: {_listed(shown)} on held-out tiles")
    return folder / "model"


def publish_and_serve(demo: Demo, folder: Path) -> "Endpoint":
    """Register the model with its checksum and sources, start its server, and wait until it answers."""
    from helikon.catalogue.models import publish
    from helikon.catalogue.runs import find_run
    from helikon.serving.deploy import serve, wait_ready

    model = publish(
        demo.settings,
        folder,
        MODEL,
        service="space/source-finder",
        sources={"training": f"made-up skies, recipe space/mask-rcnn, job {demo.name}"},
        run_id=find_run(demo.settings, demo.name, "training"),
    )
    alias = ", ".join(model.aliases)
    demo.say(f"{model.name} version {model.version}, alias {alias}, SHA-256 {model.sha256[:16]}…")
    with spinner("starting the model server"):
        endpoint = wait_ready(demo.settings, serve(demo.settings, f"models:/{model.name}/{model.version}"))
    demo.say(f"endpoint {endpoint.url}")
    return endpoint


def find(demo: Demo, endpoint: "Endpoint", field: Field, thresholds: dict[str, float]) -> dict[str, Any]:
    """Send the map to the endpoint, unpack the catalogue, and score it where the truth is known."""
    from helikon.serving.client import EndpointClient

    name = demo.map_path.name if demo.map_path else f"made-up field {demo.seed}"
    form: dict[str, Any] = {"name": name, **thresholds}
    with EndpointClient(endpoint.url, endpoint.token) as client, spinner("finding sources"):
        response = client.post_file("find", field.path, file_field="map", **form)
    with zipfile.ZipFile(io.BytesIO(response.content)) as file:
        for member in file.namelist():
            _write_whole(demo.out / member, file.read(member))
    report: dict[str, Any] = json.loads((demo.out / "report.json").read_text())
    report["map_sha256"] = hashlib.sha256(field.path.read_bytes()).hexdigest()
    return report if field.sky is None else report | {"score": _score(demo, field.sky)}


def _score(demo: Demo, sky: "Sky") -> dict[str, Any]:
    from astropy.table import QTable

    from helikon.space.evaluation.score import score

    result = score(QTable.read(demo.out / "sources.vot"), sky)
    return {"completeness": result.completeness, "reliability": result.reliability, "text": str(result)}


def write_report(demo: Demo, report: dict[str, Any]) -> None:
    """Write ``report.json`` and ``report.txt``, and print the latter on standard output."""
    text = report_text(report)
    _write_whole(demo.out / "report.json", json.dumps(report, indent=1).encode())
    _write_whole(demo.out / "report.txt", text.encode())
    click.echo(text)


@contextlib.contextmanager
def stopping_everything(settings: Settings) -> Iterator[None]:
    """Stop what lives in the demo's own state folder: before, in case it was killed, and after."""
    from helikon.spark import close

    _stop_all(settings)
    try:
        yield
    finally:
        close()
        _stop_all(settings)


def _stop_all(settings: Settings) -> None:
    backend = connect(settings)
    for status in backend.status():
        if status.state.is_alive:
            backend.stop(status.name)


def _write_whole(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    beside.replace(path)


def _listed(values: dict[str, Any]) -> str:
    numbers = {key: value for key, value in values.items() if isinstance(value, int | float)}
    return ", ".join(f"{key.replace('_', ' ')} {value:.3g}" for key, value in numbers.items())
