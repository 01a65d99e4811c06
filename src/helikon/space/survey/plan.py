"""What a survey of a map consists of: its windows, and a key that no other survey has."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np

from helikon import __version__
from helikon.space.background import mesh_size
from helikon.space.beam import Beam
from helikon.space.finder_settings import FinderSettings
from helikon.space.fits import MapFile
from helikon.space.tiles import Tile, plan_tiles

__all__ = ["ModelFile", "Plan", "fits_one_window", "make_plan", "map_checksum"]

HALO_BEAMS = 50
"""Overlap of two windows is twice this many beam widths: larger than all but the largest objects."""
LEAST_HALO, MOST_HALO = 200, 700
"""In pixels."""
N_SAMPLES, SAMPLE_BYTES = 64, 65536
KEPT = 5
"""How things are searched and kept: where this number is another one, nothing is taken up."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model that tasks load themselves.

    Attributes
    ----------
    folder : str
        With ``weights.safetensors`` and ``model.json``; empty for no network.
    sha256 : str
        Which model it is, see :func:`card.model_sha256`.
    """

    folder: str = ""
    sha256: str = ""

    @classmethod
    def of(cls, folder: Path | None) -> "ModelFile":
        """Name the model in a folder; None for no network. Raises NotFound where there is none."""
        if folder is None:
            return cls()
        from helikon.space.card import model_sha256, read_card

        return cls(folder=str(folder.resolve()), sha256=model_sha256(read_card(folder)[0]))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a task is told, but for its window.

    Attributes
    ----------
    map_path : str
        The FITS file; every worker reads it.
    name : str
        What the map is called.
    beam : Beam or None
        Instead of the header's.
    shape : tuple of int
        (ny, nx).
    settings : FinderSettings
        Thresholds.
    model : ModelFile
        The network, or none.
    windows : tuple of Tile
        Their cores cover the map once.
    mesh_pixels, halo, margin : int
        Side of a cell of the background; half the overlap of two windows; how
        near to the border of a window, in pixels, an object counts as cut.
    folder : str
        Where tasks leave what they found.
    """

    map_path: str
    name: str
    beam: Beam | None
    shape: tuple[int, int]
    settings: FinderSettings
    model: ModelFile
    windows: tuple[Tile, ...]
    mesh_pixels: int
    halo: int
    margin: int
    folder: str


def fits_one_window(shape: tuple[int, int], settings: FinderSettings) -> bool:
    """Say whether a map has no more pixels than one window may have."""
    return shape[0] * shape[1] <= settings.window_pixels**2


def make_plan(
    file: MapFile, path: Path, *, beam: Beam | None, settings: FinderSettings, model: ModelFile, out: Path
) -> Plan:
    """Plan the survey of an open map; what it keeps lies in a folder of ``out`` named after its key."""
    fwhm = file.beam.fwhm_arcsec / file.pixel_arcsec
    halo = int(np.clip(HALO_BEAMS * fwhm, LEAST_HALO, MOST_HALO))
    halo = min(halo, settings.window_pixels // 4)
    identity = (file.name, dataclasses.asdict(settings), model.sha256, __version__, KEPT, file.shape)
    beam_key = None if beam is None else dataclasses.astuple(beam)
    text = json.dumps([map_checksum(path), beam_key, *identity])
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Plan(
        map_path=str(path.resolve()),
        name=file.name,
        beam=beam,
        shape=file.shape,
        settings=settings,
        model=model,
        windows=plan_tiles(file.shape, _even_size(file.shape, settings.window_pixels, 2 * halo), 2 * halo),
        mesh_pixels=mesh_size(fwhm),
        halo=halo,
        margin=int(np.ceil(2 * fwhm)),
        folder=str((out / f"unfinished-{key}").resolve()),
    )


def map_checksum(path: Path) -> str:
    """Return a checksum of a file's size, time of change, header and samples spread over its data."""
    about = path.stat()
    digest = hashlib.sha256(f"{about.st_size} {about.st_mtime_ns}".encode())
    with path.open("rb") as stream:
        for i in range(N_SAMPLES):
            stream.seek(about.st_size * i // N_SAMPLES)
            digest.update(stream.read(SAMPLE_BYTES))
    return digest.hexdigest()


def _even_size(shape: tuple[int, int], most: int, overlap: int) -> int:
    """Return the least size, up to ``most``, of as few windows as that."""
    sizes = [overlap + 1]
    for length in shape:
        n_windows = max(1, -(-(length - overlap) // (most - overlap)))
        sizes.append(-(-(length + (n_windows - 1) * overlap) // n_windows))
    return min(most, max(sizes))
