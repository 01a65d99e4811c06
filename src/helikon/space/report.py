"""What a catalogue says in short."""

from typing import Any

from astropy.table import QTable

from helikon.space.catalogue import provenance_of, source_counts

__all__ = ["report"]


def report(catalogue: QTable) -> dict[str, Any]:
    """Return counts and provenance of a catalogue as plain values for JSON.

    Returns
    -------
    dict
        ``n_sources`` (artefacts not counted), ``n_artefacts``, ``counts`` by
        class, ``brightest`` (name and peak flux density in Jy/beam, or None),
        and what the catalogue's ``meta`` holds.
    """
    counts = source_counts(catalogue)
    real = [row for row in catalogue if str(row["class"]) != "spurious"]
    brightest = None
    if real:
        first = max(real, key=lambda row: row["peak_flux"].value)
        brightest = {"name": str(first["name"]), "peak_flux": float(first["peak_flux"].value)}
    return {
        "n_sources": len(real),
        "n_artefacts": counts["spurious"],
        "counts": counts,
        "brightest": brightest,
        **provenance_of(catalogue),
    }
