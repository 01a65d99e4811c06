"""``helikon space classify``: another finder's catalogue, with classes and galaxies."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from helikon.cli.output import echo_json, echo_table, settings_of
from helikon.space.find_command import choose_model, show_progress, use_one_thread_for_algebra
from helikon.space.finder_settings import FLOOD_SIGMA, SCORE_THRESHOLD, FinderSettings

if TYPE_CHECKING:
    from helikon.space.catalogues.added import Classified

__all__ = ["classify"]


@click.command()
@click.argument("map_path", metavar="MAP", type=click.Path(path_type=Path))
@click.argument("catalogue_path", metavar="CATALOGUE", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default="here",
    help="Folder for the files.",
)
@click.option("--beam", default="", help="Beam in arcsec, FWHM or MAJOR,MINOR,PA; instead of the header's.")
@click.option(
    "--frame",
    type=click.Choice(("icrs", "fk5", "fk4", "galactic")),
    default="icrs",
    show_default=True,
    help="Frame of the catalogue's positions where it does not say one.",
)
@click.option(
    "--flood-sigma",
    type=float,
    default=FLOOD_SIGMA,
    show_default=True,
    help="An entry's emission reaches down to this, in local sigma.",
)
@click.option(
    "--score-threshold",
    type=click.FloatRange(0, 1),
    default=SCORE_THRESHOLD,
    show_default=True,
    help="Entries are joined if more probably than this one source; less will do in one island (0.16).",
)
@click.option(
    "--model",
    "model_name",
    default="",
    help="Model folder, models:/NAME/VERSION, or none for shapes alone; by default the shipped one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def classify(
    context: click.Context,
    map_path: Path,
    catalogue_path: Path,
    out: Path,
    beam: str,
    frame: str,
    flood_sigma: float,
    score_threshold: float,
    model_name: str,
    as_json: bool,
) -> None:
    """Classify the entries of CATALOGUE, another finder's of the radio map MAP.

    Reads CAESAR (islands, components, JSON, DS9 regions), PyBDSF (FITS, ASCII,
    CSV), Aegean, Selavy, and any VOTable, FITS table, ECSV or CSV with
    positions. Gives back the same catalogue with columns more: class, its
    probability, and which entries belong to one galaxy. Writes it in its own
    format, as classified.vot and as classified.reg to the folder.

    \b
    Examples:
      helikon space classify map.fits map.pybdsm.srl.fits --out out
      helikon space classify map.fits catalog-islands.dat --out out
      helikon space classify map.fits aegean_comp.csv --beam 7.1,6.2,-12 --json
    """
    use_one_thread_for_algebra()
    from helikon.space.beam import parse_beam
    from helikon.space.catalogues import read_catalogue
    from helikon.space.catalogues.classify import classify_places
    from helikon.space.catalogues.write import write_classified
    from helikon.space.fits import open_map

    thresholds = FinderSettings(flood_sigma=flood_sigma, score_threshold=score_threshold)
    given = parse_beam(beam) if beam else None
    with open_map(map_path, beam=given) as file:
        used, name = file.beam, file.name
        for note in file.notes:
            click.echo(f"note: {note}", err=True)
    catalogue = read_catalogue(catalogue_path, frame)
    model = choose_model(model_name, lambda: settings_of(context))
    with show_progress() as tell:
        classified = classify_places(map_path, catalogue.places, model, thresholds, beam=given, progress=tell)
        tell("files", 0, 1)
        files = write_classified(catalogue, classified, out, beam=used, map_name=name)
    summary = _summary(catalogue.kind, classified, name)
    if as_json:
        sha256 = "" if model is None else model.sha256
        echo_json(summary | {"model_sha256": sha256, "files": files})
        return
    echo_table(("CLASS", "N"), list(summary["counts"].items()), "no entries")
    for path in files.values():
        click.echo(str(path))


def _summary(kind: str, classified: "Classified", map_name: str) -> dict[str, Any]:
    from helikon.space.classes import CLASSES

    names = Counter(classified.class_names)
    flags = Counter(word for flag in classified.flags for word in flag.split())
    sizes = Counter(classified.galaxy[classified.galaxy > 0].tolist())
    return {
        "map": map_name,
        "catalogue": kind,
        "n_entries": len(classified),
        "n_galaxies": len(sizes),
        "n_galaxies_of_several_entries": sum(size > 1 for size in sizes.values()),
        "counts": {name: names[name] for name in CLASSES} | {"no class": names[""]},
        "flags": dict(flags),
    }
