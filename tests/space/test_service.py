"""The finder behind BentoML: a map goes in, a catalogue comes out."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from astropy.table import QTable
from astropy.wcs import WCS

from helikon.errors import InputError
from helikon.serving.client import EndpointClient
from helikon.space.fits import Beam, RadioMap, write_map
from helikon.space.formats import FILES
from helikon.testing.services import served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A BentoML server with the model that comes with Helikon."""
    with served("helikon.space.service:SourceFinder", tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture(scope="module")
def map_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    y, x = np.mgrid[:128, :128]
    data = np.random.default_rng(5).normal(0, 1e-4, (128, 128))
    data += 0.01 * np.exp(-4 * np.log(2) * ((x - 40) ** 2 + (y - 60) ** 2) / 25)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---SIN", "DEC--SIN"], [10, 20], [-0.0005, 0.0005]
    path = tmp_path_factory.mktemp("map") / "field 1.fits"
    beam = Beam(major_arcsec=9, minor_arcsec=9)
    write_map(RadioMap(data=data.astype(np.float32), wcs=wcs, beam=beam, pixel_arcsec=1.8), path)
    return path


def send(server: str, path: Path, **fields: str) -> httpx.Response:
    with path.open("rb") as stream:
        return httpx.post(
            f"{server}/find",
            files={"map": (path.name, stream)},
            data=fields,
            timeout=120,
        )


@pytest.mark.slow
def test_a_map_comes_back_as_a_zip_of_the_files(server: str, map_path: Path, tmp_path: Path) -> None:
    answer = send(server, map_path, seed_sigma="8")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert set(archive.namelist()) == {*FILES, "report.json"}
        archive.extractall(tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(QTable.read(tmp_path / "sources.vot")) == report["n_sources"] + report["n_artefacts"] == 1
    assert report["map"] == "field 1.fits"
    assert report["seed_sigma"] == 8
    assert len(report["model_sha256"]) == 64


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "says"),
    [({"seed_sigma": "1"}, "0 < flood <= seed"), ({"beam": "wide"}, "the beam cannot be read")],
)
def test_bad_fields_are_answered_with_400_and_one_line(
    server: str, map_path: Path, fields: dict[str, str], says: str
) -> None:
    answer = send(server, map_path, **fields)
    assert answer.status_code == 400
    assert says in " ".join(str(part) for part in answer.json()["error"].values())


@pytest.mark.slow
def test_a_misspelt_field_is_refused_with_those_there_are(server: str, map_path: Path) -> None:
    answer = send(server, map_path, score_treshold="0.3")
    assert answer.status_code == 400
    expected = "expected one of map, seed_sigma, flood_sigma, score_threshold, beam, name"
    assert f"there is no field score_treshold: {expected}" in answer.json()["detail"][0]["msg"]
    with EndpointClient(server, "any") as client, pytest.raises(InputError, match="no field score_treshold"):
        client.post_file("find", map_path, score_treshold=0.3)


@pytest.mark.slow
def test_a_file_that_is_no_map_is_answered_with_400_and_one_line(server: str, tmp_path: Path) -> None:
    path = tmp_path / "text.fits"
    path.write_text("no map\n")
    answer = send(server, path)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["what"].startswith("text.fits cannot be read as FITS")
    assert set(error) == {"what", "got", "expected", "next"}
