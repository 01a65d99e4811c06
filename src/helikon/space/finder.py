"""Find sources: a classical step finds, the network classifies and associates.

:func:`find_sources` is the whole of it: background (``background.py``), islands
and blends (``detect.py``), which of them are one source and of which class
(``association``), and their measures (``measures``). Each is usable alone.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import QTable

from helikon import __version__
from helikon.space.association.association import Association, join_pieces
from helikon.space.association.candidates import find_candidates
from helikon.space.background import Background, estimate_background, mesh_size
from helikon.space.beam import Beam
from helikon.space.catalogue import empty_catalogue, make_catalogue
from helikon.space.classes import CLASSES, PROBABILITY_COLUMNS, called, without_compact
from helikon.space.columns import FLAGS
from helikon.space.detect import Pieces
from helikon.space.finder_settings import FinderSettings
from helikon.space.fits import MapFile, RadioMap
from helikon.space.measures.compact import CompactFits
from helikon.space.measures.doubles import part_doubles
from helikon.space.measures.layers import Layers, measure_layers
from helikon.space.measures.measure import fit_map
from helikon.space.model import SourceModel
from helikon.space.names import iau_names
from helikon.space.sky import beam_form

__all__ = ["FinderSettings", "Found", "find_in_window", "find_sources"]

Progress = Callable[[str, int, int], None]

STREAK_WIDTH, STREAK_LENGTH = 0.5, 2.0
"""In widths of the beam: a compact source is not narrower than the first and longer than the second."""
EMBEDDED_COMPACT = 0.9
"""Probability that a point on the even ground of a wide source is one, and no part of it."""
_WIDE = [CLASSES.index(name) for name in ("extended", "extended-multi-island", "flagged")]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in a map or in a window of one.

    Attributes
    ----------
    values : dict of str to array
        Columns of the catalogue, one value a source.
    pieces : Pieces
        What the sources are made of.
    source_of_piece : ndarray of int, shape (n_pieces,)
        Row in ``values`` of each piece.
    """

    values: dict[str, Any]
    pieces: Pieces
    source_of_piece: npt.NDArray[np.int64]


def find_sources(
    radio_map: RadioMap,
    model: SourceModel | None,
    settings: FinderSettings = FinderSettings(),
    *,
    background: Background | None = None,
    progress: Progress | None = None,
) -> QTable:
    """Find, classify and measure the sources of a map that fits into memory.

    ``survey.survey_map`` does the same window by window for a file of any size.

    Parameters
    ----------
    radio_map : RadioMap
        From ``fits.read_map``.
    model : SourceModel or None
        From ``model.load_model``. Without one, classes are told by shape alone
        and islands of one galaxy stay apart.
    settings : FinderSettings
        Thresholds.
    background : Background, optional
        Instead of the one estimated here.
    progress : callable, optional
        Called with (step, number done, number in all).

    Returns
    -------
    QTable
        One row a source, brightest first; columns as in ``catalogue.COLUMNS``.
        No row where there is none. Rows of class ``spurious`` are artefacts,
        kept so that nobody finds them again.

    Raises
    ------
    InputError
        If no background is given and no noise can be measured.
    """
    tell = progress or (lambda step, n_done, n_total: None)
    tell("background", 0, 1)
    background = background or estimate_background(
        radio_map.data, mesh_pixels=mesh_size(radio_map.beam_fwhm_pixels)
    )
    found = find_in_window(radio_map, background, model, settings, tell=tell)
    sha256 = "" if model is None else model.sha256
    return make_ordered(found.values, provenance(radio_map, sha256, settings))


def find_in_window(
    radio_map: RadioMap,
    background: Background,
    model: SourceModel | None,
    settings: FinderSettings,
    *,
    tell: Progress,
    chosen: Callable[[Pieces], npt.NDArray[np.bool_]] | None = None,
) -> Found:
    """Find, classify and measure, in the order of the pieces.

    Parameters
    ----------
    chosen : callable, optional
        Says which pieces count; those and others are never joined to one source.
    """
    significance = background.significance(radio_map.data)
    tell("islands", 0, 1)
    pieces = find_candidates(significance, model, settings, beam_fwhm_pixels=radio_map.beam_fwhm_pixels)
    if pieces.is_faint.all():
        nothing = pieces.only(np.zeros(len(pieces), dtype=bool))
        return Found(values={}, pieces=nothing, source_of_piece=np.empty(0, dtype=np.int64))
    fits = functools.cache(lambda: fit_map(radio_map, background, pieces))
    joined = join_pieces(
        pieces,
        fits,
        model,
        settings,
        radio_map=radio_map,
        background=background,
        significance=significance,
        tell=tell,
    )
    if chosen is not None:
        joined = _parted(joined, chosen(pieces))
    kept, joined = _without_faint(pieces, joined)
    tell("measures", 0, 1)
    final = fits() if kept is pieces else fit_map(radio_map, background, kept)
    kept, joined, final = _with_points_apart(
        kept, joined, final, radio_map, background, significance, settings
    )
    class_of = called(joined.probabilities)[0]
    layers = measure_layers(
        radio_map,
        background,
        significance,
        kept,
        joined.source_of_piece,
        final,
        np.isin(class_of, _WIDE),
        class_of == CLASSES.index("compact"),
        seed_sigma=settings.seed_sigma,
        flood_sigma=settings.flood_sigma,
    )
    probabilities = _of_layers(joined, layers)
    if model is not None:
        probabilities = _without_streaks(probabilities, layers.values, radio_map.beam)
    values = layers.values | _classes(probabilities)
    values["flags"] = _flag_blends(values)
    return Found(values=values, pieces=layers.pieces, source_of_piece=layers.source_of_piece)


