"""Classify the entries of a catalogue and say which belong to one galaxy.

:func:`classify_places` is the whole of it, window by window, so that a map of
any size will do: the entries become pieces of emission (``assign.py``), which
are joined and classified as the finder's own are (``association.py``).
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError
from helikon.space.association.association import join_pieces
from helikon.space.association.candidates import find_candidates
from helikon.space.background import BackgroundMesh, assemble_mesh, mesh_of_tile, mesh_size
from helikon.space.beam import Beam
from helikon.space.catalogues.added import Classified
from helikon.space.catalogues.assign import assign
from helikon.space.catalogues.galaxies import Galaxies
from helikon.space.catalogues.located import Located, locate
from helikon.space.catalogues.places import Places
from helikon.space.classes import CLASSES
from helikon.space.finder_settings import FinderSettings
from helikon.space.fits import MapFile, RadioMap, open_map
from helikon.space.groups import grouped
from helikon.space.measures.measure import fit_map
from helikon.space.model import SourceModel
from helikon.space.sky import beam_form
from helikon.space.survey.memory import give_back, take_arrays_apart
from helikon.space.tiles import Tile, plan_tiles

__all__ = ["classify_places"]

Int = npt.NDArray[np.int64]
Progress = Callable[[str, int, int], None]

WINDOW_PIXELS = 2048
"""Side of the windows of a larger map."""
OVERLAP_BEAMS = 64
"""Windows share this many beams: more than the largest galaxy."""


def classify_places(
    map_path: Path | str,
    places: Places,
    model: SourceModel | None,
    settings: FinderSettings = FinderSettings(),
    *,
    beam: Beam | None = None,
    window_pixels: int = WINDOW_PIXELS,
    progress: Progress | None = None,
) -> Classified:
    """Classify the entries of a catalogue.

    Parameters
    ----------
    map_path : Path or str
        The radio map, see ``fits.read_map``.
    places : Places
        From ``read_catalogue(…).places``.
    model : SourceModel or None
        Without one, classes are told by shape alone, and entries are of one
        galaxy only where they share a piece of emission.
    settings : FinderSettings
        Thresholds of the emission that an entry is.
    beam : Beam, optional
        Instead of what the map's header says.
    window_pixels : int
        Side of the windows that are held in memory at one time.
    progress : callable, optional
        Called with (step, number done, number in all).

    Raises
    ------
    InputError
        If the map cannot be used, or no entry is on it.
    """
    tell = progress or (lambda step, n_done, n_total: None)
    take_arrays_apart()
    with open_map(map_path, beam=beam) as file:
        located = locate(places, file, _form_of_map(file))
        galaxies = Galaxies(len(places))
        if len(places):
            work = _Work(file=file, located=located, model=model, settings=settings, galaxies=galaxies)
            overlap = min(
                round(OVERLAP_BEAMS * file.beam.fwhm_arcsec / file.pixel_arcsec), window_pixels // 2
            )
            work.run(Path(map_path), beam, plan_tiles(file.shape, window_pixels, overlap), tell)
    return galaxies.result(np.isfinite(places.x), located.on_map)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    file: MapFile
    located: Located
    model: SourceModel | None
    settings: FinderSettings
    galaxies: Galaxies

    def run(self, path: Path, beam: Beam | None, tiles: tuple[Tile, ...], tell: Progress) -> None:
        mesh_pixels = mesh_size(self.file.beam.fwhm_arcsec / self.file.pixel_arcsec)
        parts = []
        for n_done, tile in enumerate(tiles):
            tell("background", n_done, len(tiles))
            parts.append(mesh_of_tile(path, tile, mesh_pixels, beam=beam))
        mesh = assemble_mesh(parts, self.file.shape, mesh_pixels)
        if not np.any(mesh.rms > 0):
            raise InputError(f"no noise could be measured in {self.file.name}", expected="a map with noise")
        for n_done, tile in enumerate(tiles):
            tell("windows", n_done, len(tiles))
            self._classify(tile, mesh, tell if len(tiles) == 1 else lambda step, n_done, n_total: None)
            give_back()

    def _classify(self, tile: Tile, mesh: BackgroundMesh, tell: Progress) -> None:
        entries, owned = self._entries(tile)
        if not owned.any():
            return
        radio_map, background = _window(self.file, tile), mesh.window(*tile.window)
        significance = background.significance(radio_map.data)
        assigned = assign(
            significance,
            self.located,
            entries,
            (tile.x0, tile.y0),
            find_candidates(
                significance, self.model, self.settings, beam_fwhm_pixels=radio_map.beam_fwhm_pixels
            ),
            self.settings.flood_sigma,
        )
        if len(assigned.pieces) == 0:
            return
        joined = join_pieces(
            assigned.pieces,
            lambda: fit_map(radio_map, background, assigned.pieces),
            self.model,
            self.settings,
            radio_map=radio_map,
            background=background,
            significance=significance,
            tell=tell,
        )
        source = assigned.sources(joined.source_of_piece)
        self.galaxies.add(
            entries,
            owned,
            source,
            joined.probabilities,
            assigned.is_faint,
            together=self._together(entries, source, joined.probabilities, radio_map.beam_fwhm_pixels),
        )

    def _entries(self, tile: Tile) -> tuple[Int, npt.NDArray[np.bool_]]:
        """Rows in a tile's window, and which of these are its own."""
        x, y = self.located.x, self.located.y
        inside = self.located.on_map & (np.rint(x) >= tile.x0) & (np.rint(x) < tile.x1)
        inside &= (np.rint(y) >= tile.y0) & (np.rint(y) < tile.y1)
        entries = np.flatnonzero(inside)
        return entries, np.array([tile.owns(y[i], x[i]) for i in entries], dtype=bool)

    def _together(
        self, entries: Int, source: Int, probabilities: npt.NDArray[np.float64], fwhm: float
    ) -> Int:
        """Number the groups that are one galaxy, -1 for none.

        All entries of an extended source are. Those of a compact one may be
        two sources that only the other finder told apart: they are one where
        they are nearer than ``SAME_BEAMS``.
        """
        extended = np.isin(np.argmax(probabilities, axis=1), EXTENDED)
        group = np.where((source >= 0) & extended[source], source, -1)
        n_groups = len(probabilities)
        for members in grouped(np.where(group < 0, source, -1)):
            places = np.stack([self.located.x[entries[members]], self.located.y[entries[members]]], axis=1)
            group[members] = n_groups + np.array(_near(places, SAME_BEAMS * fwhm))
            n_groups += len(members)
        return group


EXTENDED = tuple(index for index, name in enumerate(CLASSES) if name.startswith("extended"))
SAME_BEAMS = 0.5
"""Entries on one compact source that are nearer than this many beam widths are one."""


def _near(places: npt.NDArray[np.float64], limit: float) -> list[int]:
    """Number chains of points that are nearer than a limit, from 0."""
    label = list(range(len(places)))
    for i in range(len(places)):
        for j in range(i):
            if np.hypot(*(places[i] - places[j])) < limit:
                old, new = label[i], label[j]
                label = [new if one == old else one for one in label]
    return label


def _window(file: MapFile, tile: Tile) -> RadioMap:
    return RadioMap(
        data=file.window(*tile.window),
        wcs=file.wcs[tile.window],
        beam=file.beam,
        pixel_arcsec=file.pixel_arcsec,
        frequency_hz=file.frequency_hz,
        name=file.name,
    )


def _form_of_map(file: MapFile) -> tuple[float, float, float]:
    nothing = np.broadcast_to(np.float32(0), file.shape)
    return beam_form(RadioMap(data=nothing, wcs=file.wcs, beam=file.beam, pixel_arcsec=file.pixel_arcsec))
