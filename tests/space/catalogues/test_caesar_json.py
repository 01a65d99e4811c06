"""CAESAR's JSON comes back with its slots for a class filled in."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helikon.errors import InputError
from helikon.space.catalogues import read_catalogue
from helikon.space.catalogues.added import Classified, added_columns


def document() -> dict[str, Any]:
    """Two sources: one of two islands, one whose island has a box alone."""
    corners = [[10.0, 10.0], [20.0, 10.0], [20.0, 18.0], [10.0, 18.0]]
    first = {
        "name": "S1",
        "class_label": "UNKNOWN",
        "class_score": -999,
        "nislands": 2,
        "x0": 15.5,
        "y0": 14.0,
        "ra": 10.0,
        "dec": 20.0,
        "tags": ["checked"],
        "islands": [{"name": "S1_1", "vertices": corners}, {"name": "S1_2", "vertices": [corners]}],
    }
    box = {"name": "S2_1", "xmin": 30, "xmax": 40, "ymin": 50, "ymax": 60, "vertices": []}
    second = {"name": "S2", "x0": 35.0, "y0": 55.0, "ra": 10.1, "dec": 20.1, "flux": None, "islands": [box]}
    return {"metadata": {"version": "1.2"}, "sources": [first, second]}


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(content))
    return path


def test_sources_have_positions_and_the_outlines_of_their_islands(tmp_path: Path) -> None:
    catalogue = read_catalogue(written(tmp_path, document()))
    assert catalogue.places.x.tolist() == [10.0, 10.1]
    assert [len(outline) for outline in catalogue.places.outlines] == [2, 1]
    assert catalogue.places.outlines[1][0].tolist() == [[30, 50], [40, 50], [40, 60], [30, 60]]
    assert list(catalogue.table["name"]) == ["S1", "S2"]


def test_class_score_and_tags_are_filled_in_and_all_else_stays(tmp_path: Path) -> None:
    catalogue = read_catalogue(written(tmp_path, document()))
    probabilities = np.array([[0.0, 0.1, 0.0, 0.9, 0.0], [np.nan] * 5])
    verdict = Classified(probabilities=probabilities, galaxy=np.array([1, 0]), flags=("", "outside"))
    catalogue.write(added_columns(verdict), tmp_path / "again.json")
    again = json.loads((tmp_path / "again.json").read_text())
    first, second = again["sources"]
    assert (first["class_label"], first["class_score"]) == ("extended-multi-island", 0.9)
    assert first["tags"] == ["checked", "extended-multi-island"]
    assert first["helikon"]["galaxy"] == 1
    assert second["tags"] == ["outside"]
    assert second["helikon"]["class"] is None
    assert "class_label" not in second
    for source in again["sources"]:
        del source["helikon"], source["tags"]
    expected = document()
    expected["sources"][0] |= {"class_label": "extended-multi-island", "class_score": 0.9}
    del expected["sources"][0]["tags"]
    assert again == expected


def test_no_sources_are_no_rows(tmp_path: Path) -> None:
    catalogue = read_catalogue(written(tmp_path, {"metadata": {}, "sources": []}))
    assert len(catalogue.table) == len(catalogue.places) == 0


def test_sources_with_pixels_alone_are_read(tmp_path: Path) -> None:
    catalogue = read_catalogue(written(tmp_path, {"sources": [{"name": "S1", "x0": 3.0, "y0": 4.0}]}))
    assert catalogue.places.in_pixels
    assert (catalogue.places.x[0], catalogue.places.y[0]) == (3, 4)


@pytest.mark.parametrize(
    ("content", "says"),
    [([1, 2], "no catalogue of CAESAR"), ({"objs": []}, "no catalogue of CAESAR"), ({"sources": [1]}, "got")],
)
def test_another_document_is_refused(tmp_path: Path, content: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_catalogue(written(tmp_path, content))


def test_a_document_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, document())
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InputError, match="cannot be read as JSON"):
        read_catalogue(path)
