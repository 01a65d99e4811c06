"""What is true of each entry and each true source."""

import dataclasses
import math

import numpy as np
import pytest
from astropy.table import Table

from helikon.space.classes import CLASSES
from helikon.space.evaluation.calibration import calibration, plot_calibration
from helikon.space.evaluation.entries import Entries, read_entries
from helikon.space.evaluation.judge import Judgement, judge
from helikon.space.evaluation.measures import bootstrap, measures
from helikon.space.evaluation.riggi import mask_confusion
from helikon.space.skies import Sky, simulate_sky


@pytest.fixture(scope="module")
def sky() -> Sky:
    return simulate_sky(31, size=384, n_extended=60.0, n_bright=12.0, phase_error_deg=6.0)


@pytest.fixture(scope="module")
def perfect(sky: Sky) -> Entries:
    """Every true thing with its own mask."""
    columns = {"x": sky.truth["x"], "y": sky.truth["y"]}
    probabilities = np.array([[float(name == one) for one in CLASSES] for name in sky.truth["class"]])
    return Entries(
        **{name: np.asarray(values, dtype=float) for name, values in columns.items()},
        class_name=np.asarray(sky.truth["class"], dtype="U24"),
        int_flux=np.asarray(sky.truth["int_flux"], dtype=float),
        snr=np.asarray(sky.truth["snr"], dtype=float),
        probabilities=probabilities,
        footprints=[np.nonzero(sky.labels == number) for number in sky.truth["id"]],
    )


def _row(sky: Sky, name: str) -> int:
    return int(np.flatnonzero((sky.truth["class"] == name) & (sky.truth["snr"] > 6))[0])


def test_the_truth_itself_is_perfect(sky: Sky, perfect: Entries) -> None:
    found = measures([judge(perfect, sky)])
    for name in ("compact completeness > 5", "reliability", "extended as one entry", "F1 compact (B)"):
        assert found[name] == 1.0
    assert found["false near bright, a field"] == found["second entries, a field"] == 0
    assert found["extended-multi-island as one entry"] == found["purity of joining"] == 1.0
    table = mask_confusion(perfect, sky)
    assert table[:5, :5].sum() == np.trace(table[:5, :5]) == table.sum()


def test_a_true_source_that_is_called_spurious_is_missed(sky: Sky, perfect: Entries) -> None:
    row = _row(sky, "compact")
    names = perfect.class_name.copy()
    names[row] = "spurious"
    one = judge(dataclasses.replace(perfect, class_name=names), sky)
    assert not one.found[row]
    assert not one.claim[row]
    assert measures([one])["compact completeness > 5"] < 1.0


def test_a_lobe_called_spurious_still_breaks_its_galaxy(sky: Sky, perfect: Entries) -> None:
    row = _row(sky, "extended-multi-island")
    rows, columns = perfect.footprints[row]
    lobe = dataclasses.replace(
        perfect.take(np.array([row])),
        class_name=np.array(["spurious"]),
        x=columns[:1].astype(float),
        y=rows[:1].astype(float),
        footprints=[(rows[:9], columns[:9])],
    )
    both = _together(perfect, lobe)
    one = judge(both, sky)
    assert one.n_entries[row] == 2
    assert measures([one])["extended-multi-island as one entry"] < 1.0


def test_a_wrong_flux_density_is_no_match_of_a_compact_source_and_no_false_detection(
    sky: Sky, perfect: Entries
) -> None:
    row = int(np.flatnonzero((sky.truth["class"] == "compact") & (sky.truth["snr"] > 20))[0])
    flux = perfect.int_flux.copy()
    flux[row] *= 3
    one = judge(dataclasses.replace(perfect, int_flux=flux), sky)
    assert not one.found[row]
    assert not one.false[row]


def test_an_entry_over_two_sources_is_a_wrong_join(sky: Sky, perfect: Entries) -> None:
    first, second = np.flatnonzero((sky.truth["class"] == "compact") & (sky.truth["snr"] > 6))[:2]
    pixels = [
        np.concatenate(part) for part in zip(*(perfect.footprints[i] for i in (first, second)), strict=True)
    ]
    prints = list(perfect.footprints)
    prints[first] = (pixels[0], pixels[1])
    one = judge(dataclasses.replace(perfect, footprints=prints), sky)
    assert one.joined[first]
    assert not one.joined_right[first]


def test_an_artefact_taken_for_a_source_is_false_and_near_the_bright_one(sky: Sky, perfect: Entries) -> None:
    bright = np.flatnonzero((sky.truth["snr"] > 300) & (sky.truth["class"] != "spurious"))
    spurious = np.flatnonzero(sky.truth["class"] == "spurious")
    assert len(bright)
    assert len(spurious)
    distance = min(
        np.hypot(
            sky.truth["x"][row] - sky.truth["x"][bright], sky.truth["y"][row] - sky.truth["y"][bright]
        ).min()
        for row in spurious
    )
    names = perfect.class_name.copy()
    names[spurious] = "compact"
    found = measures([judge(dataclasses.replace(perfect, class_name=names), sky)])
    assert found["reliability"] < 1.0
    assert found["F1 spurious (B)"] == 0.0
    if distance < 25 * sky.map.beam_fwhm_pixels:
        assert found["false near bright, a field"] >= 1


