"""``helikon space find`` works without the platform."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.table import QTable
from astropy.wcs import WCS
from click.testing import CliRunner, Result

from helikon.cli import cli, main
from helikon.space.classes import CLASSES
from helikon.space.fits import Beam, RadioMap, write_map
from helikon.space.formats import FILES


@pytest.fixture
def map_path(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:160, :160]
    data = rng.normal(0, 1e-4, (160, 160))
    for x0, y0 in ((40, 50), (120, 90)):
        data += 0.01 * np.exp(-4 * np.log(2) * ((x - x0) ** 2 + (y - y0) ** 2) / 25)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---SIN", "DEC--SIN"], [10, 20], [-0.0005, 0.0005]
    beam = Beam(major_arcsec=9, minor_arcsec=9)
    path = tmp_path / "map.fits"
    write_map(RadioMap(data=data.astype(np.float32), wcs=wcs, beam=beam, pixel_arcsec=1.8), path)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["space", *arguments], catch_exceptions=False)


def test_find_writes_the_files_and_counts_the_classes(map_path: Path, tmp_path: Path) -> None:
    result = run("find", str(map_path), "--out", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FILES)
    assert len(QTable.read(tmp_path / "out" / "sources.vot")) == 2
    words = [line.split() for line in result.stdout.splitlines()]
    assert words[0] == ["CLASS", "N"]
    assert [word[0] for word in words[1:6]] == list(CLASSES)
    assert sum(int(word[1]) for word in words[1:6]) == 2
    assert words[6] == [str(tmp_path / "out" / "sources.vot")]


def test_find_as_json_says_what_was_found_and_with_which_model(map_path: Path, tmp_path: Path) -> None:
    summary = json.loads(
        run(
            *("find", str(map_path), "--out", str(tmp_path), "--json"),
            *("--seed-sigma", "6", "--score-threshold", "0.7"),
        ).stdout
    )
    assert summary["n_sources"] + summary["n_artefacts"] == 2
    assert (summary["seed_sigma"], summary["score_threshold"]) == (6, 0.7)
    assert len(summary["model_sha256"]) == 64
    assert Path(summary["files"]["sources.reg"]).is_file()


def test_find_without_a_network(map_path: Path, tmp_path: Path) -> None:
    summary = json.loads(
        run("find", str(map_path), "--out", str(tmp_path), "--json", "--model", "none").stdout
    )
    assert summary["counts"]["compact"] == 2
    assert summary["model_sha256"] == ""


def test_a_beam_given_replaces_that_of_the_header(map_path: Path, tmp_path: Path) -> None:
    result = run(
        "find", str(map_path), "--out", str(tmp_path), "--json", "--model", "none", "--beam", "10,9,30"
    )
    assert json.loads(result.stdout)["beam_major_arcsec"] == 10


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing.fits"], "no file nothing.fits"),
        (["MAP", "--beam", "wide"], "the beam cannot be read"),
        (["MAP", "--seed-sigma", "2"], "0 < flood <= seed"),
        (["MAP", "--seed-sigma", "inf"], "these thresholds cannot be used: got seed inf"),
        (["MAP", "--flood-sigma", "nan"], "these thresholds cannot be used: got seed 5 and flood nan"),
        (["MAP", "--score-threshold", "nan"], "this score threshold cannot be used: got nan"),
        (["MAP", "--model", "/nowhere"], "the model folder /nowhere does not exist: expected a folder with "),
        (["MAP", "--model", "./nope"], "; name another, or leave it out for the model that comes"),
        (["MAP", "--model", "MAP"], "map.fits holds no model: got a file, expected a folder with "),
        (["MAP", "--model", "."], ". holds no model: got no model.json in it, expected a folder with "),
    ],
)
def test_bad_input_is_one_line_and_exit_1(
    map_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    words = [str(map_path) if word == "MAP" else word for word in arguments]
    with pytest.raises(SystemExit) as stopped:
        main(["space", "find", *words])
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_fits_cutouts_of_no_sheets_are_a_usage_error(map_path: Path, tmp_path: Path) -> None:
    result = run("find", str(map_path), "--out", str(tmp_path / "out"), "--fits-cutouts")
    assert result.exit_code == 2
    assert "add --cutouts N" in result.output
    assert not (tmp_path / "out").exists()


def test_help_imports_nothing_heavy(imported: Callable[[str, set[str]], set[str]]) -> None:
    code = "from helikon.cli import main; main(['space', 'find', '--help'])"
    assert imported(code, {"helikon.cli", "torch", "astropy", "numpy", "pydantic"}) == {"helikon.cli"}
    assert "Example:" in CliRunner().invoke(cli, ["space", "find", "--help"]).output


def test_find_tells_openblas_not_to_spin_unless_the_user_says_otherwise(
    map_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for said, used in (("", "1"), ("3", "3")):
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", said)
        if not said:
            monkeypatch.delenv("OPENBLAS_NUM_THREADS")
        run("find", str(map_path), "--out", str(tmp_path), "--model", "none")
        assert os.environ["OPENBLAS_NUM_THREADS"] == used


def test_all_commands_are_listed() -> None:
    words = run("--help").stdout
    assert all(f"  {name} " in words for name in ("find", "simulate", "evaluate"))
