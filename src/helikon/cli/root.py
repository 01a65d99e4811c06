"""The entry point: the root command, and how errors meet the world."""

import gc
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from helikon import __version__
from helikon.cli.lazy import AppGroup
from helikon.errors import HelikonError

__all__ = ["cli", "main"]

TARGETS = {
    "doctor": ("helikon.cli.doctor:doctor", "Say what is installed, missing and reachable."),
    "demo": ("helikon.cli.demo:demo", "Run the main job through every service."),
    "up": ("helikon.cli.platform:up", "Start the gateway on this machine."),
    "status": ("helikon.cli.platform:status", "Say what runs."),
    "down": ("helikon.cli.platform:down", "Stop the gateway."),
    "job": ("helikon.cli.job:job", "List, show, follow and stop jobs."),
    "spark": ("helikon.cli.spark:spark", "Submit Spark applications, and look at past ones."),
    "train": ("helikon.cli.train:train", "Train a recipe in several processes."),
    "tune": ("helikon.cli.tune:tune", "Search hyper-parameters with Spark and Optuna."),
    "model": ("helikon.cli.model:model", "Publish and serve models."),
}


RARELY = 100_000, 10, 10
"""Most of what a command makes, modules above all, lives to its end: looking for garbage there takes time."""


@click.group(cls=AppGroup, targets=TARGETS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="helikon")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file (default: helikon.yaml here).")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(context: click.Context, config: Path | None, debug: bool) -> None:
    """AI services for open science: notebooks, Spark, training, serving.

    \b
    Examples:
      helikon doctor                          what is installed and what is missing
      helikon space find map.fits --out out   a source catalogue of a radio map
      helikon up                              the gateway on this machine
    """
    context.obj = {"config": config, "debug": debug}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 the user's error, 2 usage, 70 ours, 130 Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    gc.set_threshold(*RARELY)
    debug = "--debug" in arguments
    try:
        sys.exit(_run(arguments))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("helikon: stopped", err=True)
        sys.exit(130)
    except HelikonError as error:
        _report(str(error), debug)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        _report(f"internal error: {type(error).__name__}: {error}", debug)
        if not debug:
            click.echo("helikon: run it again with --debug (before the command) for the traceback", err=True)
        sys.exit(70)


def _run(arguments: list[str]) -> int:
    result: Any = cli.main(args=arguments, prog_name="helikon", standalone_mode=False)
    return result if isinstance(result, int) else 0


def _report(message: str, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    click.echo(f"helikon: {message}", err=True)