def test_a_finder_that_is_cut_until_it_is_reliable_loses_what_lies_below(sky: Sky, perfect: Entries) -> None:
    empty = np.argwhere(sky.labels == 0)[::4001][:3].astype(float)
    noise = dataclasses.replace(
        perfect.take(np.arange(len(empty))),
        x=empty[:, 1],
        y=empty[:, 0],
        class_name=np.full(len(empty), "compact"),
        snr=np.full(len(empty), 8.0),
        footprints=[(np.zeros(0, dtype=int), np.zeros(0, dtype=int))] * len(empty),
    )
    name = "the same where reliability is 99.5 %"
    assert measures([judge(perfect, sky)])[name] == 1.0
    one = judge(_together(perfect, noise), sky)
    assert one.false.any()
    bright = (one.truth_class == "compact") & (one.truth_snr >= 5)
    share = float((one.truth_snr[bright] > 8).mean())
    assert measures([one])[name] == pytest.approx(share)


def test_rule_a_needs_masks_that_overlap_and_a_sure_class(sky: Sky, perfect: Entries) -> None:
    row = _row(sky, "extended")
    rows, columns = perfect.footprints[row]
    prints = list(perfect.footprints)
    prints[row] = (rows[: len(rows) // 2], columns[: len(rows) // 2])
    table = mask_confusion(dataclasses.replace(perfect, footprints=prints), sky)
    assert table[CLASSES.index("extended"), 5] == 1
    assert table[5, CLASSES.index("extended")] == 1
    unsure = perfect.probabilities.copy()
    unsure[row] = 0.6
    table = mask_confusion(dataclasses.replace(perfect, probabilities=unsure), sky)
    assert table[CLASSES.index("extended"), 5] == 1
    assert table[5].sum() == 0


def test_bootstrap_intervals_hold_the_figure(sky: Sky, perfect: Entries) -> None:
    half = perfect.take(np.arange(0, len(perfect), 2))
    found = bootstrap([judge(perfect, sky), judge(half, sky), judge(perfect, sky)], n_draws=30)
    one = found["compact completeness > 5"]
    assert one.low < one.value < one.high <= 1.0


def test_calibration_compares_what_is_said_with_what_came_true(sky: Sky, perfect: Entries, tmp_path) -> None:  # type: ignore[no-untyped-def]
    one = judge(perfect, sky)
    assert calibration([one])["all"].error == 0.0
    said = np.full_like(perfect.probabilities, 0.05)
    said[:, CLASSES.index("compact")] = 0.8
    found = calibration([judge(dataclasses.replace(perfect, probabilities=said), sky)])
    share = float((perfect.class_name == "compact").mean())
    assert found["compact"].error == pytest.approx(abs(0.8 - share))
    assert sum(found["compact"].n) == len(perfect)
    assert plot_calibration(found, tmp_path / "c.png").read_bytes()[:4] == b"\x89PNG"


def test_catalogues_without_flux_snr_or_probabilities_are_read(sky: Sky) -> None:
    entries = read_entries(Table({"ra": sky.truth["ra"], "dec": sky.truth["dec"]}), sky)
    assert np.isnan(entries.int_flux).all()
    assert (entries.snr == 5).all()
    assert np.isnan(entries.probabilities).all()
    assert calibration([judge(entries, sky)])["all"].n == (0,) * 10


def _together(one: Entries, other: Entries) -> Entries:
    names = [field.name for field in dataclasses.fields(Entries) if field.name != "footprints"]
    return Entries(
        **{name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in names},
        footprints=one.footprints + other.footprints,
    )


def test_what_noise_alone_leaves_is_what_drawing_it_gives() -> None:
    rng = np.random.default_rng(1)
    snr = 5 * (1 - rng.random(4000)) ** (-1 / 0.8)
    none = np.zeros(0)
    field = Judgement(
        truth_class=np.full(len(snr), "compact"),
        truth_snr=snr,
        found=np.ones(len(snr), dtype=bool),
        n_entries=np.ones(len(snr), dtype=np.int64),
        **{name: np.ones(len(snr)) for name in ("found_snr", "flux_ratio", "offset_x", "offset_y")},
        entry_class=np.zeros(0, dtype="U24"),
        entry_snr=none,
        **{
            name: none.astype(bool)
            for name in ("claim", "false", "fragment", "near_bright", "joined", "joined_right")
        },
        entry_truth=none.astype(np.int64),
        probabilities=np.zeros((0, 5)),
    )
    told = measures([field])
    drawn = rng.normal(size=(200, len(snr)))
    assert told["compact completeness > 5, noise alone"] == pytest.approx((snr + drawn > 5).mean(), abs=2e-3)
    errors = (drawn / snr)[:, snr >= 10]
    assert told["flux scatter, noise alone"] == pytest.approx(1.4826 * np.median(np.abs(errors)), rel=0.01)
    assert told["flux median deviation, noise alone"] == pytest.approx(np.median(np.abs(errors)), rel=0.01)
    assert math.isnan(measures([dataclasses.replace(field, truth_snr=snr * 0)])["flux scatter, noise alone"])
