"""``helikon space find``: from a map to its catalogue, without the platform."""

import contextlib
import functools
import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from helikon.cli.output import echo_json, echo_table, settings_of
from helikon.space.finder_settings import FLOOD_SIGMA, SCORE_THRESHOLD, SEED_SIGMA, FinderSettings

if TYPE_CHECKING:
    from helikon.settings import Settings
    from helikon.space.model import SourceModel
    from helikon.space.survey import Run

__all__ = ["choose_model", "find", "model_folder", "show_progress", "use_one_thread_for_algebra"]


@click.command()
@click.argument("map_path", metavar="MAP", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default="here",
    help="Folder for the files.",
)
@click.option("--beam", default="", help="Beam in arcsec, FWHM or MAJOR,MINOR,PA; instead of the header's.")
@click.option(
    "--seed-sigma",
    type=float,
    default=SEED_SIGMA,
    show_default=True,
    help="Least peak of a source in local sigma.",
)
@click.option(
    "--flood-sigma",
    type=float,
    default=FLOOD_SIGMA,
    show_default=True,
    help="Sources reach down to this, in local sigma.",
)
@click.option(
    "--score-threshold",
    type=click.FloatRange(0, 1),
    default=SCORE_THRESHOLD,
    show_default=True,
    help="Pieces are joined if more probably than this one source; less will do in one island (0.16), "
    "and more is asked of points (9/16).",
)
@click.option(
    "--model",
    "model_name",
    default="",
    help="Model folder, models:/NAME/VERSION, or none for islands alone; by default the shipped one.",
)
@click.option(
    "--engine",
    type=click.Choice(("local", "spark")),
    default="local",
    show_default=True,
    help="Search the windows of a large map by processes here, or by Spark.",
)
@click.option(
    "--processes",
    "n_processes",
    type=click.IntRange(min=1),
    show_default="the cores that may be used, within the memory",
    help="Processes at a time; each takes up to a gigabyte.",
)
@click.option(
    "--window-pixels",
    type=int,
    default=2560,
    show_default=True,
    help="Largest side of a window; a map of no more pixels is searched as a whole.",
)
@click.option(
    "--cutouts",
    "n_cutouts",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Also show so many sources on contact sheets, those that are not compact first.",
)
@click.option("--fits-cutouts", is_flag=True, help="Write each source of --cutouts as FITS too.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def find(
    context: click.Context,
    *,
    map_path: Path,
    out: Path,
    beam: str,
    seed_sigma: float,
    flood_sigma: float,
    score_threshold: float,
    model_name: str,
    engine: str,
    n_processes: int | None,
    window_pixels: int,
    n_cutouts: int,
    fits_cutouts: bool,
    as_json: bool,
) -> None:
    """Find, classify and measure the sources of the radio map MAP.

    Writes the catalogue to the folder as VOTable (sources.vot, components.vot),
    FITS (sources.fits), DS9 regions (sources.reg), CAESAR's JSON (sources.json)
    and picture (sources.png), and what was searched as MOC (searched.moc.fits).
    A large map is searched window by window; if that is
    stopped, the same command goes on with what is left.

    \b
    Example:
      helikon space find map.fits --out out
      helikon space find map.fits.gz --beam 7.1,6.2,-12 --seed-sigma 4.5
      helikon space find map.fits --out out --cutouts 40
      helikon space find mosaic.fits --out out --processes 4
      helikon space find mosaic.fits --out out --engine spark
    """
    if fits_cutouts and not n_cutouts:
        raise click.UsageError("--fits-cutouts is for the sources of the contact sheets: add --cutouts N.")
    use_one_thread_for_algebra()
    with _no_garbage():
        from helikon.space.fits import open_map
        from helikon.space.formats import write_catalogue
        from helikon.space.report import report
        from helikon.space.survey import ModelFile, search_map

    told = FinderSettings(
        seed_sigma=seed_sigma,
        flood_sigma=flood_sigma,
        score_threshold=score_threshold,
        window_pixels=window_pixels,
    )
    folder = model_folder(model_name, lambda: settings_of(context))
    run = _runner(engine, n_processes, context)
    with show_progress() as tell:
        search = search_map(
            map_path,
            ModelFile.of(folder),
            told,
            out=out,
            run=run,
            beam=_beam(beam),
            progress=tell,
            always_by_tasks=engine == "spark",
        )
        with search as (catalogue, radio_map):
            tell("files", 0, 1)
            with open_map(map_path, beam=radio_map.beam) as file:
                files = write_catalogue(catalogue, radio_map, out, searched=file)
                if n_cutouts:
                    from helikon.space.outputs.cutouts import write_cutouts

                    files |= write_cutouts(catalogue, file, out, n_cutouts, fits=fits_cutouts)
    for note in radio_map.notes:
        click.echo(f"note: {note}", err=True)
    summary = report(catalogue)
    if as_json:
        echo_json(summary | {"files": files})
        return
    echo_table(("CLASS", "N"), list(summary["counts"].items()), "nothing found")
    for path in files.values():
        click.echo(str(path))


def use_one_thread_for_algebra() -> None:
    """Keep OpenBLAS from waiting in a loop: the matrices are small, and its idle threads take whole cores.

    It reads this once, when NumPy is imported: call it before.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@contextlib.contextmanager
def _no_garbage() -> Iterator[None]:
    """Import without looking for garbage: what imports make stays, and to look for it takes a sixth more."""
    was_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looking:
            gc.enable()


def model_folder(name: str, settings: "Callable[[], Settings]") -> Path | None:
    """Return the folder of the model that a user names, or None for none.

    Parameters
    ----------
    name : str
        Empty for the one that comes with Helikon, ``none`` for none, else a
        folder or ``models:/…``.
    settings : callable
        Gives the settings, where the registry is needed.
    """
    if name == "none":
        return None
    if name.startswith("models:/"):
        from helikon.catalogue.models import fetch, find_model

        known = settings()
        return fetch(known, find_model(known, name))
    if name:
        return Path(name)
    from helikon.space.card import SHIPPED

    return SHIPPED


def choose_model(name: str, settings: "Callable[[], Settings]") -> "SourceModel | None":
    """Load the model that a user names; see :func:`model_folder`."""
    from helikon.space.model import load_model

    folder = model_folder(name, settings)
    return None if folder is None else load_model(folder)


def _runner(engine: str, n_processes: int | None, context: click.Context) -> "Run":
    """Say how the tasks of a survey are run."""
    if engine == "local":
        from helikon.pool import run_in_processes

        if n_processes is not None:
            os.environ.setdefault("OMP_NUM_THREADS", str(n_processes))
        return functools.partial(run_in_processes, n_processes=n_processes or _usual_processes())
    from helikon.spark.tasks import run_tasks

    settings = settings_of(context)

    def run(function: Any, items: Any, told: Any) -> None:
        run_tasks(function, items, settings, n_tasks=len(items), label="find", progress=told)

    return run


def _usual_processes() -> int:
    """Return the number of cores that this process may use, or fewer where memory is short."""
    import psutil

    gigabytes = int(psutil.virtual_memory().available / 1e9)
    return max(1, min(len(os.sched_getaffinity(0)), gigabytes))


@contextlib.contextmanager
def show_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on stderr where that is a terminal; gives what ``find_sources`` calls."""
    if not sys.stderr.isatty():
        yield lambda step, n_done, n_total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def tell(step: str, n_done: int, n_total: int) -> None:
            bar.update(task, description=step, completed=n_done, total=n_total if n_total > 1 else None)

        yield tell


def _beam(text: str) -> Any:
    from helikon.space.beam import parse_beam

    return parse_beam(text) if text else None
