"""One made-up field as one FITS file: map, labels, local noise and truth.

The map is the first image, so that every program that reads FITS shows it.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table

from helikon.errors import InputError
from helikon.space.classes import CLASSES
from helikon.space.fits import map_hdu, read_map
from helikon.space.skies.options import SceneOptions
from helikon.space.skies.simulate import SKIES_VERSION, Sky, simulate_sky
from helikon.space.whole import whole_files

__all__ = ["Shard", "ShardTask", "make_shard", "read_shard", "write_shard"]

_RMS_STEP = 1e-4
"""The local noise is kept to this share of its median."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ShardTask:
    """A field to make.

    Attributes
    ----------
    folder : str
        Seen by every worker under this name.
    seed : int
    options : dict
        Of :func:`helikon.space.skies.simulate_sky`.
    templates_sha256 : str
        Of the names and sizes of the templates' files; empty without.
    """

    folder: str
    seed: int
    options: dict[str, Any]
    templates_sha256: str = ""

    @property
    def path(self) -> Path:
        """Where the field goes: the name follows from split, seed and array."""
        split, array = self.options["split"], self.options["array"]
        return Path(self.folder) / f"{split}-{self.seed:09d}-{array}.fits"

    @property
    def recipe(self) -> str:
        """SHA-256 of everything that decides on the field's content."""
        content = dataclasses.asdict(SceneOptions(**self.options))
        content |= {"seed": self.seed, "version": SKIES_VERSION, "templates": self.templates_sha256}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A field that lies on disk.

    Attributes
    ----------
    file : str
        Name in its folder.
    seed : int
    array : str
    n_bytes : int
    sha256 : str
        Of the file.
    counts : dict
        Class to number of rows of the truth.
    kept : bool
        It was there already.
    """

    file: str
    seed: int
    array: str
    n_bytes: int
    sha256: str
    counts: dict[str, int]
    kept: bool


def make_shard(task: ShardTask) -> Shard:
    """Make a field, unless its file is there; safe to be called twice.

    Raises
    ------
    InputError
        If there is a file of that name with other content.
    """
    kept = task.path.exists()
    if kept:
        _refuse_other(task)
    else:
        write_shard(simulate_sky(task.seed, **task.options), task.path, recipe=task.recipe)
    with fits.open(task.path) as hdus:
        classes = list(hdus["TRUTH"].data["class"])
    with task.path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Shard(
        file=task.path.name,
        seed=task.seed,
        array=task.options["array"],
        n_bytes=task.path.stat().st_size,
        sha256=sha256,
        counts={name: classes.count(name) for name in CLASSES},
        kept=kept,
    )


def _refuse_other(task: ShardTask) -> None:
    try:
        found = fits.getheader(task.path, "TRUTH").get("RECIPE")
    except (OSError, KeyError):
        found = None
    if found != task.recipe:
        raise InputError(
            f"{task.path} is there already, and is not this field",
            got="other options, another version or a broken file",
            expected="a field of the same options, to be kept, or none",
            next_step="give another folder, or remove the file",
        )


def write_shard(sky: Sky, path: Path, *, recipe: str = "") -> None:
    """Write a sky to one file, whole or not at all; the same sky gives the same bytes.

    Parameters
    ----------
    recipe : str
        Kept in the header of the truth.
    """
    labels = fits.CompImageHDU(sky.labels, name="LABELS", compression_type="RICE_1")
    # not GZIP, which would write the time of day into the file
    rms = fits.CompImageHDU(
        sky.local_rms,
        name="LOCAL_RMS",
        compression_type="RICE_1",
        quantize_method=-1,
        quantize_level=-_RMS_STEP * float(np.median(sky.local_rms)),
    )
    rms.header["BUNIT"] = "Jy/beam"
    truth = fits.table_to_hdu(sky.truth)
    truth.name = "TRUTH"
    truth.header["RECIPE"] = recipe
    with whole_files(path.parent, (path.name,)) as beside:
        hdus = fits.HDUList([map_hdu(sky.map), labels, rms, truth])
        hdus.writeto(beside[path.name], output_verify="silentfix")


def read_shard(path: Path) -> Sky:
    """Read what :func:`write_shard` wrote; the local noise is right to a part in ten thousand.

    Raises
    ------
    InputError
        If the file is something else.
    """
    radio_map = read_map(path)
    try:
        with fits.open(path) as hdus:
            labels = hdus["LABELS"].data.astype(np.int32)
            local_rms = hdus["LOCAL_RMS"].data.astype(np.float32)
            truth = Table.read(hdus["TRUTH"])
    except (KeyError, OSError) as error:
        raise InputError(
            f"{path.name} is no made-up field", got=str(error), expected="LABELS, LOCAL_RMS and TRUTH in it"
        ) from error
    truth.meta.clear()
    for name in ("class", "shape"):
        truth[name] = truth[name].astype(str)
    return Sky(map=radio_map, truth=truth, labels=labels, local_rms=local_rms)
