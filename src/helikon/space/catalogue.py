"""The columns of a catalogue: names as the field uses them, units, UCDs, meaning."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Column, QTable

from helikon.space.model import CLASSES

__all__ = ["COLUMNS", "ColumnInfo", "empty_catalogue", "make_catalogue", "source_counts"]

BEAM = u.Jy / u.beam
FLUX = "phot.flux.density"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ColumnInfo:
    """One column: its name, type, unit (or None), UCD and meaning."""

    name: str
    dtype: str
    ucd: str
    description: str
    unit: Any = None


def _column(name: str, dtype: str, unit: Any, ucd: str, description: str) -> ColumnInfo:
    return ColumnInfo(name=name, dtype=dtype, unit=unit, ucd=ucd, description=description)


def _probability(name: str) -> ColumnInfo:
    column = "prob_" + name.replace("-", "_")
    return _column(column, "f4", None, "stat.probability;src.class", f"Probability of the class {name}")


COLUMNS: tuple[ColumnInfo, ...] = (
    _column("id", "i4", None, "meta.id;meta.main", "Number, from 1, brightest peak first"),
    _column("name", "U32", None, "meta.id", "IAU-style name: HLK JHHMMSS.s+DDMMSS (ICRS, truncated)"),
    _column("ra", "f8", u.deg, "pos.eq.ra;meta.main", "Right ascension (ICRS)"),
    _column("dec", "f8", u.deg, "pos.eq.dec;meta.main", "Declination (ICRS)"),
    _column("ra_err", "f4", u.arcsec, "stat.error;pos.eq.ra", "Error of ra, on the sky (times cos dec)"),
    _column("dec_err", "f4", u.arcsec, "stat.error;pos.eq.dec", "Error of dec"),
    _column("x", "f8", u.pix, "pos.cartesian.x;instr.det", "Pixel of the position along axis 1, from 0"),
    _column("y", "f8", u.pix, "pos.cartesian.y;instr.det", "Pixel of the position along axis 2, from 0"),
    _column("peak_flux", "f8", BEAM, f"{FLUX};stat.max;em.radio", "Peak, above the background"),
    _column("peak_flux_err", "f4", BEAM, f"stat.error;{FLUX};stat.max;em.radio", "Its error"),
    _column("int_flux", "f8", u.Jy, f"{FLUX};em.radio", "Integrated flux density"),
    _column("int_flux_err", "f4", u.Jy, f"stat.error;{FLUX};em.radio", "Its error, of noise alone"),
    _column("local_rms", "f4", BEAM, f"stat.stdev;{FLUX};em.radio", "Noise at the peak"),
    _column("background", "f4", BEAM, f"instr.background;{FLUX};em.radio", "At the peak"),
    _column("snr", "f4", None, "stat.snr", "Highest pixel above the background, over local_rms"),
    _column("major", "f4", u.arcsec, "phys.angSize.smajAxis", "Major axis (FWHM) as observed"),
    _column("major_err", "f4", u.arcsec, "stat.error;phys.angSize.smajAxis", "Error of major"),
    _column("minor", "f4", u.arcsec, "phys.angSize.sminAxis", "Minor axis (FWHM) as observed"),
    _column("minor_err", "f4", u.arcsec, "stat.error;phys.angSize.sminAxis", "Error of minor"),
    _column("pa", "f4", u.deg, "pos.posAng", "Position angle of the major axis, north through east"),
    _column("pa_err", "f4", u.deg, "stat.error;pos.posAng", "Error of pa"),
    _column("deconv_major", "f4", u.arcsec, "phys.angSize.smajAxis", "Major axis less the beam, or 0"),
    _column("deconv_minor", "f4", u.arcsec, "phys.angSize.sminAxis", "Minor axis less the beam, or 0"),
    _column("deconv_pa", "f4", u.deg, "pos.posAng", "Position angle less the beam"),
    _column("las", "f4", u.arcsec, "phys.angSize", "Largest size of the pixels above the flood threshold"),
    _column("n_islands", "i4", None, "meta.number", "Islands that make up the source"),
    _column("n_pixels", "i4", None, "meta.number;instr.pixel", "Pixels above the flood threshold"),
    _column("class", "U24", None, "src.class", f"One of {', '.join(CLASSES)}"),
    _column("class_prob", "f4", None, "stat.probability;src.class", "Probability of class"),
    *(_probability(name) for name in CLASSES),
    _column("flags", "U48", None, "meta.code.qual", "Words: edge, blended"),
    _column("outline", "U1", None, "pos.outline", "Border of the pixels above the flood threshold, STC-S"),
)  # fmt: skip


def make_catalogue(values: Mapping[str, Any], meta: Mapping[str, Any]) -> QTable:
    """Make a catalogue of arrays, one for each of :data:`COLUMNS`.

    Parameters
    ----------
    values : Mapping[str, array]
        All of one length, in the columns' units.
    meta : Mapping[str, Any]
        Where it comes from: becomes ``meta`` of the table and PARAMs of the VOTable.
    """
    table = QTable(meta=dict(meta))
    for info in COLUMNS:
        table[info.name] = _make_column(info, values[info.name])
    return table


def empty_catalogue(meta: Mapping[str, Any]) -> QTable:
    """Make a catalogue of no sources: all columns, no rows."""
    return make_catalogue({info.name: [] for info in COLUMNS}, meta)


def source_counts(catalogue: QTable) -> dict[str, int]:
    """Count the entries of each class; those of class spurious are no sources."""
    classes = [str(name) for name in catalogue["class"]]
    return {name: classes.count(name) for name in CLASSES}


def _make_column(info: ColumnInfo, values: Any) -> Any:
    dtype = object if info.dtype.startswith("U") else info.dtype
    array = np.asarray(values, dtype=dtype)
    if info.dtype.startswith("U"):
        array = array.astype(str) if len(array) else np.empty(0, dtype="U1")
    column = Column(array, description=info.description, meta={"ucd": info.ucd}, unit=info.unit)
    return column if info.unit is None else _quantity(column, info)


def _quantity(column: Column, info: ColumnInfo) -> Any:
    quantity = column.quantity.astype(info.dtype)
    quantity.info.description = info.description
    quantity.info.meta = {"ucd": info.ucd}
    return quantity
