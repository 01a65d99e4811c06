"""Fields and finders of the benchmark: made or run once, kept in a folder, never run twice."""

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

HERE = Path(__file__).resolve().parent
FIRST_SEED = {"test": 700_001, "validation": 800_011}
ARRAYS = ("askap", "meerkat", "vla-b")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """A finder and its settings.

    Attributes
    ----------
    label : str
        As in the table.
    program : str
        ``pybdsf``, ``aegean``, ``sep``, ``photutils``, ``helikon`` or ``classify``.
    settings : dict
        The program's own.
    after : str
        Label of the finder whose catalogue it starts from.
    """

    label: str
    program: str
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    after: str = ""

    @property
    def slow(self) -> bool:
        """Whether it takes minutes on a field, so that fewer fields may do."""
        return self.label == "PyBDSF" or "Aegean" in self.label

    @property
    def ours(self) -> bool:
        """Whether its results change with our code."""
        return self.program in {"helikon", "classify"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run took: CPU seconds and peak resident memory (MB) of the whole tree of processes."""

    cpu_s: float
    wall_s: float
    peak_mb: float


# Tuned on validation fields only (``--seeds validation --tune``); see docs/explanation/judged.md.
FINDERS = (
    Finder(label="helikon", program="helikon"),
    Finder(label="helikon, islands alone", program="helikon", settings={"model": "none"}),
    Finder(label="PyBDSF + classify", program="classify", after="PyBDSF tuned"),
    Finder(label="Aegean + classify", program="classify", after="Aegean"),
    Finder(label="PyBDSF", program="pybdsf"),
    Finder(label="PyBDSF tuned", program="pybdsf", settings={"adaptive_rms_box": True, "group_tol": 10.0}),
    Finder(label="Aegean", program="aegean"),
    Finder(label="Aegean tuned", program="aegean", settings={"aegean": ["--floodclip", "3"]}),
    Finder(label="sep", program="sep"),
    Finder(label="sep tuned", program="sep", settings={"filter": False, "deblend_cont": 1.0}),
    Finder(label="photutils", program="photutils"),
    Finder(label="photutils tuned", program="photutils", settings={"contrast": 1.0}),
)


def field_folder(cache: Path, maker: str, array: str, seed: int, size: int) -> Path:
    """Say where a field is kept."""
    return cache / "fields" / f"{maker}-{array}-{seed}-{size}"


def make(
    cache: Path, maker: str, array: str, index: int, size: int, split: str, first: Path, layouts: Path
) -> Path:
    """Make a field if it is not there; a child process of its own makes it."""
    seed = FIRST_SEED[split] + index
    folder = field_folder(cache, maker, array, seed, size)
    if (folder / "truth.vot").exists():
        return folder
    common = ["--array", array, "--seed", str(seed), "--size", str(size), "--split", split]
    if maker == "second hand":
        program = str(HERE / "source_finding_fields.py")
        command = [sys.executable, program, str(folder), *common]
        command += ["--first", str(first), "--layouts", str(layouts)]
    else:
        code = (
            "import sys; from pathlib import Path; from helikon.space.skies import simulate_sky; "
            "from helikon.space.skies.files import write_sky; a = sys.argv; "
            "write_sky(simulate_sky(int(a[2]), size=int(a[3]), array=a[4], split=a[5], templates=a[6], "
            "n_bright=1.5), Path(a[1]))"
        )
        command = [sys.executable, "-c", code, str(folder), str(seed), str(size), array, split, str(first)]
    subprocess.run(command, check=True, env=single())
    return folder


def single() -> dict[str, str]:
    """Environment for one thread, as all finders run."""
    return os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def run(cache: Path, finder: Finder, field: Path, map_path: Path | None = None) -> tuple[Path, Cost]:
    """Run a finder on a field, or read what it did before.

    Parameters
    ----------
    cache : Path
    finder : Finder
    field : Path
        Folder of a field; its name is the key, with the finder's settings and, for ours, our code.
    map_path : Path, optional
        Instead of the field's ``map.fits``.
    """
    folder = run_folder(cache, finder, field)
    kept = folder / "cost.json"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        cost = measure(command(cache, finder, field, map_path or field / "map.fits", folder), folder)
        kept.write_text(json.dumps(dataclasses.asdict(cost)))
    return folder, Cost(**json.loads(kept.read_text()))


def run_folder(cache: Path, finder: Finder, field: Path) -> Path:
    """Say where the results of a finder on a field are kept; ``cost.json`` in it comes last."""
    text = json.dumps(finder.settings, sort_keys=True) + finder.after + (our_code() if finder.ours else "")
    key = hashlib.sha256(text.encode()).hexdigest()[:10]
    return cache / "runs" / field.name / f"{finder.program}-{key}"


def command(cache: Path, finder: Finder, field: Path, map_path: Path, folder: Path) -> list[str]:
    """Say how a finder is started."""
    helikon = [sys.executable, "-m", "helikon.cli", "space"]
    options = [part for name, value in finder.settings.items() for part in (f"--{name}", str(value))]
    if finder.program == "helikon":
        return [*helikon, "find", str(map_path), "--out", str(folder), *options]
    if finder.program == "classify":
        before = next(one for one in FINDERS if one.label == finder.after)
        first, _ = run(cache, before, field, map_path)
        catalogue = first / CATALOGUES[before.program]
        (folder / "before.json").write_text(json.dumps([before.program, str(first)]))
        return [*helikon, "classify", str(map_path), str(catalogue), "--out", str(folder), *options]
    program = str(HERE / "source_finding_rivals.py")
    return [sys.executable, program, finder.program, str(map_path), str(folder), json.dumps(finder.settings)]


CATALOGUES = {"pybdsf": "srl.fits", "aegean": "table_comp.fits"}


def measure(command: Sequence[str], folder: Path) -> Cost:
    """Run a command to its end; watch the memory of its tree of processes."""
    start, peak, seconds = time.monotonic(), [0.0], {}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=single())
        watcher = threading.Thread(target=watch, args=(process.pid, peak, seconds), daemon=True)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    watcher.join()
    if process.returncode:
        tail = (folder / "log.txt").read_text(errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{tail}")
    return Cost(
        cpu_s=max(usage.ru_utime + usage.ru_stime, sum(seconds.values())),
        wall_s=time.monotonic() - start,
        peak_mb=max(peak[0], usage.ru_maxrss / 1024),
    )


def watch(pid: int, peak: list[float], seconds: dict[int, float]) -> None:
    """Note the largest sum of resident memory, and the CPU time of each process, 20 times a second."""
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(pid)
        while top.is_running() and top.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for one in [top, *top.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    total += one.memory_info().rss
                    seconds[one.pid] = sum(one.cpu_times()[:2])
            peak[0] = max(peak[0], total / 2**20)
            time.sleep(0.05)


def cutouts(cache: Path, field: Path, n: int) -> list[list[int]]:
    """Confusion by rule A on n cut-outs of a field."""
    out = cache / "runs" / field.name / f"cutouts-{n}-{our_code()[:10]}.json"
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        program = str(HERE / "source_finding_cutouts.py")
        subprocess.run([sys.executable, program, str(field), str(out), str(n)], check=True, env=single())
    table: list[list[int]] = json.loads(out.read_text())
    return table


def enlarge(cache: Path, field: Path, times: int = 4) -> Path:
    """Lay a field's map side by side, 4 by 4: 2048 pixels become 8192."""
    from astropy.io import fits

    out = cache / "fields" / f"{field.name}-times-{times}"
    if not (out / "map.fits").exists():
        out.mkdir(parents=True, exist_ok=True)
        data, header = fits.getdata(field / "map.fits", header=True)
        fits.writeto(out / "map.fits", np.tile(data, (times, times)), header, overwrite=True)
    return out


@functools.cache
def our_code() -> str:
    """Fingerprint of our code and weights."""
    import helikon.space

    total = hashlib.sha256()
    for path in sorted(Path(helikon.space.__file__).parent.rglob("*")):
        if path.suffix in {".py", ".safetensors", ".json"} and "evaluation" not in path.parts:
            total.update(path.read_bytes())
    return total.hexdigest()
