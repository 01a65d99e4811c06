"""Find sources: a classical step finds, the network classifies and associates.

:func:`find_sources` is the whole of it: background (``background.py``), islands
and blends (``detect.py``), what the network says of them (``inference.py``,
``association.py``), and their measures (``measure.py``). Each is usable alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.table import QTable

from helikon import __version__
from helikon.errors import InputError
from helikon.space.association import join_pieces
from helikon.space.background import Background, estimate_background, mesh_size
from helikon.space.catalogue import empty_catalogue, make_catalogue
from helikon.space.detect import find_pieces
from helikon.space.finder_settings import FinderSettings
from helikon.space.fits import RadioMap
from helikon.space.measure import SourceMasks, fit_map, measure_sources
from helikon.space.model import CLASSES, SourceModel
from helikon.space.sky import beam_form

__all__ = ["FinderSettings", "find_sources"]

Progress = Callable[[str, int, int], None]


def find_sources(
    radio_map: RadioMap,
    model: SourceModel | None,
    settings: FinderSettings = FinderSettings(),
    *,
    background: Background | None = None,
    progress: Progress | None = None,
) -> QTable:
    """Find, classify and measure the sources of a map.

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
        If no noise can be measured.
    """
    tell = progress or (lambda step, n_done, n_total: None)
    tell("background", 0, 1)
    background = background or estimate_background(
        radio_map.data, mesh_pixels=mesh_size(radio_map.beam_fwhm_pixels)
    )
    if not np.any(background.rms > 0):
        raise InputError(f"no noise could be measured in {radio_map.name}", expected="a map with noise")
    significance = background.significance(radio_map.data)
    tell("islands", 0, 1)
    pieces = find_pieces(
        significance,
        seed_sigma=settings.seed_sigma,
        flood_sigma=settings.flood_sigma,
        beam_fwhm_pixels=radio_map.beam_fwhm_pixels,
        beam_form=beam_form(radio_map),
    )
    meta = provenance(radio_map, model, settings)
    if len(pieces) == 0:
        return empty_catalogue(meta)
    fits = fit_map(radio_map, background, pieces)
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
    tell("measures", 0, 1)
    masks = SourceMasks.of(pieces, joined.source_of_piece)
    values = measure_sources(radio_map, background, pieces, fits, masks)
    return _catalogue(values, joined.probabilities, meta)


def provenance(radio_map: RadioMap, model: SourceModel | None, settings: FinderSettings) -> dict[str, Any]:
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
        "model_sha256": "" if model is None else str(model.card.get("sha256", "")),
        "notes": list(radio_map.notes),
    }


def _catalogue(values: dict[str, Any], probabilities: Any, meta: dict[str, Any]) -> QTable:
    best = np.argmax(probabilities, axis=1)
    values |= {
        "class": [CLASSES[index] for index in best],
        "class_prob": probabilities[np.arange(len(best)), best],
    }
    for index, name in enumerate(CLASSES):
        values["prob_" + name.replace("-", "_")] = probabilities[:, index]
    order = np.argsort(-np.asarray(values["peak_flux"]), kind="stable")
    ordered = {name: [column[i] for i in order] for name, column in values.items()}
    return make_catalogue(ordered | {"id": np.arange(1, len(order) + 1)}, meta)
