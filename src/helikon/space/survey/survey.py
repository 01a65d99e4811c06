"""The whole of a survey: background, windows, patches, one catalogue."""

import contextlib
import dataclasses
import functools
import gzip
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import QTable

from helikon.errors import InputError
from helikon.space.background import assemble_mesh
from helikon.space.beam import Beam
from helikon.space.finder import Progress, find_sources, make_ordered, provenance
from helikon.space.finder_settings import FinderSettings
from helikon.space.fits import RadioMap, open_map
from helikon.space.model import load_model
from helikon.space.names import iau_names
from helikon.space.survey import work
from helikon.space.survey.claims import Claim, settle
from helikon.space.survey.plan import ModelFile, Plan, fits_one_window, make_plan, map_checksum
from helikon.space.survey.store import Result, claim_folder, read_part, read_result, write_mesh

__all__ = ["Run", "search_map", "survey_map"]

Run = Callable[[Callable[[Any], None], Sequence[Any], Callable[[int, int], None]], object]
"""Calls a function for items, in any order and place, and tells how many are done of how many."""
CUT = "cut"


@contextlib.contextmanager
def search_map(
    path: Path | str,
    model: ModelFile,
    settings: FinderSettings = FinderSettings(),
    *,
    out: Path | str,
    run: Run,
    beam: Beam | None = None,
    name: str = "",
    progress: Progress | None = None,
    always_by_tasks: bool = False,
) -> Iterator[tuple[QTable, RadioMap]]:
    """Find the sources of a map file, as a whole where it fits one window; else as :func:`survey_map` does.

    Parameters
    ----------
    always_by_tasks : bool
        Leave a map of one window to a task too.

    Yields
    ------
    tuple of QTable and RadioMap
        The catalogue; and the map for pictures, averaged over blocks if it is large.
    """
    with open_map(path, beam=beam, name=name) as file:
        if fits_one_window(file.shape, settings) and not always_by_tasks:
            radio_map = file.read()
            network = load_model(Path(model.folder)) if model.folder else None
            yield find_sources(radio_map, network, settings, progress=progress), radio_map
            return
        overview = file.overview()
    survey = survey_map(path, model, settings, out=out, run=run, beam=beam, name=name, progress=progress)
    with survey as catalogue:
        yield catalogue, overview


@contextlib.contextmanager
def survey_map(
    path: Path | str,
    model: ModelFile,
    settings: FinderSettings = FinderSettings(),
    *,
    out: Path | str,
    run: Run,
    beam: Beam | None = None,
    name: str = "",
    progress: Progress | None = None,
) -> Iterator[QTable]:
    """Find, classify and measure the sources of a map file of any size; gives their catalogue.

    What windows have found is kept in a folder ``unfinished-…`` of ``out``
    until the ``with`` block has ended well: after a kill, the same call goes
    on. The catalogue does not depend on ``run``, to the last bit.

    Parameters
    ----------
    path : Path or str
        FITS, as for ``fits.read_map``.
    model : ModelFile
        ``ModelFile.of(folder)``; ``ModelFile()`` for no network.
    settings : FinderSettings
        Thresholds, and the size of windows.
    out : Path or str
        A folder; made if need be. For Spark, one that all workers see, as the map.
    run : callable
        As ``functools.partial(run_in_processes, n_processes=4)``.
    beam : Beam, optional
        Instead of the header's.
    name : str
        What to call the map; by default the file's name.
    progress : callable, optional
        Called with (step, number done, number in all).

    Yields
    ------
    QTable
        As from ``finder.find_sources``. Objects too large for a window are
        measured in parts, flagged ``cut``.

    Raises
    ------
    InputError
        If the map cannot be used, or has changed meanwhile.
    AlreadyExists
        If another run searches the same map for the same folder.
    """
    path, tell = Path(path), progress or (lambda step, n_done, n_total: None)
    with open_map(path, beam=beam, name=name) as file:
        plan = make_plan(file, path, beam=beam, settings=settings, model=model, out=Path(out))
        meta = provenance(file, model.sha256, settings)
    before = map_checksum(path)
    with claim_folder(Path(plan.folder)):
        values = _search(_unpacked(plan, tell), run, tell)
        if map_checksum(path) != before:
            raise InputError(f"{plan.name} was changed while it was searched", next_step="search it again")
        yield make_ordered(values, meta)


def _search(plan: Plan, run: Run, tell: Progress) -> dict[str, Any]:
    """Do what is not done yet, and put all together."""
    _measure_background(plan, run, tell)
    _do(work.search_window, plan, plan.windows, work.window_path, run, tell, "windows")
    results = [read_result(work.window_path(plan, tile)) for tile in plan.windows]
    standing, patches = settle([claim for result in results for claim in result.claims])
    _do(work.search_patch, plan, patches, work.patch_path, run, tell, "objects across windows")
    table = _Table()
    table.add(results, standing)
    for patch in patches:
        anew = read_result(work.patch_path(plan, patch))
        if anew.claims:
            table.add([anew], [dataclasses.replace(claim, window=0) for claim in anew.claims])
        else:
            table.add(results, patch.stand_ins(), flag=CUT)
    return table.named()


def _measure_background(plan: Plan, run: Run, tell: Progress) -> None:
    path = work.mesh_path(plan)
    if path.exists():
        return
    _do(work.write_cells, plan, plan.windows, work.part_path, run, tell, "background")
    parts = [read_part(work.part_path(plan, tile)) for tile in plan.windows]
    mesh = assemble_mesh(parts, plan.shape, plan.mesh_pixels)
    write_mesh(path, mesh)


def _do(
    function: Callable[[Plan, Any], None],
    plan: Plan,
    items: Sequence[Any],
    path_of: Callable[[Plan, Any], Path],
    run: Run,
    tell: Progress,
    step: str,
) -> None:
    """Do the items whose file is not there."""
    todo = [item for item in items if not path_of(plan, item).exists()]
    n_before = len(items) - len(todo)
    tell(step, n_before, len(items))
    if todo:
        run(functools.partial(function, plan), todo, lambda n, _: tell(step, n_before + n, len(items)))


class _Table:
    """Columns that grow."""

    def __init__(self) -> None:
        self._values: dict[str, list[Any]] = {}

    def add(self, results: Sequence[Result], claims: Sequence[Claim], flag: str = "") -> None:
        """Take the rows of some claims of some windows."""
        for claim in claims:
            for name, column in results[claim.window].values.items():
                value = column[claim.row]
                if name == "flags" and flag:
                    value = " ".join([word for word in value.split() if word != "edge"] + [flag])
                self._values.setdefault(name, []).append(value)

    def named(self) -> dict[str, Any]:
        """Return the columns, with names that are unique in the whole map."""
        if not self._values:
            return {}
        ra, dec = (np.array(self._values[key]) for key in ("ra", "dec"))
        return self._values | {"name": iau_names(ra, dec)}


def _unpacked(plan: Plan, tell: Progress) -> Plan:
    """Unpack a gzipped map beside what is kept: of a packed one no window can be read."""
    packed, plain = Path(plan.map_path), Path(plan.folder) / "map.fits"
    with packed.open("rb") as stream:
        if stream.read(2) != b"\x1f\x8b":
            return plan
    if not plain.exists():
        tell("unpacking", 0, 1)
        beside = plain.with_name(f".{os.getpid()}.map.fits")
        with gzip.open(packed) as source, beside.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 22)
        os.replace(beside, plain)
    return dataclasses.replace(plan, map_path=str(plain))
