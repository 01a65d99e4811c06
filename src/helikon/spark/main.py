"""Become ``spark-submit`` with our settings: ``python -m helikon.spark.main APP --conf k=v -- ARGS``.

The process is replaced by the driver's JVM, so that whoever started it
watches, signals and waits for the very process.
"""

import os
import sys
from pathlib import Path

import click

from helikon.errors import HelikonError, Missing
from helikon.settings import Settings, load
from helikon.spark.conf import prepare_folder, python_environment, search_path, spark_conf
from helikon.spark.java import find_java
from helikon.spark.submit import read_conf, submit_argv

__all__ = ["main", "plan"]


@click.command()
@click.argument("application")
@click.option("--conf", "pairs", multiple=True, help="An option of Spark, key=value.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def main(application: str, pairs: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    """Run a Spark application, a Python file or module:function, with what follows --."""
    try:
        argv, environment = plan(load(), application, arguments, dict(read_conf(pairs)))
    except HelikonError as error:
        click.echo(f"helikon: {error}", err=True)
        sys.exit(error.exit_code)
    os.execvpe(argv[0], list(argv), environment)


def plan(
    settings: Settings, application: str, arguments: tuple[str, ...], conf: dict[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the argument vector and the environment of the driver, and make Spark's folders.

    Raises
    ------
    Missing
        If pyspark or Java is not installed.
    """
    prepare_folder(settings)
    name = os.environ.get("HELIKON_JOB") or Path(application).stem
    if settings.spark.remote:
        environment = os.environ | {"SPARK_REMOTE": settings.spark.remote}
        runner = Path(__file__).with_name("application.py")
        return (sys.executable, str(runner), application, *arguments), environment
    find_java()
    home = _spark_home()
    options = spark_conf(settings, name, path=[*search_path(), *_folder_of(application)]) | conf
    argv = submit_argv(str(home / "bin" / "spark-submit"), application, arguments, options)
    return argv, os.environ | python_environment() | {"SPARK_HOME": str(home)}


def _folder_of(application: str) -> list[str]:
    return [str(Path(application).resolve().parent)] if application.endswith(".py") else []


def _spark_home() -> Path:
    import importlib.util

    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise Missing("this needs Spark", got="no pyspark", next_step='pip install "helikon[spark]"')
    return Path(spec.origin).parent


if __name__ == "__main__":
    main()
