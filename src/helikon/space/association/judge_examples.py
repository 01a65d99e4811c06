"""What the judges and the eye learn from: pairs and sources of made-up fields, with the truth."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from helikon.space.association.candidates import find_candidates
from helikon.space.association.company import Company
from helikon.space.association.evidence import TileEvidence, gather
from helikon.space.association.judge import GROUP_FEATURES, PAIRED_FEATURES, Cut, Tell
from helikon.space.association.pairs import Pairs
from helikon.space.association.patches import Patches
from helikon.space.association.surroundings import Shapes
from helikon.space.association.weighing import (
    LARGEST_COMPACT,
    group_features,
    paired_features,
    sizes_in_points,
)
from helikon.space.background import estimate_background, mesh_size
from helikon.space.classes import CLASSES
from helikon.space.detect import Pieces
from helikon.space.finder_settings import FinderSettings
from helikon.space.mask_rcnn.training_tiles import draw_options
from helikon.space.model import SourceModel
from helikon.space.skies.scene import Scene, SceneOptions, make_scene

__all__ = [
    "Examples",
    "Seen",
    "concatenated",
    "join_examples",
    "kin_of",
    "look_at_field",
    "make_examples",
    "owners_of_pieces",
]

FIELD_PIXELS = 768
SMALL_SHARE, SMALL_PIXELS = 0.3, (128, 512)
"""Cut-outs are searched too: some fields are small."""
N_EXTENDED = (10.0, 50.0)
"""Per 1024 x 1024 pixels: about as the sky has them, for probabilities must be those of real maps."""
NO_GALAXIES_SHARE = 0.12
ANY_BEAM_SHARE, ANY_BEAM_PIXELS = 0.5, (2.2, 8.0)
MOST_PIXELS = 1024
WRONG_SHARE, WRONG_BEAM = 0.25, (0.87, 1.05)
"""What a map is like is learnt from maps of any kind.

Some hold no galaxy, half have any number of pixels to a beam (and as many
galaxies to a beam as the others), and some tell another beam than they have.
"""
SINGLES_SHARE, SINGLES_WIDTH, SINGLES_DENSITY, MOST_SINGLES = 0.25, (0.4, 3.0), (0.3, 4.0), 15.0
FEW_GALAXIES = 15.0
"""Some are full of single sources that are resolved, discs as of deep and sharp maps or blobs of several
beams, and hold few galaxies, half of them none. Their density rises with their area, for so do the
flux densities that it takes to see them.
"""
DEEP_SHARE, DEEP_DENSITY, DEEP_EXTENDED = 0.25, (2.0, 8.0), (1.0, 15.0)
"""Some fields are crowded with sources of the counts, and hold few galaxies of several parts."""
HIDDEN_SIGMA = 2.0
"""A piece that belongs to no labelled source but has this much true emission at its peak teaches nothing.

Nor does a faint one that is too large for a compact source."""

SPURIOUS, COMPACT = CLASSES.index("spurious"), CLASSES.index("compact")
"""A noise peak that no source and no artefact explains is as good as a faint source; a strong one is not."""

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Arrays = TypeVar("_Arrays", bound="DataclassInstance")

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Of one field.

    Attributes
    ----------
    pairs : ndarray, shape (n, n_paired_features)
    kin : ndarray of float, shape (n,)
        1 for pairs of one source.
    sources : ndarray, shape (m, n_group_features)
    classes : ndarray of int, shape (m,)
        Index into ``CLASSES``.
    """

    pairs: Double
    kin: Double
    sources: Double
    classes: Int


