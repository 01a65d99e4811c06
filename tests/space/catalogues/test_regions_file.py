"""DS9 region files: pixels count from 1 there, and every line comes back."""

from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from regions import Regions

from helikon.errors import InputError
from helikon.space.catalogues import read_catalogue
from helikon.space.catalogues.added import Classified, added_columns

CAESAR = """# Region file format: DS9 version 4.1
global color=red font="helvetica 8 normal" edit=1 move=1 delete=1 include=1
image
polygon 11 21 19 21 19 31 11 31 # text={S1} color=blue tag={COMPACT}
ellipse 51 61 5 4 30 # text={S2; bright} color=blue tag={EXTENDED}
"""


def reg(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.reg"
    path.write_text(text)
    return path


def test_image_coordinates_count_from_one(tmp_path: Path) -> None:
    places = read_catalogue(reg(tmp_path, CAESAR)).places
    assert places.in_pixels
    assert places.x.tolist() == [14, 50]
    assert places.y.tolist() == [25, 60]
    assert places.outlines[0][0].min(axis=0).tolist() == [10, 20]
    width = np.ptp(places.outlines[1][0][:, 0])
    assert 8.5 < width < 10


def test_lines_come_back_with_the_colour_and_the_tags_of_their_class(tmp_path: Path) -> None:
    catalogue = read_catalogue(reg(tmp_path, CAESAR))
    probabilities = np.array([[0.0, 0.9, 0.1, 0.0, 0.0], [np.nan] * 5])
    verdict = Classified(probabilities=probabilities, galaxy=np.array([1, 0]), flags=("", "blank"))
    catalogue.write(added_columns(verdict), tmp_path / "b.reg")
    lines = (tmp_path / "b.reg").read_text().splitlines()
    assert lines[:3] == CAESAR.splitlines()[:3]
    assert lines[3].startswith("polygon 11 21 19 21 19 31 11 31 # text={S1}")
    assert "color=blue" not in lines[3]
    again = Regions.read(tmp_path / "b.reg", format="ds9")
    assert again[0].meta["tag"] == ["COMPACT", "compact", "galaxy 1"]
    assert again[1].meta["tag"] == ["EXTENDED", "no class", "blank"]
    assert again[1].meta["text"] == "S2; bright"


@pytest.mark.parametrize("frame", ["fk4", "fk5", "icrs", "galactic"])
def test_sky_frames_become_icrs(tmp_path: Path, frame: str) -> None:
    places = read_catalogue(reg(tmp_path, f'{frame}\ncircle(10.0,20.0,5")\n')).places
    expected = SkyCoord(10, 20, unit="deg", frame=frame).icrs
    assert places.x[0] == pytest.approx(expected.ra.deg, abs=1e-9)
    assert places.y[0] == pytest.approx(expected.dec.deg, abs=1e-9)
    assert (places.major[0], places.minor[0]) == (10, 10)


def test_sexagesimal_positions_and_several_shapes_on_one_line(tmp_path: Path) -> None:
    text = 'fk5; point(0:40:00,+20:00:00) # point=x\nicrs;circle(10,20,0.01);box(11,21,4",2",0)\n'
    catalogue = read_catalogue(reg(tmp_path, text))
    assert catalogue.places.x == pytest.approx([10, 10, 11], abs=1e-4)
    assert list(catalogue.table["shape"]) == ["point", "circle", "rectangle"]
    box = catalogue.places.outlines[2][0]
    assert np.ptp(box[:, 1]) * 3600 == pytest.approx(2, rel=1e-3)
    assert np.ptp(box[:, 0]) * 3600 * np.cos(np.radians(21)) == pytest.approx(4, rel=1e-3)


def test_the_position_angle_of_an_ellipse_is_north_through_east(tmp_path: Path) -> None:
    places = read_catalogue(reg(tmp_path, 'icrs\nellipse(10,20,5",3",120)\nellipse(10,20,3",5",30)\n')).places
    assert places.major.tolist() == [10, 10]
    assert np.mod(places.angle, 180) == pytest.approx([30, 30])


def test_an_ellipse_of_several_rings_is_an_entry_at_its_centre(tmp_path: Path) -> None:
    places = read_catalogue(reg(tmp_path, 'icrs\nellipse(10,20,5",3",10",6",120)\n')).places
    assert (places.x[0], places.y[0]) == (10, 20)
    assert np.isnan(places.major[0])


def test_excluded_shapes_lines_and_text_are_no_entries(tmp_path: Path) -> None:
    text = 'icrs\n-circle(10,20,5")\nline(10,20,11,21)\n# text(10,20) text={hello}\ncircle(10,20,5")\n'
    assert len(read_catalogue(reg(tmp_path, text)).table) == 1


def test_a_region_file_without_shapes_has_no_rows(tmp_path: Path) -> None:
    assert len(read_catalogue(reg(tmp_path, "# Region file format: DS9 version 4.1\nfk5\n")).places) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("image;line(1,2,3,4)\n", "no shape that could be an entry"),
        ("wcsb\ncircle(10,20,3)\n", "line 1 of a.reg names a frame that cannot be read"),
        ("icrs\ncircle(10,20\n", "line 2 of a.reg cannot be read"),
        ("image\ncircle(10,20,3)\nfk5\ncircle(10,20,3)\n", "shapes on the sky and in pixels"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_catalogue(reg(tmp_path, text))
