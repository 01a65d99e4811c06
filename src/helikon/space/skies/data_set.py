"""Data sets of many made-up fields: one file each, the same bytes wherever they are made."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from helikon import __version__
from helikon.space.classes import CLASSES
from helikon.space.skies.arrays import ARRAY_NAMES, load_array
from helikon.space.skies.options import SPLITS, SceneOptions
from helikon.space.skies.shards import Shard, ShardTask, make_shard
from helikon.space.skies.simulate import SKIES_VERSION
from helikon.space.skies.templates import sha256_of_templates
from helikon.space.whole import made_folder, whole_files

__all__ = ["MANIFEST", "Run", "array_of", "make_data_set"]

MANIFEST = "manifest.json"

Run = Callable[[Callable[[Any], Any], Sequence[Any], Callable[[int, int], None]], list[Any]]
"""Returns what a function gives for each item, in order, and tells how many are done of how many."""


def array_of(name: str, seed: int) -> str:
    """Return the array of a field: ``name``, or for ``all`` one after the other by seed."""
    return ARRAY_NAMES[seed % len(ARRAY_NAMES)] if name == "all" else load_array(name).name


def refuse_bad_options(options: dict[str, Any], seed: int) -> None:
    """Raise InputError if no field can be made with these options, before anything else is done."""
    SceneOptions(**(options | {"array": array_of(options["array"], seed)}))


def make_data_set(
    folder: Path,
    seeds: Sequence[int],
    options: dict[str, Any],
    *,
    run: Run,
    told: Callable[[int, int], None],
) -> dict[str, Any]:
    """Make fields, each in a file, and a manifest of them all when all are there.

    Fields that are there already are kept, so that after a stop the same call
    goes on where it was.

    Parameters
    ----------
    folder : Path
        Made if need be; where other machines help, all see it under this path.
    seeds : sequence of int
    options : dict
        Of :func:`helikon.space.skies.simulate_sky`; ``array`` may be ``all``.
    run : callable
        How and where the work is done.
    told : callable
        Gets the number of fields done, and of all.

    Returns
    -------
    dict
        The manifest, with ``n_kept`` added.

    Raises
    ------
    InputError
        If an option cannot be used, or a file is in the way.
    """
    options = {"array": ARRAY_NAMES[0], "split": SPLITS[0]} | options
    refuse_bad_options(options, seeds[0])
    folder = made_folder(folder).resolve()
    options, templates_sha256 = _settled(options)
    tasks = [
        ShardTask(
            folder=str(folder),
            seed=seed,
            options=options | {"array": array_of(options["array"], seed)},
            templates_sha256=templates_sha256,
        )
        for seed in seeds
    ]
    shards: list[Shard] = run(make_shard, tasks, told)
    manifest = _manifest(shards, options, templates_sha256)
    with whole_files(folder, (MANIFEST,)) as beside:
        beside[MANIFEST].write_text(json.dumps(manifest, indent=1) + "\n")
    _clear(folder, shards)
    return manifest | {"n_kept": sum(shard.kept for shard in shards)}


def _settled(options: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Make the templates' folder absolute, and say which files are in it."""
    if not options.get("templates"):
        return options, ""
    templates = Path(options["templates"]).resolve()
    return options | {"templates": str(templates)}, sha256_of_templates(templates)


def _manifest(shards: list[Shard], options: dict[str, Any], templates_sha256: str) -> dict[str, Any]:
    """Say what is in the data set; no times or places, so that it too is the same everywhere."""
    return {
        "version": SKIES_VERSION,
        "helikon": __version__,
        "options": {name: value for name, value in options.items() if name != "templates"},
        "templates_sha256": templates_sha256,
        "n_fields": len(shards),
        "n_bytes": sum(shard.n_bytes for shard in shards),
        "counts": {name: sum(shard.counts[name] for shard in shards) for name in CLASSES},
        "fields": [
            {
                "file": shard.file,
                "seed": shard.seed,
                "array": shard.array,
                "n_bytes": shard.n_bytes,
                "sha256": shard.sha256,
                "counts": shard.counts,
            }
            for shard in shards
        ],
    }


def _clear(folder: Path, shards: list[Shard]) -> None:
    """Remove what killed workers have left of files that are whole now."""
    whole = {shard.file for shard in shards}
    for path in folder.glob(".*"):
        found = re.search(r"[a-z]+-[0-9]+-[a-z-]+\.fits", path.name)
        if found and found[0] in whole:
            path.unlink(missing_ok=True)
