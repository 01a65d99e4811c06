"""From a 10,000 x 10,000 x 4 scene to masked, indexed, halved chips: ours beside multiprocessing and dask.

``python benchmarks/chips.py [--repeats 3] [--only NAME …] [--s3] [--scenes 1 10 100] [--large]`` with
the extra ``benchmark`` installed. All runs are warm (session, pools and page cache), take turns, and write
uncompressed NPZ. The limit is one process, divided by the number of cores. Before anything is
timed, the chips of all are compared. ``--s3`` reads from and writes to a SeaweedFS that it starts;
``--scenes`` prepares that many smaller scenes; ``--large`` measures the memory for a scene three
times as wide and high. Prints a table of medians and ratios and, as its last line, one JSON object.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import functools
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chips_scene as scene
import numpy as np
import psutil

from helikon.earth.engines import choose
from helikon.earth.options import Options
from helikon.earth.prepare import prepare
from helikon.settings import load

N_CORES = len(os.sched_getaffinity(0))
OPTIONS = Options(
    bands=tuple(scene.BANDS), indices=("ndvi",), mask=("cloud", "shadow", "cirrus", "dilated"),
    resolution=60.0, resampling="average", chip=scene.CHIP, min_clear=0.0, image=False,
)  # fmt: skip

Run = Callable[[Path, Path], None]


def starts(folder: Path) -> range:
    """Return the first rows of a scene's strips."""
    import rasterio

    with rasterio.open(scene.paths_of(folder)[0]) as file:
        return range(0, file.height, scene.STRIP)


def single(folder: Path, out: Path) -> None:
    """One process, one strip after the other."""
    for start in starts(folder):
        scene.work_strip(str(folder), str(out), start)


def pooled(pool: Any, folder: Path, out: Path) -> None:
    """``concurrent.futures`` over ``multiprocessing``, workers already there."""
    list(pool.map(functools.partial(scene.work_strip, str(folder), str(out)), starts(folder)))


def dasked(client: Any, folder: Path, out: Path) -> None:
    """``dask.delayed`` over processes that are already there."""
    client.gather([client.submit(scene.work_strip, str(folder), str(out), start) for start in starts(folder)])


def lazily(folder: Path, out: Path) -> None:
    """Rioxarray and dask arrays over threads, the way that its users write it."""
    import dask
    import rioxarray

    bands = [
        rioxarray.open_rasterio(path, chunks={"x": 2048, "y": 2048}, lock=False)[0]
        for path in scene.paths_of(folder)
    ]
    *raw, words = bands
    clear = (words & (scene.HIDDEN | 1)) == 0
    made = [(band * np.float32(2.75e-5) + np.float32(-0.2)).where(clear & (band >= 1)) for band in raw]
    made.append((made[2] - made[1]) / (made[2] + made[1]))
    halves = [part.astype("float32").coarsen(x=2, y=2).mean() for part in made]
    strips = []
    for number, start in enumerate(range(0, halves[0].shape[0], scene.CHIP)):
        strip = [half[start : start + scene.CHIP].data for half in halves]
        strips.append(dask.delayed(written)(strip, out, number))
    dask.compute(*strips, scheduler="threads", num_workers=N_CORES)


def written(strip: Any, out: Path, number: int) -> int:
    """Cut and write one strip."""
    chips = scene.chips_of(np.stack(strip))
    np.savez(out / f"{number * scene.STRIP:06d}.npz", chips=chips)
    return len(chips)


def ours(engine: str, settings: Any, source: Path | str, out: Path | str) -> None:
    """``helikon earth prepare``, with its manifest and STAC items."""
    prepare([str(source)], str(out), OPTIONS, settings, run=choose(engine, settings))


@contextlib.contextmanager
def contestants(settings: Any) -> Iterator[dict[str, Run]]:
    """Start what all need, and stop it at the end."""
    from dask.distributed import Client, LocalCluster

    from helikon.spark import close, session

    session(settings)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["helikon.earth.work"])  # as the command has it; the others are warm
    cluster = LocalCluster(n_workers=N_CORES, threads_per_worker=1, dashboard_address=None)
    with (
        concurrent.futures.ProcessPoolExecutor(N_CORES, mp_context=context) as pool,
        Client(cluster) as client,
    ):
        try:
            yield {
                "one process": single,
                "multiprocessing": functools.partial(pooled, pool),
                "dask.delayed, processes": functools.partial(dasked, client),
                "rioxarray + dask threads": lazily,
                "helikon, local": functools.partial(ours, "local", settings),
                "helikon, Spark": functools.partial(ours, "spark", settings),
            }
        finally:
            cluster.close()
            close()


def timed(run: Callable[[], None]) -> float:
    """Return the seconds of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def fresh(folder: Path) -> Path:
    """Return an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def all_chips(out: Path) -> Any:
    """Read what a contestant wrote, in the order of rows and columns."""
    found = []
    for path in sorted(out.rglob("*.npz")):
        with np.load(path) as file:
            found.append(file["chips"])
    return np.concatenate(found).reshape(-1, 4, scene.CHIP, scene.CHIP)


def compare(runs: dict[str, Run], source: Path, work: Path) -> int:
    """Run each once, which also warms it, and refuse to time what gives other chips."""
    first = None
    for name, run in runs.items():
        run(source, out := fresh(work / "out"))
        chips = all_chips(out)
        first = chips if first is None else first
        if chips.shape != first.shape or not np.allclose(chips, first, atol=2e-6, equal_nan=True):
            raise SystemExit(f"{name} gives other chips: {chips.shape} against {first.shape}")
    return len(first)


