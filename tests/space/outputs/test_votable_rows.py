"""The rows of a VOTable are what astropy would write."""

import io

import numpy as np
import pytest
from astropy.io.votable import from_table
from astropy.table import Table

from helikon.space.outputs.votable_rows import tabledata

NUMBERS = [0.0, -0.0, 1.0, -2.5, 0.1, 1e-5, 123456789.0, 1e16, 3e22, 5e-324, np.nan, np.inf, -np.inf]


def as_astropy_writes(table: Table) -> str:
    stream = io.BytesIO()
    from_table(table).to_xml(stream, tabledata_format="tabledata")
    text = stream.getvalue().decode()
    return text[text.index("     <TR>") : text.index("    </TABLEDATA>")]


@pytest.mark.parametrize(
    "values",
    [
        np.array(NUMBERS, dtype="f8"),
        np.array(NUMBERS, dtype="f4"),
        np.exp(np.random.default_rng(1).normal(size=500) * 9).astype("f4"),
        np.exp(np.random.default_rng(2).normal(size=500) * 9),
        np.array([0, -7, 2**31 - 1], dtype="i4"),
        np.array([2**40], dtype="i8"),
        np.array([b"", b"compact", b"a <b> & 'c' \"d\"", b" x "]),
    ],
)
def test_every_cell_is_as_astropy_writes_it(values: np.ndarray) -> None:
    table = Table({"one": values, "other": np.arange(len(values))})
    assert "".join(tabledata(table)) == as_astropy_writes(table)
