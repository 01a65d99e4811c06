"""``helikon earth predict``: a model over prepared chips, as a map."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from helikon.cli.output import as_json_option, echo_json, echo_table, settings_of
from helikon.earth.choices import engine_options, show_progress

if TYPE_CHECKING:
    from helikon.earth.engines import Run
    from helikon.settings import Settings

__all__ = ["predict"]


@click.command()
@click.argument("model_name", metavar="MODEL")
@click.option(
    "--chips", "chips_url", default="", help="What helikon earth prepare wrote: folder or s3:// URL."
)
@click.option(
    "--scenes",
    "sources",
    multiple=True,
    metavar="SOURCE",
    help="Prepare these scenes as the model wants them, to OUT/chips; repeatable.",
)
@click.option("--out", required=True, help="Folder or s3://bucket/prefix for map.tif and map.json.")
@engine_options
@as_json_option
@click.pass_context
def predict(
    context: click.Context,
    /,
    *,
    model_name: str,
    chips_url: str,
    sources: tuple[str, ...],
    out: str,
    engine: str,
    n_processes: int | None,
    as_json: bool,
) -> None:
    """Map what MODEL says of prepared chips, as a Cloud Optimized GeoTIFF.

    MODEL is NAME, models:/NAME/VERSION or a folder: scikit-learn, ONNX or
    PyTorch, for pixels or for chips. A class map holds 0 where there is no
    data, then the classes from 1.

    \b
    Example:
      helikon earth predict land-cover --chips cube --out map
      helikon earth predict models:/land-cover/2 --scenes MOD13Q1/ --out map
      helikon earth predict ./model --chips s3://chips/2024 --out s3://maps/2024 --engine spark
    """
    from helikon.earth.engines import choose
    from helikon.earth.predict import predict as run_model

    if bool(chips_url) == bool(sources):
        raise click.UsageError("give either --chips or --scenes.")
    settings = settings_of(context)
    run = choose(engine, settings, n_processes)
    model = _folder(model_name, settings)
    with show_progress() as tell:
        if sources:
            chips_url = f"{out.rstrip('/')}/chips"
            _prepared(model, sources, chips_url, settings, run, tell)
        made = run_model(model, chips_url, out, settings, run=run, tell=tell)
    if as_json:
        echo_json(made)
        return
    total = max(1, sum(made.counts.values()))
    rows = [(name, count, f"{count / total:.1%}") for name, count in made.counts.items()]
    echo_table(("CLASS", "PIXELS", "SHARE"), rows, "nothing mapped")
    click.echo(f"{made.url}/{made.image}")


def _folder(name: str, settings: "Settings") -> Path:
    if Path(name).is_dir():
        return Path(name)
    from helikon.catalogue.models import fetch_uri

    return fetch_uri(settings, name)[1]


def _prepared(
    model: Path, sources: tuple[str, ...], url: str, settings: "Settings", run: "Run", tell: Any
) -> None:
    """Prepare scenes with the options that the model's card names."""
    from helikon.earth.models import read_card
    from helikon.earth.options import Options
    from helikon.earth.prepare import prepare

    card = read_card((model / "model.json").read_bytes())[0]
    wanted: dict[str, Any] = {"min_clear": 0.0, "image": False}
    wanted |= {name: tuple(v) if isinstance(v, list) else v for name, v in card.prepare.items()}
    options = Options(**wanted)
    made = prepare(sources, url, options, settings, run=run, tell=tell)
    for note in made.notes:
        click.echo(f"note: {note}", err=True)
