"""CAESAR's JSON holds null for what is no number."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from tests.space.test_formats import made_up

from helikon.space.outputs.caesar_out import write_caesar


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_fits_without_finite_chi2_or_errors_are_null(tmp_path: Path, value: float) -> None:
    found, radio_map = made_up()
    catalogue = copy.deepcopy(found)
    catalogue.components = copy.deepcopy(found.components)
    catalogue.components["source_id"] = catalogue["id"][0]  # one island of several components
    catalogue.components["island"] = 1
    for name in ("chi2", "ra_err", "dec_err", "deconv_major"):
        catalogue.components[name][:] = value
    catalogue["ra_err"][:] = value
    path = tmp_path / "sources.json"
    write_caesar(catalogue, radio_map, path)
    source = json.loads(path.read_text())["sources"][0]
    fit = source["islands"][0]["fit_info"]
    assert source["ra_err"] is None
    assert fit["chi2"] is None
    assert fit["ncomponents"] == len(catalogue.components) > 1
    assert [part["ra_err"] for part in fit["components"]] == [None] * len(catalogue.components)
    assert {part["morph_label"] for part in fit["components"]} == {"POINT-LIKE"}
