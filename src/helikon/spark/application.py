"""Run a Spark application inside ``spark-submit``: ``application.py APP ARGS``.

The application is a Python file, run as ``__main__``, or ``module:function``,
called with the arguments as text. It uses ``SparkSession.builder.getOrCreate()``
and knows nothing of this. Stages are told on stderr while they run; the last
line of a failure is ``helikon:`` with the first Python error.
"""

import runpy
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

__all__ = ["main"]


def main(application: str, arguments: list[str]) -> int:
    """Run an application and return its exit code."""
    from helikon.spark.stages import told

    try:
        with told(sys.stderr):
            _program(application, arguments)()
    except SystemExit as leaving:
        return _exit_code(leaving)
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        traceback.print_exc()
        sys.stderr.write(f"helikon: {_cause(error)}\n")
        return getattr(error, "exit_code", 1)
    return 0


def _program(application: str, arguments: list[str]) -> Callable[[], object]:
    if not application.endswith(".py"):
        from helikon.spark.targets import find_function

        return lambda: find_function(application)(*arguments)
    path = str(Path(application).resolve())
    sys.argv = [path, *arguments]
    sys.path.insert(0, str(Path(path).parent))
    return lambda: runpy.run_path(path, run_name="__main__")


def _exit_code(leaving: SystemExit) -> int:
    if leaving.code is None or isinstance(leaving.code, int):
        return leaving.code or 0
    sys.stderr.write(f"helikon: {leaving.code}\n")
    return 1


def _cause(error: BaseException) -> str:
    from helikon.backends.causes import cause_of
    from helikon.errors import HelikonError

    if isinstance(error, HelikonError):
        return str(error)
    return cause_of(1, "".join(traceback.format_exception(error)))


if __name__ == "__main__":
    # Python put this file's own folder in front, where its neighbours would hide others' modules.
    sys.path.pop(0)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
