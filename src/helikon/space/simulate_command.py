"""``helikon space simulate``: made-up radio maps with their truth."""

from pathlib import Path

import click

from helikon.cli.output import as_json_option, echo_json, echo_table

__all__ = ["simulate"]


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for the files; made if need be."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same sky.")
@click.option("--size", default=1024, show_default=True, help="Pixels along each side, 128 to 8192.")
@click.option(
    "--array",
    default="askap",
    show_default=True,
    help="Interferometer: askap, meerkat or vla-b.",
)
@click.option(
    "--n-fields",
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
@as_json_option
def simulate(
    *, out: Path, seed: int, size: int, array: str, n_fields: int, primary_beam: float, as_json: bool
) -> None:
    """Make up radio maps as a real array would see them, with the truth.

    Writes map.fits (Jy/beam), truth.vot (the true sources) and labels.fits
    (which source each pixel belongs to).

    \b
    Example:
      helikon space simulate --out sky --seed 7 --array meerkat
      helikon space find sky/map.fits --out sky
      helikon space evaluate sky/sources.vot --truth sky
    """
    from helikon.space.skies import simulate_sky
    from helikon.space.skies.files import write_sky

    rows = []
    for number in range(seed, seed + n_fields):
        folder = out if n_fields == 1 else out / f"field-{number}"
        sky = simulate_sky(number, size=size, array=array, primary_beam=primary_beam)
        write_sky(sky, folder)
        n_artefacts = sum(name == "spurious" for name in sky.truth["class"])
        rows.append((number, array, len(sky.truth) - n_artefacts, n_artefacts, str(folder)))
    columns = ("seed", "array", "n_sources", "n_artefacts", "folder")
    if as_json:
        echo_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        echo_table([column.upper() for column in columns], rows, "no fields")
