"""The files are read back by astropy, regions and mocpy as they were meant."""

import dataclasses
import json
from functools import cache
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
import regions
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable import parse, validate
from astropy.table import QTable
from astropy.wcs import WCS
from matplotlib.image import imread
from mocpy import MOC
from skimage.measure import points_in_poly

from helikon.errors import InputError
from helikon.space.catalogue import COLUMNS, COMPONENT_COLUMNS, ColumnInfo, source_counts
from helikon.space.catalogues.read import read_catalogue
from helikon.space.classes import CLASSES
from helikon.space.finder import FinderSettings, find_sources
from helikon.space.fits import Beam, RadioMap, open_map, write_map
from helikon.space.formats import FILES, write_catalogue
from helikon.space.outputs.colours import COLOURS
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


def test_the_files_are_there_and_nothing_else(files: dict[str, Path]) -> None:
    assert tuple(files) == FILES
    folder = files["sources.vot"].parent
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


def assert_same(back: QTable, table: QTable, columns: tuple[ColumnInfo, ...]) -> None:
    """The table that was read has the names, units and values of the one that was written."""
    assert back.colnames == [info.name for info in columns]
    assert len(back) == len(table)
    for info in columns:
        assert back[info.name].unit == info.unit, info.name
        values = np.asarray(back[info.name])
        values = values.astype(str) if values.dtype.kind == "S" else values
        np.testing.assert_array_equal(values, np.asarray(table[info.name]), info.name)


def test_the_votables_give_back_sources_and_components_with_units(files: dict[str, Path]) -> None:
    catalogue, _ = made_up()
    assert_same(QTable.read(files["sources.vot"]), catalogue, COLUMNS)
    assert_same(QTable.read(files["components.vot"]), catalogue.components, COMPONENT_COLUMNS)
    assert QTable.read(files["sources.vot"])["peak_flux"].unit == u.Jy / u.beam


def test_the_fits_tables_give_back_sources_and_components_with_units(files: dict[str, Path]) -> None:
    catalogue, _ = made_up()
    with fits.open(files["sources.fits"]) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "SOURCES", "COMPONENTS"]
        hdus.verify("exception")
        assert hdus[0].header["SOFTWARE"] == "helikon"
        assert hdus[0].header["SEED_SIGMA"] == 10
        assert hdus[1].header["TUCD3"] == "pos.eq.ra;meta.main"
        assert hdus[1].header["TCOMM3"] == "Right ascension (ICRS)"
    assert_same(QTable.read(files["sources.fits"], hdu="SOURCES"), catalogue, COLUMNS)
    assert_same(QTable.read(files["sources.fits"], hdu="COMPONENTS"), catalogue.components, COMPONENT_COLUMNS)


def test_the_components_belong_to_their_sources(files: dict[str, Path]) -> None:
    catalogue, _ = made_up()
    components = QTable.read(files["components.vot"])
    counts = np.bincount(components["source_id"], minlength=len(catalogue) + 1)[1:]
    np.testing.assert_array_equal(counts, catalogue["n_components"])
    for row in catalogue[np.asarray(catalogue["class"]) == "compact"]:
        own = components[components["source_id"] == row["id"]][0]
        for name in ("ra", "dec", "peak_flux", "int_flux", "int_flux_err", "major", "x", "y"):
            assert float(own[name].value) == pytest.approx(float(row[name].value), rel=1e-5), name


def test_caesars_json_holds_sources_islands_and_components(files: dict[str, Path]) -> None:
    catalogue, radio_map = made_up()
    document = json.loads(files["sources.json"].read_text())
    assert document["metadata"]["inputdata"]["nx"] == SIZE
    assert document["metadata"]["inputdata"]["bmaj"] == 9
    assert len(document["sources"]) == len(catalogue)
    for row, source in zip(catalogue, document["sources"], strict=True):
        assert source["iau_name"] == row["name"]
        assert source["class_label"] == row["class"]
        assert source["class_score"] == pytest.approx(row["class_prob"])
        assert source["nislands"] == len(source["islands"]) == row["n_islands"]
        parts = [part for island in source["islands"] for part in island["fit_info"]["components"]]
        assert len(parts) == row["n_components"]
        assert sum(island["npix"] for island in source["islands"]) == row["n_pixels"]
        for island in source["islands"]:
            x, y = island["x"], island["y"]
            assert island["xmin"] <= x <= island["xmax"]
            assert island["ymin"] <= y <= island["ymax"]
            assert points_in_poly([(x, y)], island["vertices"][0])[0]
            assert radio_map.wcs.pixel_to_world(x, y).icrs.ra.deg == pytest.approx(island["ra"], abs=1e-6)


def test_the_pixels_in_caesars_json_are_the_maps_where_an_overview_is_shown(tmp_path: Path) -> None:
    catalogue, radio_map = made_up()
    write_map(dataclasses.replace(radio_map, name="field"), tmp_path / "map.fits")
    with open_map(tmp_path / "map.fits") as file:
        files = write_catalogue(catalogue, file.overview(100), tmp_path / "out", searched=file)
    document = json.loads(files["sources.json"].read_text())
    assert document["metadata"]["inputdata"]["nx"] == SIZE
    for source in document["sources"]:
        for island in source["islands"]:
            assert points_in_poly([(island["x"], island["y"])], island["vertices"][0])[0]


@pytest.mark.parametrize("name", ["sources.vot", "sources.fits", "sources.json", "sources.reg"])
def test_the_classifier_reads_what_was_written(files: dict[str, Path], name: str) -> None:
    catalogue, radio_map = made_up()
    places = read_catalogue(files[name]).places
    x, y = places.x, places.y
    if not places.in_pixels:
        x, y = radio_map.wcs.world_to_pixel(SkyCoord(x, y, unit="deg"))
    rows = np.asarray(catalogue["class"]) == "compact"
    assert len(x) == len(catalogue)
    np.testing.assert_allclose(x[rows], catalogue["x"].value[rows], atol=0.05)
    np.testing.assert_allclose(y[rows], catalogue["y"].value[rows], atol=0.05)


def test_the_moc_is_the_area_that_has_values(tmp_path: Path) -> None:
    catalogue, radio_map = made_up()
    data = radio_map.data.copy()
    data[:, :100] = np.nan
    half = dataclasses.replace(radio_map, data=data)
    moc = MOC.load(write_catalogue(catalogue, half, tmp_path)["searched.moc.fits"], format="fits")
    inside, outside = (
        radio_map.wcs.pixel_to_world(x, np.arange(10.0, 190, 10)) for x in (np.full(18, 150), np.full(18, 50))
    )
    assert moc.contains_skycoords(inside).all()
    assert not moc.contains_skycoords(outside).any()
    area = (SIZE * SIZE / 2) * 0.0005**2
    assert moc.sky_fraction * 41252.96 == pytest.approx(area, rel=0.06)


def test_a_format_that_is_not_known_is_refused_and_one_alone_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such format"):
        write_catalogue(*made_up(), tmp_path, formats=["root"])
    assert list(write_catalogue(*made_up(), tmp_path, formats=["regions"])) == ["sources.reg"]
    assert [path.name for path in tmp_path.iterdir()] == ["sources.reg"]


def test_the_votable_is_valid_and_says_what_it_is(files: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "validation"
    with output.open("w") as stream:
        assert validate(files["sources.vot"], output=stream), output.read_text()
    with output.open("w") as stream:
        assert validate(files["components.vot"], output=stream), output.read_text()
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
