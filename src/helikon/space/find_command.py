"""``helikon space find``: from a map to its catalogue, without the platform."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from helikon.cli.output import echo_json, echo_table, settings_of

if TYPE_CHECKING:
    from helikon.settings import Settings
    from helikon.space.model import SourceModel

__all__ = ["choose_model", "find", "show_progress"]


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
    "--seed-sigma", type=float, default=5.0, show_default=True, help="Least peak of a source in local sigma."
)
@click.option(
    "--flood-sigma",
    type=float,
    default=3.0,
    show_default=True,
    help="Sources reach down to this, in local sigma.",
)
@click.option(
    "--model",
    "model_name",
    default="",
    help="Model folder, models:/NAME/VERSION, or none for islands alone; by default the shipped one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def find(
    context: click.Context,
    map_path: Path,
    out: Path,
    beam: str,
    seed_sigma: float,
    flood_sigma: float,
    model_name: str,
    as_json: bool,
) -> None:
    """Find, classify and measure the sources of the radio map MAP.

    Writes sources.vot (catalogue), sources.reg (DS9 regions) and sources.png
    to the folder.

    \b
    Example:
      helikon space find map.fits --out out
      helikon space find map.fits.gz --beam 7.1,6.2,-12 --seed-sigma 4.5
    """
    from helikon.space.finder import FinderSettings, find_sources
    from helikon.space.fits import read_map
    from helikon.space.formats import write_catalogue
    from helikon.space.report import report

    thresholds = FinderSettings(seed_sigma=seed_sigma, flood_sigma=flood_sigma)
    radio_map = read_map(map_path, beam=_beam(beam))
    for note in radio_map.notes:
        click.echo(f"note: {note}", err=True)
    model = choose_model(model_name, lambda: settings_of(context))
    with show_progress() as tell:
        catalogue = find_sources(radio_map, model, thresholds, progress=tell)
        tell("files", 0, 1)
        files = write_catalogue(catalogue, radio_map, out)
    summary = report(catalogue)
    if as_json:
        echo_json(summary | {"files": files})
        return
    echo_table(("CLASS", "N"), list(summary["counts"].items()), "nothing found")
    for path in files.values():
        click.echo(str(path))


def choose_model(name: str, settings: "Callable[[], Settings]") -> "SourceModel | None":
    """Load the model that a user names.

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
    import torch

    from helikon.space.model import load_model

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0))))
    if name.startswith("models:/"):
        from helikon.catalogue.models import fetch, find_model

        known = settings()
        return load_model(fetch(known, find_model(known, name)))
    return load_model(Path(name) if name else None)


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
