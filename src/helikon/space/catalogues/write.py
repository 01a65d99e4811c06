"""Write a catalogue with its classes: in its own format, as VOTable and as DS9 regions."""

from pathlib import Path
from typing import Any

from astropy.table import Table, hstack

from helikon.space.beam import Beam
from helikon.space.catalogues.added import Classified, added_columns, free_prefix
from helikon.space.catalogues.catalogue import Catalogue
from helikon.space.catalogues.region_marks import region_lines
from helikon.space.catalogues.votable import write_as_votable
from helikon.space.whole import whole_files

__all__ = ["write_classified"]


def write_classified(
    catalogue: Catalogue, classified: Classified, folder: Path | str, *, beam: Beam, map_name: str
) -> dict[str, Path]:
    """Write ``classified.vot``, ``classified.reg`` and the catalogue's own format: all whole, or none.

    Parameters
    ----------
    catalogue : Catalogue
        From ``read_catalogue``; its rows and columns come first, unchanged.
    classified : Classified
        From ``classify_places``.
    folder : Path or str
        Made if need be; older files of these names are replaced.
    beam : Beam
        Of the map, for regions of entries without a shape.
    map_name : str
        For the VOTable's description.

    Returns
    -------
    dict of str to Path
        File name to path, the catalogue's own format first.
    """
    folder = Path(folder)
    added = added_columns(classified, free_prefix(catalogue.table.colnames))
    own = f"classified{catalogue.suffix}"
    names = tuple(dict.fromkeys((own, "classified.vot", "classified.reg")))
    with whole_files(folder, names) as beside:
        catalogue.write(added, beside[own])
        if own != "classified.vot":
            both: Any = _together(catalogue.table, added)
            write_as_votable(both, beside["classified.vot"], f"{catalogue.kind}, classified on {map_name}")
        if own != "classified.reg":
            axes = beam.major_arcsec, beam.minor_arcsec, beam.position_angle_deg
            lines = region_lines(catalogue.places, added, axes)
            beside["classified.reg"].write_text("\n".join([*lines, ""]), encoding="ascii")
    return {name: folder / name for name in names}


def _together(table: Table, added: Table) -> Table:
    if len(table.colnames) == 0:
        return added
    both = hstack([table, added], join_type="exact", metadata_conflicts="silent")
    both.meta.clear()
    return both
