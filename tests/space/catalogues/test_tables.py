"""FITS tables, VOTables and ECSV come back with their own columns untouched."""

from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable import from_table, parse
from astropy.io.votable.tree import CooSys
from astropy.table import QTable, Table

from helikon.errors import InputError
from helikon.space.catalogues import read_catalogue
from helikon.space.catalogues.added import Classified, added_columns, free_prefix, without_prefix
from helikon.space.catalogues.votable import write_as_votable


def verdict(n: int) -> Table:
    probabilities = np.tile([0.0, 0.9, 0.1, 0.0, 0.0], (n, 1))
    galaxy = np.arange(n)
    return added_columns(Classified(probabilities=probabilities, galaxy=galaxy, flags=("blank",) * n))


def odd_table() -> fits.BinTableHDU:
    """Columns of every sort that a reader may spoil."""
    columns = [
        fits.Column("RA", "D", unit="deg", array=np.array([10.0, 11.0, 12.0])),
        fits.Column("DEC", "D", unit="deg", array=np.array([20.0, 21.0, 22.0])),
        fits.Column("count", "J", null=-9, array=np.array([1, -9, 3])),
        fits.Column("unsigned", "I", bzero=32768, array=np.array([1, 40000, 3], dtype=np.uint16)),
        fits.Column("scaled", "I", array=np.array([1, 2, 3])),
        fits.Column("bright", "L", array=np.array([True, False, True])),
        fits.Column("spectrum", "3E", array=np.arange(9.0).reshape(3, 3)),
        fits.Column("members", "PJ()", array=np.array([[1], [2, 3], [4, 5, 6]], dtype=object)),
        fits.Column("name", "8A", array=np.array(["a", "b c", ""])),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="SOURCES")
    hdu.header["TSCAL5"], hdu.header["TZERO5"] = 0.1, 2.0
    hdu.header["TELESCOP"] = ("made up", "kept")
    return hdu


@pytest.fixture
def fits_path(tmp_path: Path) -> Path:
    path = tmp_path / "sources.fits"
    image = fits.ImageHDU(np.ones((4, 4), dtype=np.float32), name="AFTER")
    fits.HDUList([fits.PrimaryHDU(), odd_table(), image]).writeto(path)
    return path


def test_a_fits_table_keeps_every_byte_of_its_own_columns(fits_path: Path, tmp_path: Path) -> None:
    catalogue = read_catalogue(fits_path)
    catalogue.write(verdict(3), tmp_path / "again.fits")
    with fits.open(fits_path) as before, fits.open(tmp_path / "again.fits") as after:
        assert [hdu.name for hdu in after] == [hdu.name for hdu in before]
        after.verify("exception")
        old, new = before[1], after[1]
        assert new.header["TELESCOP"] == "made up"
        assert new.columns.names[: len(old.columns.names)] == old.columns.names
        for name in old.columns.names[:-2]:
            assert np.array_equal(new.data[name], old.data[name]), name
        assert [row.tolist() for row in new.data["members"]] == [[1], [2, 3], [4, 5, 6]]
        assert list(new.data["name"]) == ["a", "b c", ""]
        assert list(new.data["class"]) == ["", "compact", "compact"]
        assert np.array_equal(after["AFTER"].data, before["AFTER"].data)
        numbers = range(len(old.columns) + 1, len(new.columns) + 1)
        described = {new.header[f"TTYPE{i}"]: new.header[f"TCOMM{i}"] for i in numbers}
        assert described == {name: verdict(3)[name].description for name in verdict(3).colnames}
    table = Table.read(tmp_path / "again.fits", hdu=1)
    assert table["galaxy"].mask.tolist() == [True, False, False]
    assert np.isnan(np.ma.filled(table["class_prob"], np.nan)[0])


def test_a_packed_fits_table_is_read_too(fits_path: Path, tmp_path: Path) -> None:
    import gzip

    packed = tmp_path / "sources.fits.gz"
    packed.write_bytes(gzip.compress(fits_path.read_bytes()))
    assert read_catalogue(packed).places.x.tolist() == [10, 11, 12]
    packed.write_bytes(packed.read_bytes()[:300])
    with pytest.raises(InputError, match="cut short"):
        read_catalogue(packed)


