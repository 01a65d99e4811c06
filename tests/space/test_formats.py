"""The three files are read back by astropy and regions as they were meant."""

from functools import cache
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
import regions
from astropy.coordinates import SkyCoord
from astropy.io.votable import parse, validate
from astropy.table import QTable
from astropy.wcs import WCS
from matplotlib.image import imread

from helikon.errors import InputError
from helikon.space.catalogue import COLUMNS, source_counts
from helikon.space.finder import FinderSettings, find_sources
from helikon.space.fits import Beam, RadioMap
from helikon.space.formats import FILES, write_catalogue
from helikon.space.model import CLASSES
from helikon.space.picture import COLOURS
from helikon.space.report import report

SIZE = 200


@cache
def made_up() -> tuple[QTable, RadioMap]:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:SIZE, :SIZE]
    data = rng.normal(0, 1e-4, (SIZE, SIZE))
    for x0, y0, peak, width in ((50, 60, 0.01, 5), (150, 40, 0.004, 5), (100, 140, 0.003, 30)):
        data += peak * np.exp(-4 * np.log(2) * ((x - x0) ** 2 + (y - y0) ** 2) / width**2)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---SIN", "DEC--SIN"], [0.01, 20], [-0.0005, 0.0005]
    wcs.wcs.crpix = [100, 100]
    beam = Beam(major_arcsec=9, minor_arcsec=9)
    radio_map = RadioMap(
        data=data.astype(np.float32),
        wcs=wcs,
        beam=beam,
        pixel_arcsec=1.8,
        name="a \u03b2; name\nof <two> lines",
        notes=("a note",),
    )
    return find_sources(radio_map, None, FinderSettings(seed_sigma=10)), radio_map


@cache
def written(folder: Path) -> dict[str, Path]:
    return write_catalogue(*made_up(), folder)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return written(tmp_path_factory.mktemp("catalogue"))


def test_the_three_files_are_there_and_nothing_else(files: dict[str, Path]) -> None:
    assert tuple(files) == FILES
    folder = files["sources.vot"].parent
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


def test_the_votable_gives_back_the_catalogue_with_units(files: dict[str, Path]) -> None:
    catalogue, _ = made_up()
    back = QTable.read(files["sources.vot"])
    assert back.colnames == [info.name for info in COLUMNS]
    for info in COLUMNS:
        unit = back[info.name].unit
        assert unit == info.unit, info.name
        np.testing.assert_array_equal(np.asarray(back[info.name]), np.asarray(catalogue[info.name]))
    assert back["peak_flux"].unit == u.Jy / u.beam


def test_the_votable_is_valid_and_says_what_it_is(files: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "validation"
    with output.open("w") as stream:
        assert validate(files["sources.vot"], output=stream), output.read_text()
    votable = parse(files["sources.vot"])
    assert votable.version == "1.4"
    assert votable.resources[0].coordinate_systems[0].system == "ICRS"
    table = votable.get_first_table()
    fields = {field.name: field for field in table.fields}
    assert {name: field.ucd for name, field in fields.items()} == {info.name: info.ucd for info in COLUMNS}
    assert fields["ra"].ref == "icrs"
    assert fields["ra"].ucd == "pos.eq.ra;meta.main"
    params = {param.name: param.value for param in table.params}
    assert params["software"] == "helikon"
    assert params["seed_sigma"] == 10
    assert params["beam_major_arcsec"] == 9
    assert "model_sha256" in params
    assert [info.value for info in table.infos if info.name == "notes"] == ["a note"]


def test_the_regions_are_in_icrs_with_colour_and_tag_by_class(files: dict[str, Path]) -> None:
    catalogue, _ = made_up()
    found = regions.Regions.read(files["sources.reg"])
    assert len(found) == len(catalogue) == 3
    for row, region in zip(catalogue, found, strict=True):
        name = str(row["class"])
        assert region.meta["tag"] == [name]
        assert region.meta["text"] == row["name"]
        assert region.visual["edgecolor"] == COLOURS[name]
        here = SkyCoord(row["ra"], row["dec"])
        if name == "compact":
            assert region.center.separation(here).arcsec < 0.01
            assert region.width.to_value("arcsec") == pytest.approx(2 * row["major"].value, rel=1e-3)
            assert (region.angle.to_value("deg") - 90) % 180 == pytest.approx(row["pa"].value, abs=0.01)
        else:
            assert region.contains(here, made_up()[1].wcs)


def test_every_line_of_the_regions_is_understood(files: dict[str, Path]) -> None:
    """The map's own name holds a semicolon and a line break, which DS9 takes for the end of a line."""
    text = files["sources.reg"].read_text(encoding="ascii")
    shapes = [line for line in text.splitlines() if not line.startswith(("#", "global", "icrs"))]
    assert all(line.startswith(("ellipse(", "polygon(")) for line in shapes)


@pytest.mark.parametrize("size", [1000, 2000])
def test_the_picture_is_readable_at_the_size_of_a_field(tmp_path: Path, size: int) -> None:
    catalogue, radio_map = made_up()
    data = np.tile(radio_map.data, (size // SIZE, size // SIZE))
    wide = RadioMap(data=data, wcs=radio_map.wcs, beam=radio_map.beam, pixel_arcsec=1.8)
    image = imread(write_catalogue(catalogue, wide, tmp_path)["sources.png"])
    assert image.shape[0] > 900
    assert image.shape[1] > 1200
    for name in ("compact", "extended"):
        red, green, blue = (int(COLOURS[name][i : i + 2], 16) / 255 for i in (1, 3, 5))
        assert (np.abs(image[..., :3] - (red, green, blue)).max(axis=2) < 0.02).sum() > 50, name


def test_no_sources_is_a_valid_catalogue(tmp_path: Path) -> None:
    _, radio_map = made_up()
    nothing = find_sources(radio_map, None, FinderSettings(seed_sigma=1e4))
    files = write_catalogue(nothing, radio_map, tmp_path)
    back = QTable.read(files["sources.vot"])
    assert len(back) == 0
    assert back.colnames == [info.name for info in COLUMNS]
    assert back["ra"].unit == u.deg
    assert len(regions.Regions.read(files["sources.reg"])) == 0


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    catalogue, radio_map = made_up()
    written = write_catalogue(catalogue, radio_map, tmp_path)
    before = {name: path.read_bytes() for name, path in written.items()}
    broken = catalogue.copy()
    broken["class"] = "nonsense"
    with pytest.raises(KeyError):
        write_catalogue(broken, radio_map, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be made"):
        write_catalogue(*made_up(), tmp_path / "file" / "out")


def test_the_report_counts_what_is_in_the_catalogue() -> None:
    catalogue, _ = made_up()
    found = report(catalogue)
    assert found["n_sources"] == 3
    assert found["counts"] == source_counts(catalogue)
    assert found["brightest"]["peak_flux"] == pytest.approx(0.01, rel=0.1)
    assert set(found["counts"]) == set(CLASSES)