NOTHING = Examples(
    pairs=np.zeros((0, len(PAIRED_FEATURES))),
    kin=np.zeros(0),
    sources=np.zeros((0, len(GROUP_FEATURES))),
    classes=np.zeros(0, dtype=np.int64),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A made-up field, the beam that its header tells, and what the classical step and the network say."""

    scene: Scene
    beam_fwhm_pixels: float
    significance: npt.NDArray[np.float32]
    pieces: Pieces
    shapes: Shapes
    pairs: Pairs
    tiles: list[TileEvidence]

    def patches(self) -> Patches:
        """Return what cuts patches of this field."""
        return Patches(self.significance, self.pieces, self.shapes, self.beam_fwhm_pixels)

    def ways_to_look(self, evidence: TileEvidence, patches: Patches) -> tuple[Cut, Tell]:
        """Return what gives the patches of a tile's pairs, and what is said of the pairs beside them."""
        one, other = self.pairs.one[evidence.pairs], self.pairs.other[evidence.pairs]
        company = Company(one, other, self.shapes, self.pieces.island, self.beam_fwhm_pixels)
        return lambda rows: patches.cut(one[rows], other[rows]), company.tell


def make_examples(seed: tuple[int, ...], model: SourceModel, *, split: str, templates: str) -> Examples:
    """Make the examples of a field.

    Parameters
    ----------
    seed, model, split, templates
        See :func:`look_at_field`.
    """
    seen = look_at_field(seed, model, split=split, templates=templates, every_pair=True)
    return join_examples([_of_tile(seen, evidence) for evidence in seen.tiles])


def look_at_field(
    seed: tuple[int, ...],
    model: SourceModel,
    *,
    split: str,
    templates: str,
    every_pair: bool = False,
    any_kind: bool = False,
) -> Seen:
    """Make a field and see what the classical step and the network say of it.

    Parameters
    ----------
    seed : tuple of int
        The same seed gives the same field.
    split, templates : str
        See ``training_tiles.draw_options``.
    every_pair : bool
        See :func:`gather`.
    any_kind : bool
        Maps as the network is not shown them, too: without galaxies, with any
        number of pixels to a beam, with a header that is not quite right.
    """
    rng = np.random.default_rng(seed)
    options, said = _options(rng, split, templates), 1.0
    if any_kind:
        options, said = _of_any_kind(rng, options)
    scene = make_scene(rng, options)
    fwhm = said * scene.beam.fwhm
    background = estimate_background(scene.image, mesh_pixels=mesh_size(fwhm))
    significance = background.significance(scene.image)
    settings = FinderSettings()
    pieces = find_candidates(significance, model, settings, beam_fwhm_pixels=fwhm)
    shapes, pairs, tiles = gather(
        significance,
        background.rms,
        pieces,
        model,
        settings,
        beam_fwhm_pixels=fwhm,
        every_pair=every_pair,
    )
    return Seen(
        scene=scene,
        beam_fwhm_pixels=fwhm,
        significance=significance,
        pieces=pieces,
        shapes=shapes,
        pairs=pairs,
        tiles=list(tiles),
    )


def _options(rng: np.random.Generator, split: str, templates: str) -> SceneOptions:
    """Draw how a field is observed and what is in it."""
    size = int(rng.integers(*SMALL_PIXELS)) if rng.random() < SMALL_SHARE else FIELD_PIXELS
    options = dataclasses.replace(
        draw_options(rng, size, split=split, templates=templates),
        n_extended=rng.uniform(*N_EXTENDED),
        density=math.exp(rng.normal(0.0, 0.6)),
        pairs=rng.uniform(0.0, 0.08),
        apart=0.0,
    )
    if rng.random() < DEEP_SHARE:
        density = math.exp(rng.uniform(*np.log(DEEP_DENSITY)))
        options = dataclasses.replace(options, density=density, n_extended=rng.uniform(*DEEP_EXTENDED))
    return options


def _of_any_kind(rng: np.random.Generator, options: SceneOptions) -> tuple[SceneOptions, float]:
    """Make a field one of any kind, and draw what its header says of its beam, as a share."""
    size, beam = options.size, options.beam_pixels
    if rng.random() < ANY_BEAM_SHARE:
        beam = math.exp(rng.uniform(*np.log(ANY_BEAM_PIXELS)))
    if size == FIELD_PIXELS:
        size = min(int(FIELD_PIXELS * beam / 5), MOST_PIXELS)
    galaxies = 0.0 if rng.random() < NO_GALAXIES_SHARE else options.n_extended * (5 / beam) ** 2
    said = rng.uniform(*WRONG_BEAM) if rng.random() < WRONG_SHARE else 1.0
    options = dataclasses.replace(options, size=size, beam_pixels=beam, n_extended=galaxies)
    if rng.random() < SINGLES_SHARE:
        width = math.exp(rng.uniform(*np.log(SINGLES_WIDTH)))
        density = math.exp(rng.uniform(*np.log(SINGLES_DENSITY))) * (1 + width**2)
        few = rng.uniform(0.0, FEW_GALAXIES) * (5 / beam) ** 2 if rng.random() < 0.5 else 0.0
        options = dataclasses.replace(
            options, source_width=width, density=min(density, MOST_SINGLES), n_extended=few
        )
    return options, said


def owners_of_pieces(pieces: Pieces, labels: npt.NDArray[np.int32]) -> Int:
    """Return the true source of each piece: that of its peak, else of most of its pixels; 0 for none."""
    owners = labels[pieces.y, pieces.x].astype(np.int64)
    for i in np.flatnonzero(owners == 0):
        rows, columns = pieces.slices[i]
        inside = labels[rows, columns][pieces.labels[rows, columns] == i + 1]
        if (inside > 0).any():
            owners[i] = np.bincount(inside[inside > 0]).argmax()
    return owners


def kin_of(seen: Seen, evidence: TileEvidence) -> tuple[Bool, Bool]:
    """Say of each pair in a tile whether it is one source, and whether one of the two has a source at all.

    Of pairs of two noise peaks nothing is learnt.
    """
    owner = owners_of_pieces(seen.pieces, seen.scene.labels)
    one, other = owner[seen.pairs.one[evidence.pairs]], owner[seen.pairs.other[evidence.pairs]]
    return (one == other) & (one > 0), (one > 0) | (other > 0)


def _of_tile(seen: Seen, evidence: TileEvidence) -> Examples:
    scene, pieces = seen.scene, seen.pieces
    owner = owners_of_pieces(pieces, scene.labels)
    class_of = {source.label: CLASSES.index(source.class_name) for source in scene.sources}
    groups: dict[int, list[int]] = {}
    for piece in evidence.inside:
        groups.setdefault(int(owner[piece]) or -int(piece) - 1, []).append(int(piece))
    true_snr = scene.true_image / scene.local_rms
    shown, classes = [], []
    for label, group in groups.items():
        if label > 0 or true_snr[pieces.y[group[0]], pieces.x[group[0]]] < HIDDEN_SIGMA:
            shown.append(np.array(group, dtype=np.int64))
            noise = COMPACT if pieces.is_faint[group[0]] else SPURIOUS
            classes.append(class_of.get(label, noise))
    sources, kinds = group_features(shown, seen.shapes, pieces, evidence), np.array(classes, dtype=np.int64)
    unowned = np.array([owner[group[0]] == 0 for group in shown], dtype=bool)
    too_large = sizes_in_points(sources, FinderSettings().flood_sigma) > LARGEST_COMPACT
    teaches = ~(unowned & too_large & (kinds == COMPACT))
    kin, known = kin_of(seen, evidence)
    return Examples(
        pairs=paired_features(seen.pairs, evidence)[known],
        kin=kin[known].astype(np.float64),
        sources=sources[teaches],
        classes=kinds[teaches],
    )


def join_examples(parts: list[Examples]) -> Examples:
    """Put the examples of several tiles or fields together."""
    return concatenated([NOTHING, *parts])


def concatenated(parts: Sequence[_Arrays]) -> _Arrays:
    """Put dataclasses of arrays together, one at least, array by array."""
    names = [field.name for field in dataclasses.fields(parts[0])]
    return type(parts[0])(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
