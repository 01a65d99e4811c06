"""Truth of a made-up sky."""

import numpy as np

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


def test_a_point_source_is_compact_whatever_its_brightness() -> None:
    for snr in (4.0, 20.0, 500.0):
        sources, labels = label_sources([_point(40, 50, snr)], RMS, BEAM)
        assert [source.class_name for source in sources] == ["compact"]
        assert labels[50, 40] == 1
        assert sources[0].n_islands == 1
        np.testing.assert_allclose((sources[0].x, sources[0].y, sources[0].snr), (40, 50, snr), rtol=0.01)


def test_sources_below_three_sigma_have_no_label() -> None:
    assert label_sources([_point(40, 50, 2.9)], RMS, BEAM)[0] == []


def test_a_wide_source_is_extended() -> None:
    wide = "disc", _stamp(make_compact(200.0, 6.0, 4.0, 0.3).moved(48, 48))
    assert label_sources([wide], RMS, BEAM)[0][0].class_name == "extended"


def test_two_lobes_apart_are_one_source_of_two_islands() -> None:
    lobes = Components(
        x=np.array([30.0, 66.0]),
        y=np.array([48.0, 48.0]),
        flux=np.array([20.0, 15.0]),
        xx=np.ones(2),
        xy=np.zeros(2),
        yy=np.ones(2),
    )
    (source,), labels = label_sources([("fr2", _stamp(lobes))], RMS, BEAM)
    assert (source.class_name, source.n_islands) == ("extended-multi-island", 2)
    assert labels[48, 30] == labels[48, 66] == 1
    assert labels[48, 48] == 0


def test_a_source_within_the_wing_of_a_brighter_one_is_hidden() -> None:
    sources, _ = label_sources([_point(40, 40, 100), _point(43, 40, 20)], RMS, BEAM)
    assert len(sources) == 1


def test_neighbours_share_the_pixels_by_brightness() -> None:
    sources, labels = label_sources([_point(40, 40, 30), _point(49, 40, 30)], RMS, BEAM)
    assert len(sources) == 2
    assert labels[40, 43] != labels[40, 46]
