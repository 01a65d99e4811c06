"""Past applications, from Spark's event logs.

Spark writes what happens as lines of JSON, compressed, into a folder for each
application. A log that is still written, or was cut off when its driver was
killed, is read as far as it goes and said to be unfinished.
"""

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

from helikon.apps import needing
from helikon.errors import NotFound
from helikon.settings import Settings
from helikon.spark.conf import events_folder
from helikon.spark.event_story import Application, Story

__all__ = ["find_application", "past_applications", "read_application", "read_lines"]


def past_applications(settings: Settings) -> list[Application]:
    """Return every application that has an event log here, oldest first."""
    with contextlib.suppress(FileNotFoundError):
        found = [read_application(log) for log in events_folder(settings).iterdir() if _is_log(log)]
        return sorted(found, key=lambda one: one.started or 0.0)
    return []


def find_application(settings: Settings, name: str) -> Application:
    """Return the newest application of a name, or the one of an identifier.

    Raises
    ------
    NotFound
        If there is none.
    """
    known = past_applications(settings)
    found = [one for one in known if name in (one.name, one.id)]
    if not found:
        names = ", ".join(dict.fromkeys(one.name for one in known))
        raise NotFound(f"no application {name} has an event log", expected=names or "none is known")
    return found[-1]


def read_application(log: Path) -> Application:
    """Read one event log: the folder of a rolling one, or its only file."""
    story = Story(log.name.removeprefix("eventlog_v2_").partition(".")[0])
    for line in read_lines(*_files(log)):
        with contextlib.suppress(ValueError, KeyError, TypeError):  # a line that was cut off
            story.add(json.loads(line))
    return story.told()


def read_lines(*files: Path) -> Iterator[str]:
    """Yield the lines of a log's files, unpacked, as far as they can be read."""
    with needing("event logs need zstandard", "spark"):
        import zstandard

    for file in files:
        with file.open("rb") as packed:
            is_packed = file.suffix in (".zstd", ".zst") or ".zstd" in file.suffixes
            unpacked = (
                zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
                if is_packed
                else packed
            )
            with contextlib.suppress(zstandard.ZstdError, EOFError):
                yield from io.TextIOWrapper(unpacked, encoding="utf-8", errors="replace")


def _is_log(path: Path) -> bool:
    return not path.name.startswith(".") and (path.is_dir() or path.stat().st_size > 0)


def _files(log: Path) -> list[Path]:
    if log.is_file():
        return [log]
    numbered = [(re.match(r"events_(\d+)_", path.name), path) for path in log.iterdir()]
    return [path for _, path in sorted((int(match[1]), path) for match, path in numbered if match)]
