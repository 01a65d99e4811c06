"""Catalogues as CAESAR writes them: JSON with slots for class, score and associated islands.

The fields are those of ``WriteToFullJson`` in github.com/SKA-INAF/caesar, read by its tools
for inspection and classification. Pixels count from 0; fluxes are in Jy and Jy/beam, positions
in degrees (ICRS), sizes in arcseconds; ``pixels`` is left out.
"""

import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import QTable

from helikon.space.catalogue import provenance_of
from helikon.space.classes import PROBABILITY_COLUMNS
from helikon.space.fits import MapFile, RadioMap
from helikon.space.measures.outlines import outlines_in_pixels

__all__ = ["write_caesar"]

_MORPHOLOGY = {
    "compact": "COMPACT",
    "extended": "EXTENDED",
    "extended-multi-island": "EXTENDED",
    "flagged": "EXTENDED",
    "spurious": "UNKNOWN",
}
_SOURCENESS = {"spurious": "FAKE_SOURCE", "flagged": "CANDIDATE_SOURCE"}


def write_caesar(catalogue: QTable, searched: RadioMap | MapFile, path: Path) -> None:
    """Write the sources, each with its islands, and these with their components.

    Parameters
    ----------
    searched : RadioMap or MapFile
        The map whose pixels the catalogue counts.
    """
    document = {"metadata": _metadata(catalogue, searched), "sources": _sources(catalogue, searched)}
    path.write_text(json.dumps(document, allow_nan=False), encoding="utf-8")


def _metadata(catalogue: QTable, searched: RadioMap | MapFile) -> dict[str, Any]:
    about = provenance_of(catalogue)
    ny, nx = searched.data.shape if isinstance(searched, RadioMap) else searched.shape
    beam, pixel = searched.beam, searched.pixel_arcsec
    return {
        "version": about.get("version", ""),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "software": {"name": about.get("software", ""), "version": about.get("version", "")},
        "inputdata": {
            "filename": searched.name,
            "nx": nx,
            "ny": ny,
            "dx": -pixel / 3600,
            "dy": pixel / 3600,
            "bunit": "Jy/beam",
            "bmaj": beam.major_arcsec,
            "bmin": beam.minor_arcsec,
            "pa": beam.position_angle_deg,
            "beam_area": beam.area_arcsec2 / pixel**2,
            "frequency": searched.frequency_hz,
            "wcs": "ICRS",
        },
        "helikon": {name: value for name, value in about.items() if name not in {"software", "version"}},
    }


def _sources(catalogue: QTable, searched: RadioMap | MapFile) -> list[dict[str, Any]]:
    sources = _plain_rows(catalogue)
    components = _by_source(getattr(catalogue, "components", None))
    islands = _by_source(getattr(catalogue, "islands", None))
    vertices = outlines_in_pixels([row["outline"] for row in sources], searched.wcs)
    return [
        _source(row, islands.get(row["id"], []), components.get(row["id"], []), corners)
        for row, corners in zip(sources, vertices, strict=True)
    ]


def _source(
    row: dict[str, Any],
    islands: Sequence[dict[str, Any]],
    components: Sequence[dict[str, Any]],
    corners: Sequence[npt.NDArray[np.float64]],
) -> dict[str, Any]:
    class_name = row["class"]
    ends = np.cumsum([island["n_polygons"] for island in islands]).tolist()
    inner = [
        _island(
            row,
            number,
            island,
            [part for part in components if part["island"] == number],
            corners[end - island["n_polygons"] : end],
        )
        for number, (island, end) in enumerate(zip(islands, ends, strict=True), start=1)
    ]
    return {
        "name": f"S{row['id']}",
        "iau_name": row["name"],
        "class_label": class_name,
        "class_score": row["class_prob"],
        "class_scores": {name.removeprefix("prob_"): row[name] for name in PROBABILITY_COLUMNS},
        "nislands": row["n_islands"],
        "ncomponents": row["n_components"],
        "x0": row["x"],
        "y0": row["y"],
        "ra": row["ra"],
        "dec": row["dec"],
        "ra_err": _degrees(row["ra_err"]),
        "dec_err": _degrees(row["dec_err"]),
        "Speak": row["peak_flux"],
        "Speak_err": row["peak_flux_err"],
        "S": row["int_flux"],
        "S_err": row["int_flux_err"],
        "snr": row["snr"],
        "las": row["las"],
        "morph_label": _MORPHOLOGY.get(class_name, "UNKNOWN"),
        "sourceness_label": _SOURCENESS.get(class_name, "REAL_SOURCE"),
        "sourceness_score": 1 - row["prob_spurious"],
        "tags": row["flags"].split(),
        "nest_level": 0,
        "islands": inner,
    }