def make_ordered(values: dict[str, Any], meta: dict[str, Any]) -> QTable:
    """Make the catalogue of columns: brightest peak first, numbered from 1."""
    if not values:
        return empty_catalogue(meta)
    keys = (np.asarray(values["x"]), np.asarray(values["y"]), -np.asarray(values["peak_flux"]))
    order = np.lexsort(keys)
    ordered = {
        name: column[order] if isinstance(column, np.ndarray) else [column[i] for i in order]
        for name, column in values.items()
    }
    ordered["name"] = iau_names(np.array(ordered["ra"]), np.array(ordered["dec"]))
    return make_catalogue(ordered | {"id": np.arange(1, len(order) + 1)}, meta)


def provenance(radio_map: RadioMap | MapFile, model_sha256: str, settings: FinderSettings) -> dict[str, Any]:
    """Say what a catalogue is made of and with."""
    beam = radio_map.beam
    return {
        "software": "helikon",
        "version": __version__,
        "map": radio_map.name,
        "beam_major_arcsec": beam.major_arcsec,
        "beam_minor_arcsec": beam.minor_arcsec,
        "beam_position_angle_deg": beam.position_angle_deg,
        "frequency_hz": radio_map.frequency_hz,
        "seed_sigma": settings.seed_sigma,
        "flood_sigma": settings.flood_sigma,
        "score_threshold": settings.score_threshold,
        "model_sha256": model_sha256,
        "notes": list(radio_map.notes),
    }


def _of_layers(joined: Association, layers: Layers) -> npt.NDArray[np.float64]:
    """Return the class probabilities of all: parts of wide sources that are points are mostly compact."""
    probabilities = joined.probabilities[layers.parent]
    is_point = layers.is_parted
    probabilities[is_point] *= 1 - EMBEDDED_COMPACT
    probabilities[is_point, CLASSES.index("compact")] += EMBEDDED_COMPACT
    return probabilities


def _without_streaks(
    probabilities: npt.NDArray[np.float64], values: Mapping[str, Any], beam: Beam
) -> npt.NDArray[np.float64]:
    """Return the class probabilities, where what is long and narrower than the beam is no compact source."""
    is_streak = (values["minor"] < STREAK_WIDTH * beam.minor_arcsec) & (
        values["major"] > STREAK_LENGTH * beam.major_arcsec
    )
    return without_compact(probabilities, is_streak, instead="spurious")


def _classes(probabilities: npt.NDArray[np.float64]) -> dict[str, Any]:
    index, probability = called(probabilities)
    values = {"class": [CLASSES[i] for i in index], "class_prob": probability}
    return values | dict(zip(PROBABILITY_COLUMNS, probabilities.T, strict=True))


def _flag_blends(values: Mapping[str, Any]) -> list[str]:
    """Return the column ``flags`` with ``blended`` for compact sources that take several Gaussians."""
    flags = []
    for text, name, n in zip(values["flags"], values["class"], values["n_components"], strict=True):
        words = {*text.split(), *(["blended"] if name == "compact" and n > 1 else [])}
        flags.append(" ".join(word for word in FLAGS if word in words))
    return flags


def _parted(joined: Association, chosen: npt.NDArray[np.bool_]) -> Association:
    """Part each source that has pieces of both kinds into two of the same class."""
    source, kind = joined.source_of_piece, chosen.astype(np.int64)
    pairs, parted = np.unique(2 * source + kind, return_inverse=True)
    return Association(source_of_piece=parted, probabilities=joined.probabilities[pairs // 2])


def _with_points_apart(
    pieces: Pieces,
    joined: Association,
    fits: CompactFits,
    radio_map: RadioMap,
    background: Background,
    significance: npt.NDArray[np.float32],
    settings: FinderSettings,
) -> tuple[Pieces, Association, CompactFits]:
    """Part compact sources that are several points; each has the class of the whole."""
    parted = part_doubles(
        radio_map.data - background.level,
        background.rms,
        significance,
        pieces,
        joined.source_of_piece,
        called(joined.probabilities)[0] == CLASSES.index("compact"),
        fits,
        form=beam_form(radio_map),
        beam_fwhm_pixels=radio_map.beam_fwhm_pixels,
        least_sigma=settings.seed_sigma,
    )
    fits = dataclasses.replace(fits, good=fits.good & ~parted.is_merged)
    if parted.pieces is pieces:
        return pieces, joined, fits
    apart = Association(
        source_of_piece=parted.source_of_piece, probabilities=joined.probabilities[parted.parent]
    )
    again = fit_map(radio_map, background, parted.pieces, known=fits, before=parted.before)
    return parted.pieces, apart, again


def _without_faint(pieces: Pieces, joined: Association) -> tuple[Pieces, Association]:
    """Leave out sources that do not reach the seed threshold anywhere."""
    seen = np.zeros(len(joined.probabilities), dtype=bool)
    seen[joined.source_of_piece[~pieces.is_faint]] = True
    if seen.all():
        return pieces, joined
    kept = seen[joined.source_of_piece]
    source = np.cumsum(seen)[joined.source_of_piece[kept]] - 1
    return pieces.only(kept), Association(source_of_piece=source, probabilities=joined.probabilities[seen])
