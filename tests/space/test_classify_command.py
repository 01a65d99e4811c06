"""``helikon space classify`` gives a catalogue back with classes."""

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table
from astropy.wcs import WCS
from click.testing import CliRunner, Result
from regions import Regions
from scipy import ndimage

from helikon.cli import cli, main
from helikon.space.fits import Beam, RadioMap, write_map


@pytest.fixture
def field(tmp_path: Path) -> tuple[Path, Path]:
    """A map of two compact sources, and a CSV of these and of one elsewhere."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:160, :160]
    data = ndimage.gaussian_filter(rng.normal(0, 1, (160, 160)), 5 / 2.3548)
    data *= 1e-4 / data.std()
    for x0, y0 in ((40, 50), (120, 90)):
        data += 0.01 * np.exp(-4 * np.log(2) * ((x - x0) ** 2 + (y - y0) ** 2) / 25)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---SIN", "DEC--SIN"], [10, 20], [-0.0005, 0.0005]
    beam = Beam(major_arcsec=9, minor_arcsec=9)
    write_map(
        RadioMap(data=data.astype(np.float32), wcs=wcs, beam=beam, pixel_arcsec=1.8), tmp_path / "map.fits"
    )
    here = wcs.pixel_to_world([40, 120], [50, 90]).icrs
    rows = [f"{i},{float(p.ra.deg)!r},{float(p.dec.deg)!r}" for i, p in enumerate(here)]
    (tmp_path / "others.csv").write_text("\n".join(["source,ra,dec", *rows, "far,200.0,-40.0", ""]))
    return tmp_path / "map.fits", tmp_path / "others.csv"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["space", "classify", *arguments], catch_exceptions=False)


def test_three_files_hold_every_row_in_its_order(field: tuple[Path, Path], tmp_path: Path) -> None:
    result = run(str(field[0]), str(field[1]), "--out", str(tmp_path / "out"), "--model", "none")
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "classified.csv",
        "classified.vot",
        "classified.reg",
    }
    rows = [line.split(",") for line in (tmp_path / "out" / "classified.csv").read_text().splitlines()]
    assert [row[0] for row in rows] == ["source", "0", "1", "far"]
    assert [row[3] for row in rows] == ["class", "compact", "compact", ""]
    assert rows[3][-1] == "outside"
    table = Table.read(tmp_path / "out" / "classified.vot")
    assert list(table["class"]) == ["compact", "compact", ""]
    assert table["galaxy"].mask.tolist() == [False, False, True]
    assert len(Regions.read(tmp_path / "out" / "classified.reg", format="ds9")) == 3


def test_the_summary_as_json_counts_classes_flags_and_galaxies(
    field: tuple[Path, Path], tmp_path: Path
) -> None:
    result = run(str(field[0]), str(field[1]), "--out", str(tmp_path), "--json")
    summary = json.loads(result.stdout)
    assert sum(summary["counts"].values()) == summary["n_entries"] == 3
    assert summary["counts"]["no class"] == 1
    assert summary["flags"] == {"outside": 1}
    assert len(summary["model_sha256"]) == 64
    assert Path(summary["files"]["classified.csv"]).is_file()


@pytest.mark.parametrize(
    "content",
    ["# Source_id Isl_id RA DEC S_Code\n", '{"metadata": {}, "sources": []}', "global color=red\nfk5\n"],
)
def test_an_empty_catalogue_gives_files_without_rows(
    field: tuple[Path, Path], tmp_path: Path, content: str
) -> None:
    (tmp_path / "none").write_text(content)
    arguments = [str(field[0]), str(tmp_path / "none"), "--out", str(tmp_path / "out"), "--model", "none"]
    assert json.loads(run(*arguments, "--json").stdout)["n_entries"] == 0
    table = Table.read(tmp_path / "out" / "classified.vot")
    assert len(table) == 0
    assert "class" in table.colnames


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"root\x00\x00\xf3\xf1", "saveToCatalogFile"),
        (b"", "is empty"),
        (b"\x89HDF\r\n", "got HDF5"),
        (b"source,ra,dec\na,200.0,-40.0\n", "no entry of the catalogue is on map.fits"),
        (b'{"sources": [{"name": "S1", "ra"', "cannot be read as JSON"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_1_and_leaves_no_file(
    field: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    says: str,
) -> None:
    (tmp_path / "odd").write_bytes(content)
    with pytest.raises(SystemExit) as stopped:
        main(["space", "classify", str(field[0]), str(tmp_path / "odd"), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not list((tmp_path / "out").glob("*"))
