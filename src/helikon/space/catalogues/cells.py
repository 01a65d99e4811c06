"""Lines of text as cells: which delimiter, which line names the columns, what a column holds."""

import csv

import numpy as np
from astropy.table import Column, MaskedColumn, Table

from helikon.errors import InputError
from helikon.space.catalogues.columns import position_columns

__all__ = ["SPACES", "cells_of", "column_of", "find_header", "without_tail"]

SPACES = " "
DELIMITERS = ("\t", ",", ";", "|", SPACES)
EMPTY_WORDS = {"", "nan", "none", "null", "--", "-", "n/a", '""'}


def cells_of(line: str, delimiter: str) -> list[str]:
    """Part a line into cells; it is one cell where its quotes do not go with the delimiter."""
    if delimiter == SPACES:
        return line.split()
    if delimiter == "\t":
        return [cell.strip() for cell in line.split("\t")]
    try:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        cells = [line]
    return [cell.strip() for cell in cells]


def without_tail(cells: list[str], length: int) -> list[str]:
    """Leave out empty cells after the last column: CAESAR ends its lines with a tab."""
    while len(cells) > length and not cells[-1]:
        cells = cells[:-1]
    return cells


def find_header(lines: list[str], first: int, name: str) -> tuple[str, int, list[str]]:
    """Find the delimiter, the line of names and the names.

    That is the last comment before the first row (line ``first``) that fits it,
    or that line itself.

    Raises
    ------
    InputError
        If no line names columns of a position; ``name`` is that of the file.
    """
    row = lines[first] if first < len(lines) else None
    comments = [i for i in range(first - 1, -1, -1) if lines[i].lstrip().startswith("#")]
    for i in comments:
        text = lines[i].lstrip().lstrip("#").strip(" ")
        for delimiter in DELIMITERS:
            names = without_tail(cells_of(text, delimiter), 0)
            if _names_fit(names, row, delimiter):
                return delimiter, i, names
    for delimiter in DELIMITERS if row is not None else ():
        names = without_tail(cells_of(row or "", delimiter), 0)
        if len(names) > 1 and not any(_is_number(cell) for cell in names) and _has_position(names):
            return delimiter, first, names
    raise InputError(
        f"{name} has no line that names its columns",
        got=_first_line(lines),
        expected="a catalogue with column names, as # ra dec … or ra,dec,…",
    )


def _names_fit(names: list[str], row: str | None, delimiter: str) -> bool:
    if len(names) < 2 or not _has_position(names):
        return False
    if row is None:
        return delimiter != SPACES or len(set(names)) == len(names)
    return abs(len(without_tail(cells_of(row, delimiter), len(names))) - len(names)) <= 1 + len(names) // 20


def _has_position(names: list[str]) -> bool:
    unique = list(dict.fromkeys(name for name in names if name))
    return position_columns(Table(names=unique)) is not None if unique else False


def column_of(texts: list[str], name: str) -> Column:
    """Make a column of whole numbers, numbers or words; masked where a number is missing."""
    empty = np.array([text.lower() in EMPTY_WORDS for text in texts], dtype=bool)
    for kind in (np.int64, np.float64):
        try:
            values = np.array([kind(0 if gone else text) for text, gone in zip(texts, empty, strict=True)])
        except (ValueError, OverflowError):
            continue
        if len(texts) and not empty.all():
            return MaskedColumn(values, name=name, mask=empty) if empty.any() else Column(values, name=name)
    width = max([1, *map(len, texts)])
    return Column(np.array(texts, dtype=f"U{width}"), name=name)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _first_line(lines: list[str]) -> str:
    text = next((line.strip() for line in lines if line.strip()), "")
    return repr(text[:60]) if text.isprintable() and text else "no text"
