"""``metrics.jsonl`` and ``result.json``: what a run tells while it trains and at its end."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["Metrics", "newest_record", "read_metrics", "write_json"]


class Metrics:
    """Appends records to ``metrics.jsonl``.

    Parameters
    ----------
    path : Path
        The file.
    step : int
        The step that the run starts from; records after it are of an attempt
        that was cut short and are dropped.
    """

    def __init__(self, path: Path, step: int) -> None:
        kept = [record for record in read_metrics(path) if record["step"] <= step] if step else []
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}")
        beside.write_text("".join(json.dumps(record) + "\n" for record in kept))
        os.replace(beside, path)
        self._path = path

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
