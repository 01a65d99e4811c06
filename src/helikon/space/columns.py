"""The columns of a catalogue's tables: names as the field uses them, units, UCDs, meaning."""

import dataclasses
from typing import Any

import astropy.units as u

from helikon.space.classes import CLASSES, PROBABILITY_COLUMNS

__all__ = ["COLUMNS", "COMPONENT_COLUMNS", "FLAGS", "ISLAND_COLUMNS", "ColumnInfo", "packed_names"]

BEAM = u.Jy / u.beam
FLUX = "phot.flux.density"
FLAGS = ("edge", "blended", "near_bright", "cut", "poor_fit", "embedded")
"""Words of the column ``flags``."""


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


def _probability(name: str, column: str) -> ColumnInfo:
    return _column(column, "f4", None, "stat.probability;src.class", f"Probability of the class {name}")


def packed_names(columns: tuple[ColumnInfo, ...]) -> tuple[str, ...]:
    """Return the columns that a source's text of components or islands holds: all but the numbers."""
    return tuple(info.name for info in columns if info.name not in {"id", "source_id"})


_POSITION = (
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
)  # fmt: skip
_SHAPE = (
    _column("major", "f4", u.arcsec, "phys.angSize.smajAxis", "Major axis (FWHM) as observed"),
    _column("major_err", "f4", u.arcsec, "stat.error;phys.angSize.smajAxis", "Error of major"),
    _column("minor", "f4", u.arcsec, "phys.angSize.sminAxis", "Minor axis (FWHM) as observed"),
    _column("minor_err", "f4", u.arcsec, "stat.error;phys.angSize.sminAxis", "Error of minor"),
    _column("pa", "f4", u.deg, "pos.posAng", "Position angle of the major axis, north through east"),
    _column("pa_err", "f4", u.deg, "stat.error;pos.posAng", "Error of pa"),
    _column("deconv_major", "f4", u.arcsec, "phys.angSize.smajAxis", "Major axis less the beam, or 0"),
    _column("deconv_major_err", "f4", u.arcsec, "stat.error;phys.angSize.smajAxis", "Error of deconv_major"),
    _column("deconv_minor", "f4", u.arcsec, "phys.angSize.sminAxis", "Minor axis less the beam, or 0"),
    _column("deconv_minor_err", "f4", u.arcsec, "stat.error;phys.angSize.sminAxis", "Error of deconv_minor"),
    _column("deconv_pa", "f4", u.deg, "pos.posAng", "Position angle less the beam"),
)  # fmt: skip

COLUMNS: tuple[ColumnInfo, ...] = (
    _column("id", "i4", None, "meta.id;meta.main", "Number, from 1, brightest peak first"),
    _column("name", "U32", None, "meta.id", "IAU-style name: HLK JHHMMSS.s+DDMMSS (ICRS, truncated)"),
    *_POSITION,
    _column("background", "f4", BEAM, f"instr.background;{FLUX};em.radio", "At the peak"),
    _column("snr", "f4", None, "stat.snr", "Highest point above the background, over local_rms"),
    *_SHAPE,
    _column("deconv_major_max", "f4", u.arcsec, "phys.angSize.smajAxis;stat.max", "Its three-sigma limit"),
    _column("las", "f4", u.arcsec, "phys.angSize", "Largest size above the flood threshold, with the beam"),
    _column("n_islands", "i4", None, "meta.number", "Islands that make up the source"),
    _column("n_components", "i4", None, "meta.number", "Its rows in the table components"),
    _column("n_pixels", "i4", None, "meta.number;instr.pixel", "Pixels above the flood threshold"),
    _column("class", "U24", None, "src.class", f"One of {', '.join(CLASSES)}"),
    _column("class_prob", "f4", None, "stat.probability;src.class", "Probability of class"),
    *map(_probability, CLASSES, PROBABILITY_COLUMNS),
    _column("flags", "U48", None, "meta.code.qual", f"Words: {', '.join(FLAGS)}"),
    _column("outline", "U1", None, "pos.outline", "Border of the source, STC-S"),
)  # fmt: skip
"""Of the table of sources."""

COMPONENT_COLUMNS: tuple[ColumnInfo, ...] = (
    _column("id", "i4", None, "meta.id;meta.main", "Number, from 1, in the order of the sources"),
    _column("source_id", "i4", None, "meta.id.parent", "id of its source"),
    _column("island", "i4", None, "meta.id.part", "Island of the source that it lies in, from 1"),
    *_POSITION,
    *_SHAPE,
    _column("chi2", "f4", None, "stat.fit.chi2", "Mean square of the residual over the noise's"),
)  # fmt: skip
"""Of the table of components."""

ISLAND_COLUMNS: tuple[ColumnInfo, ...] = (
    _column("source_id", "i4", None, "meta.id.parent", "id of its source"),
    _column("n_polygons", "i4", None, "meta.number", "Polygons of the source's outline that are its own"),
    _column("n_pixels", "i4", None, "meta.number;instr.pixel", "Pixels above the flood threshold"),
    *(info for info in _POSITION if info.name in {"ra", "dec", "x", "y"}),
    _column("x_min", "i4", u.pix, "pos.cartesian.x;stat.min", "First pixel along axis 1, from 0"),
    _column("x_max", "i4", u.pix, "pos.cartesian.x;stat.max", "Last pixel along axis 1"),
    _column("y_min", "i4", u.pix, "pos.cartesian.y;stat.min", "First pixel along axis 2, from 0"),
    _column("y_max", "i4", u.pix, "pos.cartesian.y;stat.max", "Last pixel along axis 2"),
    _column("sum", "f8", BEAM, f"{FLUX};arith.sum", "Sum of the pixels"),
    _column("peak", "f8", BEAM, f"{FLUX};stat.max", "Highest pixel"),
    *(info for info in _POSITION if info.name in {"int_flux", "int_flux_err"}),
    _column("background", "f4", BEAM, f"instr.background;{FLUX}", "Mean over the pixels"),
    _column("local_rms", "f4", BEAM, f"stat.stdev;{FLUX}", "Mean over the pixels"),
    _column("edge", "i4", None, "meta.code.qual", "1 where it touches the border of the map or a blank"),
)  # fmt: skip
"""Of the islands, which are written to CAESAR's JSON only."""
