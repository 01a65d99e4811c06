"""``helikon earth prepare``: scenes to chips and images."""

from typing import TYPE_CHECKING, Any

import click

from helikon.cli.output import as_json_option, echo_json, echo_table, settings_of
from helikon.earth.choices import bounds, engine_options, floats, show_progress, words

if TYPE_CHECKING:
    from helikon.earth.prepare import Prepared

__all__ = ["prepare", "scene_options"]

_SENSORS = (
    "landsat-c2-l2",
    "landsat-l1",
    "sentinel2-l2a",
    "modis-vi",
    "modis-reflectance",
    "modis-brdf",
)


def scene_options(command: Any) -> Any:
    """Add the options that say what is made of scenes, before any chip is cut."""
    for option in reversed(_SCENE_OPTIONS):
        command = option(command)
    return command


_SCENE_OPTIONS = (
    click.option(
        "--sensor",
        type=click.Choice(_SENSORS),
        help="Take the files for this product's, whatever their names.",
    ),
    click.option(
        "--bands",
        default="",
        show_default="all of the sensor's own resolution, or none with --index",
        help="Bands to keep, as red,nir.",
    ),
    click.option(
        "--index",
        "indices",
        multiple=True,
        metavar="NAME[=EXPRESSION]",
        help="ndvi, ndwi, nbr, evi, evi2, savi, ndmi, mndwi, ndsi, or x=(nir-red)/(nir+red); repeatable.",
    ),
    click.option(
        "--mask",
        default="cloud,shadow,cirrus,dilated",
        show_default=True,
        help="What to mask: cloud, shadow, snow, cirrus, water, dilated (next to a cloud), poor; or none.",
    ),
    click.option("--qa", default="", help="Read the quality bands by this table (landsat-pre, s2-scl, …)."),
    click.option(
        "--sun-elevation",
        "sun_elevation_deg",
        type=click.FloatRange(min=0, max=90, min_open=True),
        help="Degrees, for Landsat Level 1 files without their MTL.",
    ),
    click.option(
        "--crs", default="", show_default="the first scene's", help="Of the result: EPSG:32617 or WKT."
    ),
    click.option(
        "--resolution",
        type=float,
        show_default="the first scene's",
        help="Of a pixel, in units of the CRS.",
    ),
    click.option(
        "--bounds",
        "bounds_text",
        default="first",
        show_default=True,
        help="WEST,SOUTH,EAST,NORTH in the CRS; or first or union of the scenes.",
    ),
    click.option(
        "--resampling",
        type=click.Choice(("nearest", "bilinear", "cubic", "average")),
        default="nearest",
        show_default=True,
        help="How pixels come onto the grid; average for a coarser one.",
    ),
    click.option(
        "--composite",
        type=click.Choice(("none", "median", "mean", "max-ndvi", "best-pixel")),
        default="none",
        show_default=True,
        help="How the scenes of a period become one image; none makes one of each day.",
    ),
    click.option(
        "--period",
        type=click.Choice(("all", "year", "month", "day")),
        default="all",
        show_default=True,
        help="Of one composite.",
    ),
)


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--out", required=True, help="Folder or s3://bucket/prefix for chips, images and manifest.")
@scene_options
@click.option("--chip", default=256, show_default=True, help="Pixels along a chip's side; 0 makes no chips.")
@click.option("--overlap", default=0, show_default=True, help="Pixels that neighbouring chips share.")
@click.option(
    "--min-clear",
    type=click.FloatRange(min=0, max=1),
    default=0.5,
    show_default=True,
    help="Leave out chips with a smaller share of pixels with data.",
)
@click.option(
    "--normalise",
    type=click.Choice(("none", "standard")),
    default="none",
    show_default=True,
    help="By mean and standard deviation of each band of the train chips.",
)
@click.option("--fill", type=float, show_default="NaN", help="Number that stands for no data in chips.")
@click.option(
    "--split",
    "split_text",
    default="0.7,0.15,0.15",
    show_default=True,
    help="Shares of train, validation and test, by blocks of place.",
)
@click.option(
    "--block",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Chips along the side of a block of one split.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("npz", "zarr")),
    default="npz",
    show_default=True,
    help="Of the chips.",
)
@click.option("--image/--no-image", default=True, show_default=True, help="Write the composite as COG too.")
@click.option("--strict", is_flag=True, help="Fail if a scene cannot be read, instead of leaving it out.")
@click.option("--overwrite", is_flag=True, help="Replace another preparation in the same place.")
@engine_options
@as_json_option
@click.pass_context
def prepare(
    context: click.Context,
    /,
    *,
    sources: tuple[str, ...],
    out: str,
    engine: str,
    n_processes: int | None,
    strict: bool,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Turn scenes into calibrated, masked, composited chips and images.

    SOURCE is a STAC item, collection or search result (file or URL), a folder
    or s3:// prefix of a product, or GeoTIFF, COG and JP2 files: Landsat 8 and
    9, Sentinel-2 Level 2A, MODIS. The same call again keeps what is whole and
    makes the rest.

    \b
    Example:
      helikon earth prepare LC09_L2SP_029030_20240712/ --index ndvi --out ndvi
      helikon earth prepare search.json --bands red,nir --composite median --out s3://chips/2024
      helikon earth prepare MOD13Q1/ --mask cloud,snow --chip 64 --format zarr --out cube
      helikon earth prepare T17SKB.SAFE/ --index "x=(nir-red)/(nir+red)" --chip 0 --out map
    """
    from helikon.earth.engines import choose
    from helikon.earth.prepare import prepare as run

    settings = settings_of(context)
    with show_progress() as tell:
        made = run(
            sources,
            out,
            options_of(**options),
            settings,
            run=choose(engine, settings, n_processes),
            strict=strict,
            overwrite=overwrite,
            tell=tell,
        )
    report(made, as_json=as_json)


def options_of(
    *,
    bands: str,
    mask: str,
    bounds_text: str,
    split_text: str = "1,0,0",
    fill: float | None = None,
    sensor: str | None = None,
    **others: Any,
) -> Any:
    """Return the :class:`~helikon.earth.options.Options` that the command line asks for."""
    from helikon.earth.options import Options

    if fill is not None:
        others["fill"] = fill
    return Options(
        bands=words(bands),
        mask=words(mask),
        bounds=bounds(bounds_text),
        split=floats(split_text, 3, "--split"),  # type: ignore[arg-type]
        sensor=sensor or "",
        **others,
    )


def report(made: "Prepared", *, as_json: bool) -> None:
    """Print what was made, and on stderr what was taken on trust or failed."""
    for note in made.notes:
        click.echo(f"note: {note}", err=True)
    for scene, reason in made.summary.failed.items():
        click.echo(f"helikon: scene {scene} cannot be read and was left out: {reason}", err=True)
    if as_json:
        echo_json(
            {
                "url": made.url,
                "n_chips": made.n_chips,
                "bands": made.summary.bands,
                "times": made.summary.times,
                "images": made.summary.images,
                "clear": made.summary.clear,
                "scenes": made.summary.scenes,
                "failed": made.summary.failed,
                "n_units": made.n_units,
                "n_kept": made.n_kept,
            }
        )
        return
    echo_table(("SPLIT", "CHIPS"), list(made.n_chips.items()), "no chips")
    n_scenes, clear = len(made.summary.scenes), made.summary.clear
    click.echo(f"{n_scenes} scene{'s' * (n_scenes != 1)}, {', '.join(made.summary.bands)}, {clear:.1%} clear")
    for image in made.summary.images:
        click.echo(f"{made.url}/{image}")
    click.echo(f"{made.url}/manifest.parquet")
