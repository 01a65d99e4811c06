"""The demo: one radio map through every service, from the sky to a catalogue.

Six steps, each on the engine that does it in production. What the steps start
is stopped again, whatever happens. Read :func:`run` first.
"""

import contextlib
import dataclasses
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from rich.console import Console

from helikon.settings import Settings
from helikon.space.demo import steps

__all__ = ["run"]


@dataclasses.dataclass(slots=True)
class Narrator:
    """Says one line a step and keeps how long each took."""

    console: Console
    n_steps: int
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)

    @contextlib.contextmanager
    def step(self, engine: str, doing: str) -> Iterator[None]:
        """Announce a step, run it, and say how long it took."""
        number = len(self.seconds) + 1
        self.console.print(
            f"[bold cyan]\\[{number}/{self.n_steps}][/] [bold]{engine}[/]: {doing}", highlight=False
        )
        start = time.monotonic()
        yield
        self.seconds[engine] = round(time.monotonic() - start, 1)
        self.say(f"done in {self.seconds[engine]:.1f} s")

    def say(self, text: str) -> None:
        """Say a detail of the running step."""
        self.console.print(f"      {text}", highlight=False, markup=False, soft_wrap=True)


def run(
    settings: Settings,
    out: Path,
    *,
    map_path: Path | None = None,
    training_seconds: float = 60.0,
    n_trials: int = 8,
    seed: int = 2026,
) -> None:
    """Run the main job through every service.

    Parameters
    ----------
    settings : Settings
        All but ``state_dir``, which is ``out/state``.
    out : Path
        Folder of the results; made if it is not there.
    map_path : Path, optional
        A radio map; without one a field is made up from ``seed``.
    training_seconds : float
        How long the network is fine-tuned.
    n_trials : int
        How many sets of thresholds are tried.
    seed : int
        Of the made-up map.

    Raises
    ------
    InputError
        If the map cannot be used.
    EngineError
        If an engine fails; what was started is stopped.
    """
    out = out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    settings = settings.model_copy(update={"state_dir": out / "state"})
    narrator = Narrator(Console(stderr=True), n_steps=6)
    with _attempt(out, [str(map_path), training_seconds, n_trials, seed]) as name:
        demo = steps.Demo(
            settings=settings,
            out=out,
            name=name,
            map_path=map_path,
            training_seconds=training_seconds,
            n_trials=n_trials,
            seed=seed,
            say=narrator.say,
        )
        with _terminate_like_ctrl_c(), steps.stopping_everything(settings):
            _steps(demo, narrator)
    _say_where(narrator, out)


def _steps(demo: steps.Demo, narrator: Narrator) -> None:
    source = f"reading {demo.map_path}" if demo.map_path else "making a field up: antennas, sources, noise"
    with narrator.step("astropy", source):
        field = steps.make_map(demo)
    with narrator.step("Spark", "cutting the map into tiles, estimating background and noise"):
        noise = steps.measure_noise(demo, field)
    with narrator.step("Spark + Optuna", f"tuning the finder's thresholds, {demo.n_trials} trials"):
        thresholds = steps.tune_thresholds(demo)
    with narrator.step("torchrun + MLflow", "fine-tuning the Mask R-CNN in two processes"):
        model = steps.train(demo)
    with narrator.step("MLflow + BentoML", "registering the model and serving it"):
        endpoint = steps.publish_and_serve(demo, model)
    with narrator.step("HTTP", "sending the map to the endpoint"):
        report = steps.find(demo, endpoint, field, thresholds)
    report |= {"median_noise_jy_per_beam": noise, "seconds": narrator.seconds}
    steps.write_report(demo, report)


@contextlib.contextmanager
def _attempt(out: Path, options: list[object]) -> Iterator[str]:
    """Yield the demo's name: that of one which was cut short, so that its training goes on, or a new one."""
    file = out / "demo.json"
    last = json.loads(file.read_text()) if file.exists() else {}
    goes_on = last.get("options") == options and not last["done"]
    name = last["name"] if goes_on else time.strftime("demo-%Y%m%d-%H%M%S")
    _write(file, {"name": name, "options": options, "done": False})
    yield name
    _write(file, {"name": name, "options": options, "done": True})


def _write(file: Path, value: dict[str, object]) -> None:
    beside = file.with_suffix(".part")
    beside.write_text(json.dumps(value))
    beside.replace(file)


@contextlib.contextmanager
def _terminate_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and a closed terminal clean up as Ctrl-C does."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {name: signal.signal(name, interrupt) for name in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _say_where(narrator: Narrator, out: Path) -> None:
    total = sum(narrator.seconds.values())
    console = narrator.console
    console.print(
        f"\n[bold green]Done in {total:.0f} s.[/] Everything that was started is stopped.", highlight=False
    )
    for file, what in steps.RESULTS.items():
        console.print(f"  {out / file}  [dim]{what}[/]", highlight=False, soft_wrap=True)
    console.print("Look further, at the runs, the model and the notebooks:", highlight=False)
    console.print(
        f"  HELIKON_STATE_DIR={out / 'state'} .venv/bin/helikon up", highlight=False, soft_wrap=True
    )
