"""Find sources: a classical step finds, the network classifies and associates.

:func:`find_sources` is the whole of it: background (``background.py``), islands
and blends (``detect.py``), what the network says of them (``inference.py``,
``association.py``), and their measures (``measure.py``). Each is usable alone.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.table import QTable

from helikon import __version__
from helikon.errors import InputError
from helikon.space.association import associate
from helikon.space.background import Background, estimate_background, mesh_size
from helikon.space.catalogue import empty_catalogue, make_catalogue
from helikon.space.detect import find_pieces
from helikon.space.fits import RadioMap
from helikon.space.inference import look
from helikon.space.measure import SourceMasks, fit_map, measure_sources
from helikon.space.model import CLASSES, SourceModel
from helikon.space.sky import beam_form

__all__ = ["FinderSettings", "find_sources"]

Progress = Callable[[str, int, int], None]

POINT_LIKE = 1.25
"""Area in beams up to which a source is compact whatever the network says: bandwidth smearing does that."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FinderSettings:
    """What the finder is told.

    Attributes
    ----------
    seed_sigma : float
        A source has a pixel of at least this significance.
    flood_sigma : float
        Its pixels reach down to this significance; not above ``seed_sigma``.
    score_threshold : float
        Probability from which a detection of the network joins islands to one
        source, 0 to 1.
    tile_pixels, overlap_pixels : int
        Largest side of the tiles that the network looks at, and how much they
        share, in pixels of its own scale (beam of 5 pixels).
    """

    seed_sigma: float = 5.0
    flood_sigma: float = 3.0
    score_threshold: float = 0.85
    tile_pixels: int = 1024
    overlap_pixels: int = 160

    def __post_init__(self) -> None:
        """Refuse thresholds that find nothing or everything."""
        if not 0 < self.flood_sigma <= self.seed_sigma:
            raise InputError(
                "these thresholds cannot be used",
                got=f"seed {self.seed_sigma:g} and flood {self.flood_sigma:g} sigma",
                expected="0 < flood <= seed",
            )


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
    seen = None
    if model is not None:
        seen = look(
            significance,
            pieces,
            model,
            radio_map,
            tile_pixels=settings.tile_pixels,
            overlap_pixels=settings.overlap_pixels,
            tell=tell,
        )
    joined = associate(
        pieces, fits.good, fits.good & (fits.area_ratio < POINT_LIKE), seen, settings.score_threshold
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
