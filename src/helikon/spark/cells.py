"""In a notebook, show Spark's stages below the cell that runs.

Nothing has to be installed in the browser: a thread looks at Spark's status
tracker twice a second while a cell runs, and draws a table of bars in the
cell's own output, which any front end shows and a saved notebook keeps.
Outside a notebook, and over Spark Connect, nothing is done.
"""

import contextlib
import contextvars
import dataclasses
import html
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any

from helikon.spark.stages import called

__all__ = ["Progress", "draw", "watch_cells"]

_INTERVAL_S = 0.5
_N_SHOWN = 6
_WATCHING = "_helikon_watches_spark"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a stage is.

    Attributes
    ----------
    number : int
        Spark's.
    name : str
        What its job was described as, or where it was asked for.
    n_done, n_failed, n_tasks : int
        Its tasks.
    """

    number: int
    name: str
    n_done: int
    n_failed: int
    n_tasks: int

    def __str__(self) -> str:
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        return f"stage {self.number} ({self.name}): {self.n_done} of {self.n_tasks} tasks{failed}"


def watch_cells() -> None:
    """Show Spark's progress below every cell from now on; does nothing outside a notebook's kernel."""
    shell = _shell()
    if shell is None or hasattr(shell, _WATCHING):
        return
    watcher = _Watcher(shell)
    setattr(shell, _WATCHING, watcher)
    shell.events.register("pre_run_cell", watcher.begin)
    shell.events.register("post_run_cell", watcher.end)
    watcher.begin()


def draw(stages: Iterable[Progress], seconds: float) -> dict[str, str]:
    """Return the table of stages as HTML and as text, by media type.

    Parameters
    ----------
    stages : iterable of Progress
        In order; of many, the last are drawn.
    seconds : float
        Since the cell was begun.
    """
    known = list(stages)
    shown, n_hidden = known[-_N_SHOWN:], max(0, len(known) - _N_SHOWN)
    n_done, n_tasks = sum(one.n_done for one in known), sum(one.n_tasks for one in known)
    word = "stage" if len(known) == 1 else "stages"
    summary = f"Spark: {len(known)} {word}, {n_done} of {n_tasks} tasks, {seconds:.1f} s"
    earlier = [f"{n_hidden} earlier stages"] if n_hidden else []
    rows = "".join(_row(one) for one in shown)
    head = "".join(f"<div>{line}</div>" for line in [summary, *earlier])
    return {
        "text/html": f'<div style="font-size: small">{head}<table>{rows}</table></div>',
        "text/plain": "\n".join([summary, *earlier, *map(str, shown)]),
    }


def _row(one: Progress) -> str:
    failed = f", {one.n_failed} failed" if one.n_failed else ""
    cells = (
        f"stage {one.number}",
        html.escape(one.name),
        f'<progress value="{one.n_done}" max="{max(1, one.n_tasks)}"></progress>',
        f"{one.n_done} of {one.n_tasks} tasks{failed}",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


class _Watcher:
    """Draws while a cell runs."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def begin(self, _info: object = None) -> None:
        """Start to look; a cell without Spark's work for half a second sees nothing of it."""
        self._ended = threading.Event()
        look = contextvars.copy_context().run  # a thread's output goes to the cell of its context
        self._thread = threading.Thread(
            target=look, args=(self._look, self._ended), name="spark-progress", daemon=True
        )
        self._thread.start()

    def end(self, _result: object = None) -> None:
        """Draw for the last time."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2 * _INTERVAL_S)

    def _look(self, ended: threading.Event) -> None:
        import IPython.display

        display: Any = IPython.display.display
        began, handle = time.monotonic(), None
        seen: dict[int, Progress] = {}
        drawn: list[Progress] = []
        leaving = False
        while not leaving:
            leaving = ended.wait(_INTERVAL_S)
            with contextlib.suppress(Exception):  # between two sessions, or after the JVM's end
                _update(seen)
            if seen and (stages := list(seen.values())) != drawn:
                drawn, picture = stages, draw(stages, time.monotonic() - began)
                if handle is None:
                    handle = display(picture, raw=True, display_id=True)
                else:
                    handle.update(picture, raw=True)


def _update(seen: dict[int, Progress]) -> None:
    """Look at the stages that run, and once more at those that ran."""
    from pyspark import SparkContext

    context: Any = SparkContext._active_spark_context
    if context is None:
        return
    tracker = context.statusTracker()
    running = set(tracker.getActiveStageIds())
    going = {number for number, one in seen.items() if one.n_done < one.n_tasks}
    for number in sorted(running | going):
        if (info := tracker.getStageInfo(number)) is not None:
            seen[number] = Progress(
                number=number,
                name=called(context, info),
                n_done=info.numCompletedTasks,
                n_failed=info.numFailedTasks,
                n_tasks=info.numTasks,
            )


def _shell() -> Any:
    """Return the interactive shell of a notebook's kernel, if this is one."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell if getattr(shell, "kernel", None) is not None else None