def _island(
    row: dict[str, Any],
    number: int,
    island: dict[str, Any],
    components: Sequence[dict[str, Any]],
    corners: Sequence[npt.NDArray[np.float64]],
) -> dict[str, Any]:
    return {
        "name": f"S{row['id']}_island{number}",
        "npix": island["n_pixels"],
        "x": island["x"],
        "y": island["y"],
        "ra": island["ra"],
        "dec": island["dec"],
        "xmin": island["x_min"],
        "xmax": island["x_max"],
        "ymin": island["y_min"],
        "ymax": island["y_max"],
        "Stot": island["sum"],
        "Smax": island["peak"],
        "S": island["int_flux"],
        "S_err": island["int_flux_err"],
        "bkg": island["background"],
        "rms": island["local_rms"],
        "morph_label": _MORPHOLOGY.get(row["class"], "UNKNOWN"),
        "border": bool(island["edge"]),
        "resolved": any(_is_resolved(part) for part in components),
        "vertices": [np.round(polygon, 2).tolist() for polygon in corners],
        "fit_info": {
            "ncomponents": len(components),
            "chi2": _worst([part["chi2"] for part in components]),
            "components": [_component(row, part) for part in components],
        },
    }


def _component(row: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    deconvolved = {"bmaj_deconv": "deconv_major", "bmin_deconv": "deconv_minor", "pa_deconv": "deconv_pa"}
    sizes = {"bmaj": "major", "bmin": "minor", "pa": "pa"}
    return {
        "name": f"S{row['id']}_component{part['id']}",
        "x": part["x"],
        "y": part["y"],
        "ra": part["ra"],
        "dec": part["dec"],
        "ra_err": _degrees(part["ra_err"]),
        "dec_err": _degrees(part["dec_err"]),
        "Speak": part["peak_flux"],
        "Speak_err": part["peak_flux_err"],
        "S": part["int_flux"],
        "S_err": part["int_flux_err"],
        **{key: part[name] for key, name in sizes.items()},
        **{f"{key}_err": part[f"{name}_err"] for key, name in sizes.items()},
        **{key: part[name] for key, name in deconvolved.items()},
        "chi2": part["chi2"],
        "morph_label": "EXTENDED" if _is_resolved(part) else "POINT-LIKE",
    }


def _is_resolved(part: dict[str, Any]) -> bool:
    return part["deconv_major"] is not None and part["deconv_major"] > 0


def _degrees(arcsec: float | None) -> float | None:
    return None if arcsec is None else arcsec / 3600


def _worst(chi2: Sequence[float | None]) -> float | None:
    """Return the largest; 0 of none, None where one of them is no number."""
    known = [value for value in chi2 if value is not None]
    return max(known, default=0.0) if len(known) == len(chi2) else None


def _plain_rows(table: QTable) -> list[dict[str, Any]]:
    """Return rows of plain values, in the columns' units."""
    columns = [_plain(table[name]) for name in table.colnames]
    return [dict(zip(table.colnames, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(column: Any) -> list[Any]:
    """Return plain values; None for what is no number."""
    values = np.asarray(getattr(column, "value", column))
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return [value if np.isfinite(value) else None for value in values.tolist()]
    return list(values.tolist())


def _by_source(table: QTable | None) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in [] if table is None else _plain_rows(table):
        found.setdefault(row["source_id"], []).append(row)
    return found
