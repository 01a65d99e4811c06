"""The catalogue's columns are documented."""

from pathlib import Path

import pytest

from helikon.space.catalogue import COLUMNS, COMPONENT_COLUMNS, ColumnInfo
from helikon.space.classes import CLASSES
from helikon.space.columns import FLAGS
from helikon.space.formats import FILES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "catalogue.md"


def documented(heading: str) -> dict[str, tuple[str, str, str]]:
    """Return unit, UCD and meaning of the columns under a heading."""
    text = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    return {row[0].strip("`"): (row[1], row[3].strip("`"), row[4]) for row in rows}


@pytest.mark.parametrize(
    ("heading", "columns"), [("Columns", COLUMNS), ("Columns of the components", COMPONENT_COLUMNS)]
)
def test_every_column_is_documented_with_its_unit_and_ucd(
    heading: str, columns: tuple[ColumnInfo, ...]
) -> None:
    expected = {
        info.name: (
            "" if info.unit is None else info.unit.to_string().replace(" / ", "/"),
            info.ucd,
            info.description,
        )
        for info in columns
    }
    assert documented(heading) == expected


def test_every_flag_and_every_file_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{word}`" in text for word in (*FLAGS, *FILES))


def test_every_class_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in CLASSES)
