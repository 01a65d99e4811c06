"""What the eye learns from: doubtful pairs of made-up fields, with their patches and the truth."""

import contextlib
import dataclasses
import functools
import hashlib
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from helikon.errors import InputError
from helikon.space.association.evidence import TileEvidence
from helikon.space.association.judge import SEEN_FEATURES, Judge
from helikon.space.association.judge_examples import Seen, concatenated, kin_of, look_at_field
from helikon.space.association.patches import SHAPE, Patches
from helikon.space.association.weighing import paired_features
from helikon.space.model import SourceModel
from helikon.space.skies.simulate import SKIES_VERSION
from helikon.space.skies.templates import sha256_of_templates
from helikon.space.whole import whole_files

__all__ = ["Doubts", "join_doubts", "kept_doubts", "make_doubts"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """Pairs that the judge was not sure of.

    Attributes
    ----------
    patches : ndarray of float16, shape (n, 4, 32, 48)
    features : ndarray of float32, shape (n, n_seen_features)
    logits : ndarray of float32, shape (n,)
        The judge's log odds.
    kin : ndarray of bool, shape (n,)
        Whether a pair is one source.
    """

    patches: npt.NDArray[np.float16]
    features: npt.NDArray[np.float32]
    logits: npt.NDArray[np.float32]
    kin: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.kin)

    def only(self, rows: npt.NDArray[np.bool_] | slice) -> "Doubts":
        """Leave out the others."""
        return Doubts(**{name: getattr(self, name)[rows] for name in NAMES})


NAMES = tuple(field.name for field in dataclasses.fields(Doubts))
NONE = Doubts(
    patches=np.zeros((0, *SHAPE), dtype=np.float16),
    features=np.zeros((0, len(SEEN_FEATURES)), dtype=np.float32),
    logits=np.zeros(0, dtype=np.float32),
    kin=np.zeros(0, dtype=bool),
)


def make_doubts(seed: tuple[int, ...], model: SourceModel, *, split: str, templates: str) -> Doubts:
    """Make a field and keep the pairs that the judge is not sure of.

    Parameters
    ----------
    model : SourceModel
        With a judge.
    seed, split, templates
        See ``judge_examples.look_at_field``.

    Raises
    ------
    InputError
        If the model has no judge.
    """
    if not isinstance(model.judge, Judge):
        raise InputError("an eye corrects a judge", got="a model without one", expected="space/judge first")
    seen = look_at_field(seed, model, split=split, templates=templates)
    patches = seen.patches()
    return join_doubts([_of_tile(seen, evidence, model.judge, patches) for evidence in seen.tiles])


def _of_tile(seen: Seen, evidence: TileEvidence, judge: Judge, patches: Patches) -> Doubts:
    kin, known = kin_of(seen, evidence)
    cut, tell = seen.ways_to_look(evidence, patches)
    features = paired_features(seen.pairs, evidence)
    logits = judge.logits(features)
    doubt = judge.doubt(features, logits, tell)
    taught = known[doubt.rows]
    rows = doubt.rows[taught]
    return Doubts(
        patches=cut(rows).astype(np.float16),
        features=doubt.told[taught].astype(np.float32),
        logits=logits[rows].astype(np.float32),
        kin=kin[rows],
    )


def join_doubts(parts: list[Doubts]) -> Doubts:
    """Put the pairs of several tiles or fields together."""
    return concatenated([NONE, *parts])


def kept_doubts(
    folder: str, seed: tuple[int, ...], model: SourceModel, *, split: str, templates: str
) -> Doubts:
    """Read the pairs of a field from a folder; make and keep them there if it has none of this model.

    Parameters
    ----------
    folder : str
        Empty to keep nothing.
    seed, model, split, templates
        See :func:`make_doubts`.
    """
    if not folder:
        return make_doubts(seed, model, split=split, templates=templates)
    path = Path(folder) / _made_with(model, split, templates) / f"{'-'.join(map(str, seed))}.npz"
    with contextlib.suppress(OSError, KeyError, ValueError, zipfile.BadZipFile), path.open("rb") as file:
        kept = np.load(file)
        return Doubts(**{name: kept[name] for name in NAMES})
    doubts = make_doubts(seed, model, split=split, templates=templates)
    with whole_files(path.parent, (path.name,)) as beside:
        np.savez(beside[path.name], **{name: getattr(doubts, name) for name in NAMES})
    return doubts


@functools.cache
def _made_with(model: SourceModel, split: str, templates: str) -> str:
    """Name what the pairs of a field depend on beside its seed."""
    checksums = [model.card.get("sha256"), model.card.get("judge", {}).get("sha256")]
    shapes = sha256_of_templates(Path(templates)) if templates else ""
    told = [*checksums, SHAPE, SEEN_FEATURES, SKIES_VERSION, split, shapes]
    return hashlib.sha256(str(told).encode()).hexdigest()[:12]
