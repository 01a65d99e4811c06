"""How a made-up field is observed and what is in it."""

import dataclasses

from helikon.errors import InputError

__all__ = ["SPLITS", "SceneOptions"]

SPLITS = ("train", "validation", "test")
"""Fields of one never share a galaxy, a held-out shape or a stream of random numbers with another."""

_RANGES = {
    "beam_pixels": (2.0, 30.0),
    "declination_deg": (-90.0, 90.0),
    "hours": (0.0, 24.0),
    "robust": (-2.0, 2.0),
    "taper": (0.0, 100.0),
    "rms_jy": (0.0, 1e3),
    "density": (0.0, 1e3),
    "n_extended": (0.0, 1e4),
    "phase_error_deg": (0.0, 360.0),
    "amplitude_error": (0.0, 10.0),
    "uncleaned_share": (0.0, 1.0),
    "brightest_sigma": (300.0, 1e9),
    "n_bright": (0.0, 1e4),
    "primary_beam": (0.0, 1e3),
    "pairs": (0.0, 1.0),
    "source_width": (0.0, 100.0),
    "beside": (0.0, 1.0),
    "apart": (0.0, 1.0),
    "diffuse": (0.0, 1e3),
    "stripes": (0.0, 1.0),
    "edges": (0.0, 1.0),
    "template_share": (0.0, 1.0),
}
"""Least and largest value of each number: beyond them there is no such observation, or no end of the work."""
_SIZES = (128, 8192)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SceneOptions:
    """How a field is made.

    Attributes
    ----------
    size : int
        Pixels along each side.
    array : str
        One of ``helikon.space.arrays.ARRAY_NAMES``.
    beam_pixels : float
        FWHM of the clean beam, pixels.
    declination_deg, hours, robust, taper : float
        Of the observation: field centre, track length, weighting.
    rms_jy : float
        Thermal noise, Jy/beam; 0 takes the array's usual one.
    density : float
        Multiplies the 1.4 GHz source counts.
    n_extended : float
        Expected number of extended sources per 1024 x 1024 pixels.
    phase_error_deg, amplitude_error : float
        What self-calibration left wrong (RMS per antenna).
    uncleaned_share : float
        RMS share of a source above 60 sigma that keeps the sidelobes of the
        point-spread function (of either sign), as CLEAN leaves where a source
        varies or lies between pixels: rings and spokes near it.
    brightest_sigma : float
        Cap on compact sources, in units of the thermal noise.
    n_bright : float
        Expected number, per 1024 x 1024 pixels, of further compact sources
        between 300 sigma and the cap: more artefacts than the counts give.
    primary_beam : float
        FWHM of the primary beam in units of the field's side, for a map
        corrected for it (noise rises outwards); 0 for a flat response.
    pairs : float
        Share of the compact sources that stand 1 to 10 beams from another
        compact source without being one with it.
    source_width : float
        Median width of the compact sources before the beam has blurred them:
        diameter that holds half of the light, in beams. From about a third on,
        many are resolved, as the discs of star-forming galaxies are in deep
        and sharp maps; those that show are labelled extended. 0 for half an
        arcsecond or so, which no array here resolves.
    beside : float
        Share of the compact sources that stand on or beside an extended one.
    apart : float
        Share of the extended sources that keep off the others. The sky keeps
        none of them apart: from 0.0 on, neighbours touch and overlap by chance.
    diffuse : float
        Diffuse emission of the Galaxy, RMS in units of the thermal noise; it
        has no label.
    stripes : float
        Chance that a bad baseline lays stripes over the whole field.
    edges : float
        Chance that one side of the field is the edge of a mosaic, where the
        noise rises.
    templates : str
        Folder with maps of real galaxies (see ``templates.py``); empty for
        none.
    template_share : float
        Share of the extended sources that are drawn from them.
    split : str
        One of :data:`SPLITS`: which templates and shapes may appear.

    Raises
    ------
    InputError
        If a number is none or out of its range, or there is no such split.
    """

    size: int = 1024
    array: str = "askap"
    beam_pixels: float = 5.0
    declination_deg: float | None = None
    hours: float = 8.0
    robust: float = 0.0
    taper: float = 0.0
    rms_jy: float = 0.0
    density: float = 1.0
    n_extended: float = 24.0
    phase_error_deg: float = 3.0
    amplitude_error: float = 0.01
    uncleaned_share: float = 0.06
    brightest_sigma: float = 6000.0
    n_bright: float = 2.0
    primary_beam: float = 0.0
    pairs: float = 0.04
    source_width: float = 0.0
    beside: float = 0.03
    apart: float = 0.0
    diffuse: float = 0.0
    stripes: float = 0.1
    edges: float = 0.1
    templates: str = ""
    template_share: float = 0.5
    split: str = "train"

    def __post_init__(self) -> None:
        """Refuse what no field can be made with."""
        if not _SIZES[0] <= self.size <= _SIZES[1]:
            raise InputError(
                "no sky of this size", got=self.size, expected=f"{_SIZES[0]} to {_SIZES[1]} pixels"
            )
        if self.split not in SPLITS:
            raise InputError(
                "no such split of the skies", got=repr(self.split), expected=f"one of {', '.join(SPLITS)}"
            )
        for name, (least, largest) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= largest:
                raise InputError(
                    f"no sky can be made with this {name}",
                    got=f"{value:g}",
                    expected=f"{least:g} to {largest:g}",
                )
