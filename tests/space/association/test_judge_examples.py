"""What the judges learn from."""

import dataclasses

import numpy as np

from helikon.space.association.judge_examples import COMPACT, SPURIOUS, _of_tile, look_at_field
from helikon.space.association.weighing import LARGEST_COMPACT, group_features, sizes_in_points
from helikon.space.finder_settings import FinderSettings
from helikon.space.model import load_model


def test_what_belongs_to_no_source_teaches_spurious_if_strong_and_compact_if_faint_and_small() -> None:
    seen = look_at_field((12, 1, 2), load_model(), split="validation", templates="")
    nothing = np.zeros_like(seen.scene.labels)
    scene = dataclasses.replace(seen.scene, labels=nothing, true_image=nothing.astype(np.float32), sources=())
    (evidence,) = seen.tiles
    alone = [np.array([piece]) for piece in evidence.inside]
    features = group_features(alone, seen.shapes, seen.pieces, evidence)
    faint = seen.pieces.is_faint[evidence.inside]
    hazy = faint & (sizes_in_points(features, FinderSettings().flood_sigma) > LARGEST_COMPACT)
    assert hazy.any()
    taught = _of_tile(dataclasses.replace(seen, scene=scene), evidence)
    assert np.count_nonzero(taught.classes == SPURIOUS) == np.count_nonzero(~faint)
    assert np.count_nonzero(taught.classes == COMPACT) == np.count_nonzero(faint & ~hazy)
    assert len(taught.classes) == len(taught.sources) == np.count_nonzero(~hazy)
    assert not taught.kin.any()