@pytest.mark.parametrize("n_bytes", [2000, 5000, 5800])
def test_a_fits_file_that_is_cut_short_is_refused(fits_path: Path, n_bytes: int) -> None:
    fits_path.write_bytes(fits_path.read_bytes()[:n_bytes])
    with pytest.raises(InputError, match=r"cannot be read as a FITS table|holds no table"):
        read_catalogue(fits_path)


def test_a_fits_image_is_no_catalogue(tmp_path: Path) -> None:
    fits.PrimaryHDU(np.ones((4, 4))).writeto(tmp_path / "map.fits")
    with pytest.raises(InputError, match="holds no table"):
        read_catalogue(tmp_path / "map.fits")


def votable(tmp_path: Path, system: str = "ICRS", equinox: str | None = None) -> Path:
    """Write a VOTable whose positions only a UCD tells, in a frame."""
    table = Table(
        {"id": [1, 2], "lon": [10.0, 11.0], "lat": [20.0, 21.0], "ra": [0.0, 0.0], "dec": [0.0, 0.0]}
    )
    document = from_table(table)
    document.version = "1.3"
    document.resources[0].coordinate_systems.append(CooSys(ID="sys", system=system, equinox=equinox))
    element = document.resources[0].tables[0]
    for name, ucd in (("lon", "pos.eq.ra;meta.main"), ("lat", "pos.eq.dec;meta.main")):
        field = next(field for field in element.fields if field.name == name)
        field.ucd, field.unit, field.ref = ucd, "deg", "sys"
    element.description = "kept"
    path = tmp_path / "sources.xml"
    document.to_xml(str(path))
    return path


def test_ucds_go_before_names(tmp_path: Path) -> None:
    places = read_catalogue(votable(tmp_path)).places
    assert places.x.tolist() == [10, 11]
    assert places.y.tolist() == [20, 21]


@pytest.mark.parametrize(
    ("system", "equinox", "frame"),
    [("eq_FK4", "B1950", "fk4"), ("eq_FK5", "J2000", "fk5"), ("galactic", None, "galactic")],
)
def test_positions_in_the_frame_that_coosys_says_become_icrs(
    tmp_path: Path, system: str, equinox: str | None, frame: str
) -> None:
    places = read_catalogue(votable(tmp_path, system, equinox)).places
    expected = SkyCoord([10.0, 11.0], [20.0, 21.0], unit="deg", frame=frame).icrs
    assert places.x == pytest.approx(expected.ra.deg, abs=1e-9)
    assert places.y == pytest.approx(expected.dec.deg, abs=1e-9)


def test_a_votable_keeps_its_fields_and_gets_more(tmp_path: Path) -> None:
    catalogue = read_catalogue(votable(tmp_path))
    catalogue.write(verdict(2), tmp_path / "again.vot")
    document = parse(tmp_path / "again.vot")
    element = document.get_first_table()
    assert element.description == "kept"
    assert [field.name for field in element.fields][:6] == ["id", "lon", "lat", "ra", "dec", "class"]
    assert element.get_field_by_id("class").ucd == "src.class"
    assert [system.ID for system in document.iter_coosys()] == ["sys"]
    table = element.to_table()
    assert list(table["lon"]) == [10, 11]
    assert table["galaxy"].mask.tolist() == [True, False]


def test_selavys_columns_are_known_under_its_own_prefix(tmp_path: Path) -> None:
    table = Table({"col_island_id": ["i1"], "col_component_id": ["c1"], "col_ra_deg_cont": [10.0]})
    table["col_dec_deg_cont"], table["col_flux_int"] = [20.0], [3.5]
    table["col_maj_axis"], table["col_min_axis"], table["col_pos_ang"] = [15.0], [12.0], [40.0]
    from_table(table).to_xml(str(tmp_path / "selavy.xml"))
    catalogue = read_catalogue(tmp_path / "selavy.xml")
    assert catalogue.kind == "Selavy components, VOTable"
    places = catalogue.places
    assert (places.x[0], places.y[0]) == (10, 20)
    assert (places.major[0], places.minor[0], places.angle[0]) == (15, 12, 40)


def test_a_votable_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = votable(tmp_path)
    path.write_text(path.read_text()[:900])
    with pytest.raises(InputError, match="cannot be read as a VOTable"):
        read_catalogue(path)


