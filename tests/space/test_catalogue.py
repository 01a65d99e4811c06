"""The catalogue's columns are documented."""

from pathlib import Path

from helikon.space.catalogue import COLUMNS
from helikon.space.model import CLASSES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "catalogue.md"


def test_every_column_is_documented_with_its_unit_and_ucd() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    documented = {row[0].strip("`"): (row[1], row[3].strip("`"), row[4]) for row in rows if len(row) == 5}
    expected = {
        info.name: (
            "" if info.unit is None else info.unit.to_string().replace(" / ", "/"),
            info.ucd,
            info.description,
        )
        for info in COLUMNS
    }
    assert documented == expected


def test_every_class_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in CLASSES)
