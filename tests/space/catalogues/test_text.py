"""Catalogues of lines come back line by line, with more at each line's end."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table

from helikon.errors import InputError
from helikon.space.catalogues import read_catalogue
from helikon.space.catalogues.added import Classified, added_columns

Layout = Callable[[str], Path]


def verdict(n: int) -> Table:
    probabilities = np.tile([0.0, 0.9, 0.1, 0.0, 0.0], (n, 1))
    galaxy = np.arange(1, n + 1)
    if n:
        galaxy[-1] = 0
    flags = ("",) * (n - 1) + ("outside",) * min(n, 1)
    return added_columns(Classified(probabilities=probabilities, galaxy=galaxy, flags=flags))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sources.srl", "PyBDSF sources, text"),
        ("sources.csv", "PyBDSF sources, CSV"),
        ("aegean_comp.csv", "Aegean components, CSV"),
        ("islands.dat", "CAESAR islands, text"),
        ("selavy.txt", "Selavy components, text"),
    ],
)
def test_each_finders_layout_is_known_and_its_positions_and_sizes_are_read(
    layout: Layout, made_up: object, name: str, kind: str
) -> None:
    catalogue = read_catalogue(layout(name))
    assert catalogue.kind == kind
    assert catalogue.places.x == pytest.approx(made_up.ra, abs=1e-7)  # type: ignore[attr-defined]
    assert catalogue.places.y == pytest.approx(made_up.dec, abs=1e-7)  # type: ignore[attr-defined]
    if name != "islands.dat":
        assert catalogue.places.major == pytest.approx([9.0] * 5)


@pytest.mark.parametrize(
    "name", ["sources.srl", "sources.csv", "aegean_comp.csv", "islands.dat", "selavy.txt"]
)
def test_lines_are_kept_to_the_last_digit_and_the_new_columns_read_back(
    layout: Layout, tmp_path: Path, name: str
) -> None:
    catalogue = read_catalogue(layout(name))
    written = tmp_path / f"again{catalogue.suffix}"
    catalogue.write(verdict(5), written)
    before = (tmp_path / name).read_text().splitlines()
    after = written.read_text().splitlines()
    assert len(after) == len(before)
    assert all(new.startswith(old.rstrip()) for new, old in zip(after, before, strict=True))
    again = read_catalogue(written)
    assert again.table.colnames[: len(catalogue.table.colnames)] == catalogue.table.colnames
    assert list(again.table["class"][:4]) == ["compact"] * 4
    assert list(again.table["galaxy"][:4]) == [1, 2, 3, 4]
    assert again.table["galaxy"].mask[4]
    assert again.table["class_flags"][4] == "outside"


def test_a_unit_line_under_the_names_gets_longer_too(layout: Layout, tmp_path: Path) -> None:
    catalogue = read_catalogue(layout("selavy.txt"))
    catalogue.write(verdict(5), tmp_path / "again.txt")
    names, units = (tmp_path / "again.txt").read_text().splitlines()[:2]
    assert len(names.split()) == len(units.split())


@pytest.mark.parametrize("n_columns", [48, 49])
def test_caesars_components_are_read_with_the_flag_of_its_code_and_without(
    tmp_path: Path, n_columns: int
) -> None:
    names = ["name", "componentId", "x_wcs(deg)", "y_wcs(deg)"]
    names += [f"other{i}" for i in range(40)] + ["fitQuality", "fitComponentFlag", "sourcenessId", "morphId"]
    names.insert(1, "npix")
    row = ["S1", "48", "1", "10.01", "20.02", *["0.5"] * 40, "3", "1", "1", "2"]
    if n_columns == 48:
        where = names.index("fitComponentFlag")
        del names[where], row[where]
    path = tmp_path / "components.dat"
    path.write_text("# " + "\t".join(names) + "\t\n" + "\t".join(row) + "\n")
    table = read_catalogue(path).table
    assert len(table.colnames) == n_columns
    assert table["morphId"][0] == 2


def test_the_flag_of_caesars_code_may_be_in_the_rows_and_not_in_the_names(tmp_path: Path) -> None:
    path = tmp_path / "components.dat"
    names = ["name", "componentId", "x_wcs(deg)", "y_wcs(deg)", "fitQuality", "sourcenessId", "morphId"]
    path.write_text("# " + "\t".join(names) + "\nS1\t1\t10.01\t20.02\t3\t7\t1\t2\n")
    table = read_catalogue(path).table
    assert (table["fitQuality"][0], table["fitComponentFlag"][0], table["morphId"][0]) == (3, 7, 2)


def test_a_catalogue_without_rows_comes_back_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("# Gaus_id, Isl_id, RA, DEC\n")
    catalogue = read_catalogue(path)
    assert len(catalogue.table) == len(catalogue.places) == 0
    catalogue.write(verdict(0), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text().startswith("# Gaus_id, Isl_id, RA, DEC,class,")


def test_text_that_is_no_ascii_and_quoted_commas_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes('name,ra,dec\r\n"Čas, \xe1",10.0,20.0\r\n'.encode())
    catalogue = read_catalogue(path)
    assert catalogue.table["name"][0] == "Čas, á"
    catalogue.write(verdict(1), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes().splitlines()[1].startswith('"Čas, á",10.0,20.0,'.encode())


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("header", ["ra,note,dec", '"ra","a\nnote",dec', "# ra,note,dec"])
def test_a_line_break_in_quotes_ends_no_row(
    tmp_path: Path, header: str, delimiter: str, newline: str
) -> None:
    rows = [header, '10.0,"one\n\n# ""two""\nthree",20.0', '11.0,"a,b;c|d",21.0', '12.0,"\n",22.0']
    lines = [row.replace(",", delimiter) for row in rows]
    path = tmp_path / "notes.csv"
    path.write_bytes(newline.join([*lines, ""]).encode())
    catalogue = read_catalogue(path)
    assert catalogue.places.x.tolist() == [10, 11, 12]
    notes = catalogue.table[catalogue.table.colnames[1]]
    assert notes[0] == 'one\n\n# "two"\nthree'
    catalogue.write(verdict(3), tmp_path / "again.csv")
    again = (tmp_path / "again.csv").read_bytes().decode()
    assert all(f"{line}{delimiter}" in again for line in lines)
    assert again.count(newline) >= 4
    table = read_catalogue(tmp_path / "again.csv").table
    assert list(table[table.colnames[1]]) == list(notes)
    assert list(table["class"][:2]) == ["compact"] * 2


@pytest.mark.parametrize("delimiter", [",", "\t", " "])
def test_quotes_that_do_not_match_take_in_no_other_row(tmp_path: Path, delimiter: str) -> None:
    rows = [("name", "ra", "dec"), ('"a', "10", "20"), ("b", "11", "21"), ('"c', "12", "22")]
    if delimiter == ",":
        rows = [(ra, dec, name) for name, ra, dec in rows]
    path = tmp_path / "quotes.txt"
    path.write_text("\n".join(delimiter.join(row) for row in rows))
    assert read_catalogue(path).places.x.tolist() == [10, 11, 12]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1 10.0 20.0\n2 10.1 20.1\n", "names its columns"),
        ("name,flux\na,1\n", "names its columns"),
        ("# name ra dec\na 10.0 20.0\nb 10.0\n", "line 3 of odd.txt does not fit its header"),
        ('name,ra,dec\n"a\n\nb",1,2\nc,10.0\n', "line 5 of odd.txt does not fit its header"),
        ("name,ra,dec\na,far,away\n", "no entry of the catalogue has a position"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "odd.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_catalogue(path)


@pytest.mark.parametrize(
    ("comment", "given", "frame"),
    [("# Equinox : 1950.0", "", "fk4"), ("# none", "galactic", "galactic"), ("# none", "fk4", "fk4")],
)
def test_the_frame_is_what_the_file_says_or_what_is_given(
    tmp_path: Path, comment: str, given: str, frame: str
) -> None:
    (tmp_path / "a.txt").write_text(f"{comment}\n# name ra dec\na 10.0 20.0\n")
    places = read_catalogue(tmp_path / "a.txt", given).places
    expected = SkyCoord(10, 20, unit="deg", frame=frame).icrs
    assert (places.x[0], places.y[0]) == pytest.approx((expected.ra.deg, expected.dec.deg))


def test_columns_with_gaps_are_masked(tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text("name,ra,dec,flux\na,10,20,1.5\nb,,,nan\n")
    catalogue = read_catalogue(path)
    assert isinstance(catalogue.table["flux"], MaskedColumn)
    assert np.isnan(catalogue.places.x[1])
