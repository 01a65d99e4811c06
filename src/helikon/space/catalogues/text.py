"""Catalogues as lines of text: CAESAR, PyBDSF, Selavy, Aegean, and any CSV.

Lines are kept as they are and written again with more at their end, so that no
digit changes. Columns are known by the names in the header, never by position:
CAESAR's manual and its code differ by one.
"""

import contextlib
import csv
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from astropy.table import Table

from helikon.errors import InputError
from helikon.space.catalogues.added import cell_text
from helikon.space.catalogues.cells import SPACES, cells_of, column_of, find_header, without_tail
from helikon.space.catalogues.kinds import whose
from helikon.space.catalogues.places import Places
from helikon.space.catalogues.positions import places_of_table

__all__ = ["TextCatalogue", "read_text"]

BREAK = re.compile(r"(\r\n|\n|\r)")
QUOTED = (",", ";", "|")
"""Delimiters between which a cell in quotes may hold anything, line breaks too."""
EQUINOX = re.compile(r"equinox\D{0,12}(\d{4}(?:\.\d+)?)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TextCatalogue:
    """Lines (a row with line breaks in quotes is one), and the table and places that they say."""

    kind: str
    suffix: str
    table: Table
    places: Places
    lines: tuple[str, ...]
    header: int
    units: int | None
    rows: tuple[int, ...]
    delimiter: str
    newline: str

    def write(self, added: Table, path: Path) -> None:
        """Write the lines with the values of ``added`` at the end of each row's."""
        lines = list(self.lines)
        lines[self.header] = self._longer(lines[self.header], added.colnames)
        if self.units is not None:
            lines[self.units] = self._longer(lines[self.units], ["[--]"] * len(added.colnames))
        empty = "" if self.delimiter in {",", ";"} else "-"
        for number, row in enumerate(self.rows):
            cells = [cell_text(added[name], number, empty=empty) for name in added.colnames]
            lines[row] = self._longer(lines[row], cells)
        text = self.newline.join([*lines, ""])
        path.write_text(text, encoding="utf-8", newline="", errors="surrogateescape")

    def _longer(self, line: str, cells: list[str]) -> str:
        if self.delimiter == SPACES:
            return " ".join([line.rstrip(), *cells])
        n_more = len(cells_of(line, self.delimiter)) - len(self.table.colnames)
        kept = line[:-n_more] if n_more > 0 else line  # tabs after the last column
        return self.delimiter.join([kept, *cells])


def read_text(path: Path, frame: str = "") -> TextCatalogue:
    """Read a catalogue of lines.

    Parameters
    ----------
    path : Path
    frame : str
        Of positions whose frame the file does not say; see ``frames.named_frame``.

    Raises
    ------
    InputError
        If there is no line of column names, a row does not fit it, or no
        column is a position.
    """
    raw = path.read_bytes().decode("utf-8", "surrogateescape")
    newline = "\r\n" if "\r\n" in raw else "\n"
    lines = list(_joined(raw.lstrip("\ufeff")))
    first = next((i for i, line in enumerate(lines) if _is_row(line)), len(lines))
    delimiter, header, names = find_header(lines, first, path.name)
    rows = [i for i in range(max(header + 1, first), len(lines)) if _is_row(lines[i])]
    cells = [without_tail(cells_of(lines[i], delimiter), len(names)) for i in rows]
    names = _with_flag_of_code(names, cells)
    _refuse_odd_rows(cells, len(names), lines, rows, path.name)
    table = _table(names, cells)
    equinox = EQUINOX.search(" ".join(lines[:header]))
    return TextCatalogue(
        kind=whose(table, "CSV" if delimiter == "," else "text"),
        suffix=_suffix(path, delimiter),
        table=table,
        places=places_of_table(table, frame=frame, equinox=equinox.group(1) if equinox and not frame else ""),
        lines=tuple(lines),
        header=header,
        units=_units_line(lines, header, len(names), delimiter),
        rows=tuple(rows),
        delimiter=delimiter,
        newline=newline,
    )


def _joined(text: str) -> Iterator[str]:
    """Yield the lines of a text; a row with line breaks in quotes is one."""
    parts = BREAK.split(text)  # line, break, line, …
    if not parts[-1]:
        del parts[-1]
    first = 0
    while first < len(parts):
        after = _after_row(parts, first)
        yield "".join(parts[first:after])
        first = after + 1


def _after_row(parts: list[str], first: int) -> int:
    """Return where a row ends: after its line, or after that which rightly closes its quote."""
    if _is_row(parts[first]) and _opens(parts[first]):
        last = next((i for i in range(first + 2, len(parts), 2) if _opens(parts[i])), None)
        if last is not None and _is_quoted("".join(parts[first : last + 1])):
            return last + 1
    return first + 1


def _opens(line: str) -> bool:
    """Say whether a line opens a quote that it does not close, or closes one that it does not open."""
    return line.count('"') % 2 == 1


def _is_quoted(row: str) -> bool:
    """Say whether a row of several lines has its line breaks in quotes, between delimiters of some kind."""
    for delimiter in QUOTED:
        with contextlib.suppress(csv.Error):
            list(csv.reader([row], delimiter=delimiter, skipinitialspace=True, strict=True))
            return True
    return False


def _is_row(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _with_flag_of_code(names: list[str], cells: list[list[str]]) -> list[str]:
    """CAESAR's code writes ``fitComponentFlag`` after ``fitQuality``; its manual leaves it out."""
    longer = bool(cells) and all(len(row) == len(names) + 1 for row in cells)
    if longer and "fitQuality" in names and "fitComponentFlag" not in names:
        after = names.index("fitQuality") + 1
        return [*names[:after], "fitComponentFlag", *names[after:]]
    return names


def _refuse_odd_rows(
    cells: list[list[str]], length: int, lines: list[str], rows: list[int], name: str
) -> None:
    for row, index in zip(cells, rows, strict=True):
        if len(row) != length:
            number = index + 1 + sum(len(BREAK.findall(line)) for line in lines[:index])
            raise InputError(
                f"line {number} of {name} does not fit its header",
                got=f"{len(row)} values",
                expected=f"{length}, one for each column name",
                next_step="is the file cut short?",
            )


def _table(names: list[str], cells: list[list[str]]) -> Table:
    table = Table()
    for index, name in enumerate(_unique(names)):
        table[name] = column_of([row[index] for row in cells], name)
    return table


def _unique(names: list[str]) -> list[str]:
    taken: dict[str, int] = {}
    unique = []
    for index, name in enumerate(names):
        word = BREAK.sub(" ", name) or f"column_{index + 1}"
        taken[word] = taken.get(word, 0) + 1
        unique.append(word if taken[word] == 1 else f"{word}_{taken[word]}")
    return unique


def _units_line(lines: list[str], header: int, n_columns: int, delimiter: str) -> int | None:
    """Selavy writes a line of units under that of the names."""
    under = header + 1
    if under < len(lines) and lines[under].lstrip().startswith("#"):
        cells = cells_of(lines[under].lstrip().lstrip("#").strip(" "), delimiter)
        return under if len(cells) == n_columns else None
    return None


def _suffix(path: Path, delimiter: str) -> str:
    odd = path.suffix.lower() in {"", ".vot", ".xml", ".fits", ".reg", ".json", ".gz"}
    return (".csv" if delimiter == "," else ".txt") if odd else path.suffix