def turns(runs: dict[str, Run], source: Path, work: Path, repeats: int) -> dict[str, list[float]]:
    """Time all of them in turn, so that a busy machine is so for all."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            out = fresh(work / "out")
            seconds[name].append(timed(functools.partial(run, source, out)))
            tell(f"{name}: {seconds[name][-1]:.2f} s")
    return seconds


def from_s3(settings: Any, source: Path, work: Path, repeats: int) -> dict[str, float]:
    """Take turns between a folder and an S3 server, on Spark; medians."""
    from helikon.spark.objects import open_folder
    from helikon.spark.seaweed import Server

    server, out = Server(settings=settings), work / "out"
    server.up()
    try:
        folder = open_folder("s3://benchmark/scene", settings)
        for path in scene.paths_of(source):
            folder.write(path.name, path.read_bytes())
        found: dict[str, list[float]] = {"folder": [], "from S3": [], "from and to S3": []}
        for number in range(repeats + 1):
            places = (source, fresh(out)), (folder.url, None), (folder.url, f"s3://benchmark/out-{number}")
            for (place, to), seconds in zip(places, found.values(), strict=True):
                run = functools.partial(ours, "spark", settings, place, to or fresh(out))
                seconds.append(timed(run))
                tell(f"{place}: {seconds[-1]:.2f} s")
        return {name: statistics.median(seconds[1:]) for name, seconds in found.items()}
    finally:
        server.down()


def many(settings: Any, numbers: list[int], work: Path, size: int = 2048) -> dict[int, float]:
    """Seconds for each scene of so many smaller ones, on Spark."""
    found = {}
    for n in numbers:
        folder = work / f"scenes-{n}"
        for number in range(n):
            scene.make_scene(folder / f"{number:03d}", size, number)
        options = dataclasses.replace(OPTIONS, bounds="union")
        run = choose("spark", settings)
        found[n] = (
            timed(
                functools.partial(
                    prepare, [str(folder)], str(fresh(work / "out")), options, settings, run=run
                )
            )
            / n
        )
        tell(f"{n} scenes: {found[n]:.3f} s each")
    return found


def peak_mib(run: Callable[[], None]) -> float:
    """Return the largest resident memory (MiB) of this process and its children while something runs."""
    ended, peak = threading.Event(), [0.0]

    def watch() -> None:
        me = psutil.Process()
        while not ended.wait(0.05):
            total = 0
            for one in [me, *me.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    total += one.memory_info().rss
            peak[0] = max(peak[0], total / 2**20)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        run()
    finally:
        ended.set()
        thread.join()
    return peak[0]


def tell(text: str) -> None:
    """Show progress where somebody looks."""
    if sys.stderr.isatty():
        print(f"\r{text:<80}", end="", file=sys.stderr, flush=True)


def main() -> None:
    """Run all and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000, help="pixels along each side")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where scenes are kept between runs")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="beside one process and multiprocessing")
    parser.add_argument("--s3", action="store_true", help="also from and to an S3 server")
    parser.add_argument("--scenes", type=int, nargs="*", default=[], help="numbers of smaller scenes")
    parser.add_argument("--large", action="store_true", help="also the memory for nine times the pixels")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        kept = given.folder or work
        settings = load(overrides={"state_dir": str(work / "state")})
        source = scene.make_scene(kept / f"scene-{given.size}", given.size)
        figures: dict[str, Any] = {"load": os.getloadavg()[0], "cores": N_CORES}
        with contestants(settings) as every:
            asked = {"one process", "multiprocessing", *(given.only if given.only is not None else every)}
            runs = {name: run for name, run in every.items() if name in asked}
            figures["chips"] = compare(runs, source, work)
            seconds = turns(runs, source, work, given.repeats)
            figures["s3"] = from_s3(settings, source, work, given.repeats) if given.s3 else {}
            figures["seconds_a_scene"] = many(settings, given.scenes, work)
        if given.large:
            wide = scene.make_scene(kept / f"scene-{3 * given.size}", 3 * given.size)
            for name, one in (("peak_mib", source), ("peak_mib_large", wide)):
                figures[name] = peak_mib(functools.partial(ours, "local", settings, one, fresh(work / "out")))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    limit = medians["one process"] / N_CORES
    print("| | median s | of multiprocessing | of the limit |\n|---|---|---|---|")
    print(
        f"| limit: one process / {N_CORES} | {limit:.2f} | {limit / medians['multiprocessing']:.2f} | 1.00 |"
    )
    for name, value in medians.items():
        print(f"| {name} | {value:.2f} | {value / medians['multiprocessing']:.2f} | {value / limit:.2f} |")
    for name, value in figures["s3"].items():
        print(f"helikon, Spark, {name}: {value:.2f} s, {value / figures['s3']['folder']:.2f} of a folder's")
    for n, value in figures["seconds_a_scene"].items():
        print(f"{n} scenes of 2,048 pixels square: {value:.3f} s each")
    if given.large:
        peaks = figures["peak_mib"], figures["peak_mib_large"]
        print(f"Peak memory: {peaks[0]:.0f} MiB; for nine times the pixels {peaks[1]:.0f} MiB")
    print(json.dumps(figures | {"median_s": medians, "limit_s": limit}))


if __name__ == "__main__":
    main()
