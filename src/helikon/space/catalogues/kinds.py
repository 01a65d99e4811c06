"""Whose catalogue it is, told by the names of its columns."""

from astropy.table import Table

from helikon.space.catalogues.columns import plain_name

__all__ = ["whose"]

KNOWN = (
    ({"componentid", "x_wcs", "y_wcs"}, "CAESAR components"),
    ({"sourcenestedlevel", "x_wcs", "y_wcs"}, "CAESAR islands"),
    ({"gaus_id", "isl_id"}, "PyBDSF Gaussians"),
    ({"isl_id", "s_code"}, "PyBDSF sources"),
    ({"ra_deg_cont", "component_id"}, "Selavy components"),
    ({"ra_deg_cont", "island_id"}, "Selavy islands"),
    ({"island", "source", "psf_a"}, "Aegean components"),
    ({"island", "components", "peak_flux"}, "Aegean islands"),
    ({"class_prob", "n_islands", "deconv_major"}, "Helikon sources"),
)


def whose(table: Table, form: str) -> str:
    """Return as ``PyBDSF sources, FITS``; ``table, FITS`` for any other."""
    names = {plain_name(name)[0] for name in table.colnames}
    kind = next((kind for wanted, kind in KNOWN if wanted <= names), "table")
    return f"{kind}, {form}"
