"""``helikon space simulate``: made-up radio maps with their truth."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from helikon.cli.output import as_json_option, echo_json, echo_table, settings_of
from helikon.space.find_command import show_progress

if TYPE_CHECKING:
    from helikon.space.skies.data_set import Run

__all__ = ["simulate"]


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for the files; made if need be."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="The same seed gives the same sky.",
)
@click.option("--size", default=1024, show_default=True, help="Pixels along each side, 128 to 8192.")
@click.option(
    "--array",
    default="askap",
    show_default=True,
    help="Interferometer: askap, meerkat or vla-b; all for one after the other, by seed.",
)
@click.option(
    "--n-fields",
    type=click.IntRange(1, 1_000_000),
    default=1,
    show_default=True,
    help="How many; more than one go to folders field-SEED, seeds counting up.",
)
@click.option(
    "--primary-beam",
    default=0.0,
    show_default=True,
    help="FWHM of the primary beam over the field's side, corrected for; 0 for none.",
)
@click.option(
    "--n-extended", default=24.0, show_default=True, help="Extended sources to expect in 1024 x 1024 pixels."
)
@click.option(
    "--n-bright",
    default=2.0,
    show_default=True,
    help="Compact sources above 300 sigma to expect there beyond the usual counts.",
)
@click.option(
    "--source-width",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Median width of the sources of the counts in beams, before the beam; 0 for unresolved ones.",
)
@click.option(
    "--diffuse",
    default=0.0,
    show_default=True,
    help="Diffuse emission of the Galaxy: its RMS in units of the thermal noise.",
)
@click.option(
    "--templates",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of maps of real galaxies to draw extended sources from.",
)
@click.option(
    "--template-share",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Share of the extended sources that are drawn from --templates.",
)
@click.option(
    "--split",
    type=click.Choice(("train", "validation", "test")),
    default="train",
    show_default=True,
    help="Fields of different splits share no noise, no template and not all shapes.",
)
@click.option(
    "--shards", is_flag=True, help="Make a data set: each field one FITS file, and manifest.json at the end."
)
@click.option(
    "--engine",
    type=click.Choice(("local", "spark")),
    default="local",
    show_default=True,
    help="Make the fields of a data set by processes here, or by Spark.",
)
@click.option(
    "--processes",
    "n_processes",
    type=click.IntRange(min=1),
    show_default="the cores that may be used",
    help="Processes at a time for a data set; each takes about half a gigabyte at 2048 pixels.",
)
@as_json_option
@click.pass_context
def simulate(
    context: click.Context,
    /,
    *,
    out: Path,
    seed: int,
    n_fields: int,
    shards: bool,
    engine: str,
    n_processes: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Make up radio maps as a real array would see them, with the truth.

    Writes map.fits (Jy/beam), truth.vot (the true sources) and labels.fits
    (which source each pixel belongs to). With --shards each field is one FITS
    file with all of these, and fields that are there already are kept.

    \b
    Example:
      helikon space simulate --out sky --seed 7 --array meerkat
      helikon space find sky/map.fits --out sky
      helikon space evaluate sky/sources.vot --truth sky
      helikon space simulate --out set --shards --n-fields 3000 --array all
      helikon space simulate --out set --shards --n-fields 3000 --engine spark
    """
    options["templates"] = str(options["templates"] or "")
    seeds = range(seed, seed + n_fields)
    if shards:
        run = _runner(engine, n_processes, context)
        _data_set(out, seeds, options, run, as_json=as_json)
        return
    if engine != "local" or n_processes:
        raise click.UsageError("--engine and --processes are for data sets: add --shards.")
    rows = _folders(out, seeds, options)
    columns = ("seed", "array", "n_sources", "n_artefacts", "folder")
    if as_json:
        echo_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        echo_table([column.upper() for column in columns], rows, "no fields")


def _folders(out: Path, seeds: range, options: dict[str, Any]) -> list[tuple[int, str, int, int, str]]:
    """Make fields as folders of files; gives the rows to print."""
    from helikon.space.skies import simulate_sky
    from helikon.space.skies.data_set import array_of, refuse_bad_options
    from helikon.space.skies.files import write_sky
    from helikon.space.whole import made_folder

    refuse_bad_options(options, seeds[0])
    rows = []
    with _told(len(seeds)) as told:
        for n_done, number in enumerate(seeds, start=1):
            folder = out if len(seeds) == 1 else out / f"field-{number}"
            array = array_of(options["array"], number)
            made_folder(folder)
            sky = simulate_sky(number, **(options | {"array": array}))
            write_sky(sky, folder)
            n_artefacts = sum(name == "spurious" for name in sky.truth["class"])
            rows.append((number, array, len(sky.truth) - n_artefacts, n_artefacts, str(folder)))
            told(n_done, len(seeds))
    return rows


def _data_set(out: Path, seeds: range, options: dict[str, Any], run: "Run", *, as_json: bool) -> None:
    from helikon.space.skies.data_set import MANIFEST, make_data_set

    with _told(len(seeds)) as told:
        manifest = make_data_set(out, seeds, options, run=run, told=told)
    summary = {name: value for name, value in manifest.items() if name != "fields"}
    if as_json:
        echo_json(summary | {"manifest": str(out / MANIFEST)})
        return
    echo_table(("CLASS", "N"), list(summary["counts"].items()), "nothing in them")
    n_bytes, n_kept = summary["n_bytes"], summary["n_kept"]
    click.echo(f"{len(seeds)} fields, {n_kept} of them kept, {n_bytes / 1e6:.0f} MB: {out / MANIFEST}")


def _runner(engine: str, n_processes: int | None, context: click.Context) -> "Run":
    """Say how the fields of a data set are made."""
    if engine == "local":
        from helikon.pool import run_in_processes

        return functools.partial(run_in_processes, n_processes=n_processes or len(os.sched_getaffinity(0)))
    from helikon.spark.tasks import run_tasks

    settings = settings_of(context)

    def run(function: Any, items: Any, told: Any) -> list[Any]:
        return run_tasks(function, items, settings, n_tasks=len(items), label="simulate", progress=told)

    return run


@contextlib.contextmanager
def _told(n_fields: int) -> Iterator[Callable[[int, int], None]]:
    """Show how many fields are made."""
    with show_progress() as tell:
        tell("fields", 0, n_fields)
        yield functools.partial(tell, "fields")
