"""Spurious islands and flagged sources."""

import numpy as np

from helikon.space.skies.artefact_labels import add_artefact_labels
from helikon.space.skies.components import Components, make_compact
from helikon.space.skies.imaging import GaussianBeam
from helikon.space.skies.labels import label_sources
from helikon.space.skies.render import Stamp, render

BEAM = GaussianBeam(covariance=(4.5, 0.0, 4.5))
SHAPE = (96, 96)
RMS = np.ones(SHAPE, dtype=np.float32)


def _stamp(source: Components) -> Stamp:
    return render(source, BEAM, SHAPE, 0.05)


def _point(x: float, y: float, snr: float) -> tuple[str, Stamp]:
    return "compact", _stamp(make_compact(snr, 0.0, 0.0, 0.0).moved(x, y))


def _artefacts(source: list[tuple[str, Stamp]], wrong: Stamp | None) -> list[str]:
    true_image = np.zeros(SHAPE, dtype=np.float32)
    for _, stamp in source:
        true_image[stamp.where] += stamp.data
    artefacts = np.zeros(SHAPE, dtype=np.float32)
    if wrong is not None:
        artefacts[wrong.where] += wrong.data
    sources, labels = label_sources(source, RMS, BEAM)
    found, _ = add_artefact_labels(
        sources,
        labels,
        image=true_image + artefacts,
        true_image=true_image,
        artefacts=artefacts,
        local_rms=RMS,
        beam=BEAM,
    )
    return [one.class_name for one in found]


def test_an_artefact_far_from_true_emission_is_spurious() -> None:
    wrong = _stamp(make_compact(8.0, 1.0, 1.0, 0.0).moved(70, 70))
    assert _artefacts([_point(20, 20, 50)], wrong) == ["compact", "spurious"]


def test_an_artefact_that_hangs_on_a_source_flags_it() -> None:
    wrong = _stamp(make_compact(60.0, 8.0, 1.0, 0.0).moved(32, 20))
    assert _artefacts([_point(20, 20, 50)], wrong) == ["flagged"]


def test_a_clean_map_has_neither() -> None:
    assert _artefacts([_point(20, 20, 50)], None) == ["compact"]
