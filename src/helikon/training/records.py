"""``metrics.jsonl`` and ``result.json``: what a run tells while it trains and at its end."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helikon.errors import NotFound

__all__ = ["Metrics", "newest_record", "read_metrics", "read_result", "write_json"]


class Metrics:
    """The records of one run, in ``metrics.jsonl``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def go_back_to(self, step: int) -> None:
        """Drop records after a step: they are of an attempt that was cut short. Step 0 drops all."""
        kept = [record for record in read_metrics(self._path) if record["step"] <= step] if step else []
        beside = self._path.with_name(f".{self._path.name}")
        beside.write_text("".join(json.dumps(record) + "\n" for record in kept))
        os.replace(beside, self._path)

    def append(self, record: Mapping[str, float]) -> None:
        """Add a record."""
        with self._path.open("a") as file:
            file.write(json.dumps(dict(record)) + "\n")


def read_metrics(path: Path) -> list[dict[str, float]]:
    """Return all records; none if there is no file yet. A line cut short by a kill is left out."""
    if not path.exists():
        return []
    return [record for line in path.read_text().splitlines() if (record := _parsed(line)) is not None]


def newest_record(path: Path) -> dict[str, float] | None:
    """Return the last whole record, reading only the end of the file."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
        lines = file.read().decode(errors="replace").splitlines()
    return next((record for line in reversed(lines) if (record := _parsed(line)) is not None), None)


def read_result(folder: Path) -> dict[str, Any]:
    """Return what is in the ``result.json`` of a job's folder.

    Raises
    ------
    NotFound
        If the run has not come to its end.
    """
    try:
        result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    except FileNotFoundError as error:
        raise NotFound(f"no result in {folder}", next_step="train to the end first") from error
    return result


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a file whole."""
    beside = path.with_name(f".{path.name}")
    beside.write_text(json.dumps(value, indent=1))
    os.replace(beside, path)


def _parsed(line: str) -> dict[str, float] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "step" in record else None