def test_xml_that_is_no_votable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html><body>404</body></html>")
    with pytest.raises(InputError, match="VOTable"):
        read_catalogue(tmp_path / "page.html")


def test_ecsv_keeps_units_masks_and_sky_coordinates(tmp_path: Path) -> None:
    table = QTable({"where": SkyCoord([10, 11], [20, 21], unit="deg"), "flux": [1.0, 2.0] * u.Jy})
    table.meta["observer"] = "somebody"
    table.write(tmp_path / "a.ecsv")
    catalogue = read_catalogue(tmp_path / "a.ecsv")
    assert catalogue.places.x.tolist() == [10, 11]
    catalogue.write(verdict(2), tmp_path / "b.ecsv")
    again = QTable.read(tmp_path / "b.ecsv")
    assert again.colnames[:3] == ["where", "flux", "class"]
    assert again["flux"].unit == u.Jy
    assert again.meta["observer"] == "somebody"


@pytest.mark.parametrize(
    ("columns", "frame"),
    [
        ({"RAJ2000": ["00 40 00.0", "00 44 00.0"], "DEJ2000": ["+20 00 00", "+21 00 00"]}, "fk5"),
        ({"ra": ["0h40m0s", "0h44m0s"], "dec": ["20d0m0s", "21d0m0s"]}, "icrs"),
        ({"RAB1950": [10.0, 11.0], "DEB1950": [20.0, 21.0]}, "fk4"),
        ({"GLON": [10.0, 11.0], "GLAT": [20.0, 21.0]}, "galactic"),
        ({"l": [10.0, 11.0], "b": [20.0, 21.0]}, "galactic"),
        ({"ra": np.radians([10.0, 11.0]) * u.rad, "dec": np.radians([20.0, 21.0]) * u.rad}, "icrs"),
        ({"ra": [10 / 15, 11 / 15] * u.hourangle, "dec": [20.0, 21.0] * u.deg}, "icrs"),
    ],
)
def test_positions_are_read_in_degrees_sexagesimal_and_other_units_and_frames(
    tmp_path: Path, columns: dict[str, object], frame: str
) -> None:
    QTable(columns).write(tmp_path / "a.ecsv")
    places = read_catalogue(tmp_path / "a.ecsv").places
    expected = SkyCoord([10.0, 11.0], [20.0, 21.0], unit="deg", frame=frame).icrs
    assert places.x == pytest.approx(expected.ra.deg, abs=1e-7)
    assert places.y == pytest.approx(expected.dec.deg, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "form"), [("a.fits", "fits"), ("a.vot", "votable"), ("a.ecsv", "ascii.ecsv")]
)
def test_tables_without_rows_come_back_without_rows(tmp_path: Path, name: str, form: str) -> None:
    Table({"ra": np.empty(0), "dec": np.empty(0)}).write(tmp_path / name, format=form)
    catalogue = read_catalogue(tmp_path / name)
    assert len(catalogue.places) == 0
    catalogue.write(verdict(0), tmp_path / f"again-{name}")
    again = read_catalogue(tmp_path / f"again-{name}").table
    assert again.colnames[:3] == ["ra", "dec", "class"]
    assert len(again) == 0


def test_columns_of_the_same_names_are_not_overwritten(tmp_path: Path) -> None:
    assert free_prefix(["ra", "CLASS"]) == "hlk_"
    assert free_prefix(["class", "hlk_class"]) == "hlk2_"
    assert free_prefix(["ra", "flags"]) == ""
    assert [without_prefix(name) for name in ("class", "hlk_class", "hlk2_n_entries")] == [
        "class",
        "class",
        "n_entries",
    ]


def test_any_table_becomes_a_votable_with_ucds(tmp_path: Path) -> None:
    table = QTable({"where": SkyCoord([10], [20], unit="deg"), "name": ["é\x01\na"], "list": [[1, 2]]})
    table["class"] = verdict(1)["class"]
    write_as_votable(table, tmp_path / "a.vot", "made up")
    element = parse(tmp_path / "a.vot").get_first_table()
    assert element.get_field_by_id_or_name("class").ucd == "src.class"
    assert element.to_table()["name"][0] == "é\ufffd\na"
