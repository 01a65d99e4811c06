"""The finder finds, measures and says where its catalogue comes from."""

import dataclasses
import re
from functools import cache

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from scipy import ndimage

from helikon.errors import InputError
from helikon.space.association.judge import NetworkAlone
from helikon.space.background import Background
from helikon.space.catalogue import COLUMNS, source_counts
from helikon.space.classes import CLASSES, PROBABILITY_COLUMNS, Detection
from helikon.space.finder import FinderSettings, find_sources
from helikon.space.fits import Beam, RadioMap
from helikon.space.model import SourceModel, load_model

RMS = 1e-4
SIZE = 400
FWHM = 5.0
PIXEL = 2.0


def make_wcs(
    ctype: tuple[str, str] = ("RA---SIN", "DEC--SIN"), centre: tuple[float, float] = (150.0, -30.0)
) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = list(ctype), list(centre)
    wcs.wcs.cdelt, wcs.wcs.crpix = [-PIXEL / 3600, PIXEL / 3600], [SIZE / 2, SIZE / 2]
    return wcs


def noise(seed: int = 11) -> np.ndarray:
    white = np.random.default_rng(seed).normal(size=(SIZE, SIZE))
    smooth = ndimage.gaussian_filter(white, FWHM / 2.355 / np.sqrt(2), mode="wrap")
    return RMS * smooth / smooth.std()


def gaussian(
    x0: float, y0: float, peak: float, major: float = FWHM, minor: float = FWHM, angle: float = 0.0
) -> np.ndarray:
    """A Gaussian with its major axis at an angle from +x to +y, in degrees."""
    y, x = np.mgrid[:SIZE, :SIZE]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    u, v = (x - x0) * cos + (y - y0) * sin, -(x - x0) * sin + (y - y0) * cos
    return peak * np.exp(-4 * np.log(2) * ((u / major) ** 2 + (v / minor) ** 2))


def make_map(data: np.ndarray, wcs: WCS | None = None) -> RadioMap:
    beam = Beam(major_arcsec=FWHM * PIXEL, minor_arcsec=FWHM * PIXEL)
    return RadioMap(
        data=data.astype(np.float32), wcs=wcs or make_wcs(), beam=beam, pixel_arcsec=PIXEL, name="made-up"
    )


@cache
def grid() -> tuple[RadioMap, np.ndarray]:
    """Sixty-four point sources of 8 to 800 sigma on a loose grid, at fractions of pixels."""
    rng = np.random.default_rng(8)
    y, x = (axis.ravel() * 48.0 + 32 + rng.uniform(-4, 4, 64) for axis in np.mgrid[:8, :8])
    peak = RMS * 10 ** rng.uniform(0.9, 2.9, 64)
    data = noise() + sum(gaussian(*source) for source in zip(x, y, peak, strict=True))
    return make_map(data), np.column_stack([x, y, peak])


@cache
def found_on_grid():
    return find_sources(grid()[0], None)


def match(catalogue, x: float, y: float) -> int:
    distance = np.hypot(catalogue["x"].value - x, catalogue["y"].value - y)
    assert distance.min() < 2.5
    return int(np.argmin(distance))


def test_all_bright_point_sources_are_found_and_little_else() -> None:
    catalogue, (_, truth) = found_on_grid(), grid()
    rows = {match(catalogue, x, y) for x, y, _ in truth}
    assert len(rows) == 64
    assert len(catalogue) <= 65


def test_flux_densities_are_unbiased_and_their_errors_honest() -> None:
    catalogue, (_, truth) = found_on_grid(), grid()
    rows = catalogue[[match(catalogue, x, y) for x, y, _ in truth]]
    for column in ("peak_flux", "int_flux"):
        ratio = rows[column].value / truth[:, 2]
        assert np.median(ratio) == pytest.approx(1, abs=0.015)
        pull = (rows[column].value - truth[:, 2]) / rows[column + "_err"].value
        assert 0.7 < 1.4826 * np.median(np.abs(pull)) < 1.4
    assert np.median(rows["snr"] / (truth[:, 2] / RMS)) == pytest.approx(1, abs=0.06)


def test_positions_are_right_and_their_errors_honest() -> None:
    catalogue, (radio_map, truth) = found_on_grid(), grid()
    rows = catalogue[[match(catalogue, x, y) for x, y, _ in truth]]
    true = radio_map.wcs.pixel_to_world(truth[:, 0], truth[:, 1]).icrs
    east, north = true.spherical_offsets_to(SkyCoord(rows["ra"], rows["dec"]))
    assert np.median(np.abs(east.arcsec)) < 0.3
    for offset, column in ((east, "ra_err"), (north, "dec_err")):
        pull = offset.arcsec / rows[column].to_value("arcsec")
        assert 0.7 < 1.4826 * np.median(np.abs(pull)) < 1.4


def test_point_sources_have_the_beam_and_no_deconvolved_size() -> None:
    catalogue = found_on_grid()
    assert np.median(catalogue["major"].to_value("arcsec")) == pytest.approx(FWHM * PIXEL, rel=0.01)
    assert np.mean(catalogue["deconv_major"].value == 0) > 0.9
    assert set(catalogue["class"]) == {"compact"}
    assert set(catalogue["n_islands"]) == {1}


def test_a_resolved_source_has_its_size_angle_and_flux() -> None:
    angle = 25.0
    data = noise() + gaussian(200.3, 180.6, 300 * RMS, major=9, minor=6, angle=angle)
    row = find_sources(make_map(data), None)[0]
    assert row["major"].value == pytest.approx(9 * PIXEL, rel=0.03)
    assert row["minor"].value == pytest.approx(6 * PIXEL, rel=0.03)
    assert row["pa"].value == pytest.approx(90 + angle, abs=3)
    assert row["deconv_major"].value == pytest.approx(np.sqrt(9**2 - FWHM**2) * PIXEL, rel=0.04)
    assert row["int_flux"].value == pytest.approx(300 * RMS * 54 / 25, rel=0.04)


def test_a_disc_has_the_flux_beyond_its_gaussian_and_a_point_keeps_its_own() -> None:
    """A Gaussian fitted to the middle of an exponential disc misses a seventh of it."""
    y, x = np.mgrid[:SIZE, :SIZE]
    peaks = [(90, 100), (300, 110), (100, 290), (290, 300)]
    discs = sum(np.exp(-np.hypot(x - a, y - b) / 2.2) for a, b in peaks)
    blurred = ndimage.gaussian_filter(discs, FWHM / 2.355)
    scale = 60 * RMS / blurred.max()
    flux = scale * blurred.sum() / len(peaks) / (1.1331 * FWHM**2)
    data = noise() + scale * blurred + gaussian(200.4, 200.2, 60 * RMS)
    catalogue = find_sources(make_map(data), None)
    assert len(catalogue) == 5
    is_point = np.hypot(catalogue["x"].value - 200.4, catalogue["y"].value - 200.2) < 1
    fluxes, errors = catalogue["int_flux"].value, catalogue["int_flux_err"].value
    assert fluxes[is_point] == pytest.approx(60 * RMS, rel=0.05)
    assert np.mean(fluxes[~is_point]) == pytest.approx(flux, rel=0.05)
    assert np.abs((fluxes[~is_point] - flux) / errors[~is_point]).max() < 3


def test_an_extended_source_has_its_flux() -> None:
    data = noise() + gaussian(200, 200, 60 * RMS, major=50, minor=30, angle=60)
    row = find_sources(make_map(data), None)[0]
    assert row["class"] == "extended"
    assert row["int_flux"].value == pytest.approx(60 * RMS * 1500 / 25, rel=0.15)
    assert row["las"].to_value("arcsec") > 50 * PIXEL


def test_an_extended_source_that_is_faint_has_the_flux_of_its_wings() -> None:
    places = [(100, 100), (300, 100), (100, 300), (300, 300)]
    data = noise() + sum(gaussian(x, y, 12 * RMS, major=40, minor=25, angle=x) for x, y in places)
    catalogue = find_sources(make_map(data), None)
    rows = [int(np.argmin(np.hypot(catalogue["x"].value - x, catalogue["y"].value - y))) for x, y in places]
    ratio = catalogue["int_flux"].value[rows] / (12 * RMS * 1000 / 25)
    assert np.mean(ratio) == pytest.approx(0.88, abs=0.03)  # 0.82 with half a beam around the pixels


def test_touching_sources_are_measured_apart_and_flagged() -> None:
    data = noise() + gaussian(200, 200, 80 * RMS) + gaussian(207, 200, 50 * RMS)
    catalogue = find_sources(make_map(data), None)
    assert len(catalogue) == 2
    assert catalogue["int_flux"].value == pytest.approx([80 * RMS, 50 * RMS], rel=0.06)
    assert set(catalogue["flags"]) == {"blended"}


def test_a_source_at_the_border_or_beside_a_blank_is_flagged() -> None:
    data = noise() + gaussian(2, 200, 80 * RMS) + gaussian(200, 200, 80 * RMS) + gaussian(300, 300, 80 * RMS)
    data[290:310, 303:] = np.nan
    catalogue = find_sources(make_map(data), None)
    flags = {round(float(row["x"].value), -1): row["flags"] for row in catalogue}
    assert flags == {0.0: "edge", 200.0: "", 300.0: "edge"}


@pytest.mark.parametrize("factor", [1e-12, 1e-5, 1e12])
def test_the_unit_of_the_map_makes_no_difference(factor: float) -> None:
    data = noise() + gaussian(200, 200, 80 * RMS) + gaussian(207, 200, 50 * RMS) + gaussian(100, 300, 8 * RMS)
    data += gaussian(300, 100, 60 * RMS, major=20, minor=12, angle=30)
    before, after = (find_sources(make_map(values), None) for values in (data, factor * data))
    assert len(before) == len(after) >= 4
    assert list(before["flags"]) == list(after["flags"])
    for name in ("int_flux", "int_flux_err", "peak_flux", "peak_flux_err"):
        assert after[name].value == pytest.approx(factor * before[name].value, rel=1e-3)
    for name in ("x", "y", "ra_err", "dec_err", "major", "major_err", "pa_err"):
        assert after[name].value == pytest.approx(before[name].value, rel=1e-3)


def half_seen(beyond: float, snr: float) -> np.ndarray:
    """A source whose peak is so many pixels off the map, and one so many behind a blank."""
    data = noise() + gaussian(200, -beyond, snr * RMS) + gaussian(100, 99 + beyond, snr * RMS)
    data[100:140] = np.nan
    return data


@pytest.mark.parametrize(("beyond", "snr"), [(0.8, 15), (2, 15), (3, 100), (4, 400)])
def test_a_source_whose_peak_is_off_the_map_is_measured_as_well_as_its_error_says(
    beyond: float, snr: int
) -> None:
    catalogue = find_sources(make_map(half_seen(beyond, snr)), None)
    assert list(catalogue["flags"]) == ["edge", "edge"]
    assert np.sort(catalogue["y"].value) == pytest.approx([-beyond, 99 + beyond], abs=0.3)
    away = (catalogue["int_flux"].value - snr * RMS) / catalogue["int_flux_err"].value
    assert np.abs(away).max() < 3
    assert (catalogue["peak_flux_err"] < 0.3 * catalogue["peak_flux"]).all()


@pytest.mark.parametrize(("beyond", "snr"), [(3, 15), (3.5, 40), (5, 400)])
def test_where_the_map_does_not_tell_the_peak_a_source_has_what_the_map_holds(
    beyond: float, snr: int
) -> None:
    data = half_seen(beyond, snr)
    catalogue = find_sources(make_map(data), None)
    assert len(catalogue) >= 1
    for row in catalogue:
        assert np.isfinite(data[round(row["y"].value), round(row["x"].value)])
        assert "edge" in row["flags"].split()
        assert row["peak_flux"].value / row["local_rms"].value == pytest.approx(row["snr"], rel=0.2)
        assert row["int_flux"].value < 0.3 * snr * RMS


def test_two_points_a_beam_apart_are_two_sources_and_closer_ones_one_that_is_flagged() -> None:
    bright, alone = gaussian(200, 200, 200 * RMS), gaussian(300, 200, 80 * RMS)
    for apart, components, flags in (
        (5.0, [1, 1, 1], ["", "blended", "blended"]),
        (3.0, [1, 2], ["", "blended"]),
    ):
        data = noise() + bright + gaussian(200, 200 + apart, 80 * RMS) + alone
        catalogue = find_sources(make_map(data), load_model())
        assert set(catalogue["class"]) == {"compact"}
        assert sorted(zip(catalogue["n_components"].tolist(), catalogue["flags"], strict=True)) == list(
            zip(components, flags, strict=True)
        )
        both = catalogue["int_flux"].value[catalogue["x"].value < 250].sum()
        assert both == pytest.approx(280 * RMS, rel=0.04)


@pytest.mark.parametrize(
    ("ctype", "centre"),
    [(("GLON-TAN", "GLAT-TAN"), (344.0, -1.0)), (("RA---NCP", "DEC--NCP"), (255.0, -43.0))],
)
def test_other_frames_and_projections_give_icrs(ctype: tuple[str, str], centre: tuple[float, float]) -> None:
    wcs = make_wcs(ctype, centre)
    data = noise() + gaussian(250, 120, 500 * RMS, major=12, minor=6, angle=90)
    row = find_sources(make_map(data, wcs), None)[0]
    true = wcs.pixel_to_world(250, 120).icrs
    above = wcs.pixel_to_world(250, 121).icrs
    assert true.separation(SkyCoord(row["ra"], row["dec"])).arcsec < 0.2
    angle = true.position_angle(above).deg % 180
    assert abs((row["pa"].value - angle + 90) % 180 - 90) < 2


def test_a_map_without_sources_gives_an_empty_catalogue_with_all_columns() -> None:
    catalogue = find_sources(make_map(noise()), None, FinderSettings(seed_sigma=7))
    assert len(catalogue) == 0
    assert catalogue.colnames == [info.name for info in COLUMNS]
    assert set(source_counts(catalogue).values()) == {0}


def test_every_column_has_its_unit_and_description() -> None:
    catalogue = found_on_grid()
    for info in COLUMNS:
        assert catalogue[info.name].unit == info.unit
        assert catalogue[info.name].info.description == info.description


def test_the_catalogue_says_what_it_is_made_of() -> None:
    meta = found_on_grid().meta
    assert meta["map"] == "made-up"
    assert meta["seed_sigma"] == 5.0
    assert meta["beam_major_arcsec"] == 10.0


def test_names_are_iau_names_and_differ() -> None:
    names = [str(name) for name in found_on_grid()["name"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"HLK J\d{6}\.\d-\d{6}", name) for name in names)


def test_a_background_that_is_given_is_used() -> None:
    radio_map = grid()[0]
    high = Background(
        level=np.zeros((SIZE, SIZE), dtype=np.float32), rms=np.full((SIZE, SIZE), 10 * RMS, dtype=np.float32)
    )
    assert len(find_sources(radio_map, None, background=high)) < len(found_on_grid())


def test_thresholds_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="0 < flood <= seed"):
        FinderSettings(seed_sigma=3, flood_sigma=4)


def test_progress_is_told() -> None:
    steps: list[str] = []
    find_sources(grid()[0], None, progress=lambda step, n_done, n_total: steps.append(step))
    assert steps == ["background", "islands", "measures"]


@dataclasses.dataclass
class Says:
    """A model that says what it is told: one detection, and one class for every box."""

    detection: Detection | None
    boxes_are: str = "compact"
    sha256: str = "abc"
    judge: NetworkAlone = dataclasses.field(default_factory=NetworkAlone)

    def look(self, snr: np.ndarray) -> "Sight":
        return Sight(self, snr)

    def predict(self, snr: np.ndarray) -> list[Detection]:
        return [] if self.detection is None else [self.detection]

    def classify(self, snr: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes <= max(snr.shape)).all()
        probabilities = np.full((len(boxes), 6), 0.02, dtype=np.float32)
        probabilities[:, 1 + CLASSES.index(self.boxes_are)] = 0.9
        return probabilities


@dataclasses.dataclass
class Sight:
    """What such a model says of one tile."""

    model: Says
    snr: np.ndarray

    def detect(self, *, least_extended: float = 0.0) -> list[Detection]:
        found = self.model.predict(self.snr)
        return [one for one in found if sum(one.probabilities[2:4]) >= least_extended]

    def classify(self, boxes: np.ndarray) -> np.ndarray:
        return self.model.classify(self.snr, boxes)


def detection(x0: int, y0: int, x1: int, y1: int, class_name: str) -> Detection:
    probabilities = [0.02] * 5
    probabilities[CLASSES.index(class_name)] = 0.9
    return Detection(
        box=(x0, y0, x1, y1),
        class_name=class_name,
        probability=0.9,
        probabilities=tuple(probabilities),
        mask=np.ones((y1 - y0, x1 - x0), dtype=bool),
        offset=(x0, y0),
    )


def as_model(says: Says) -> SourceModel:
    return says  # type: ignore[return-value]


def lobes() -> RadioMap:
    return make_map(
        noise() + gaussian(180, 200, 50 * RMS) + gaussian(220, 200, 60 * RMS) + gaussian(60, 60, 90 * RMS)
    )


def test_islands_under_one_mask_are_one_source_of_several_islands() -> None:
    model = as_model(Says(detection(170, 190, 232, 212, "extended-multi-island")))
    catalogue = find_sources(lobes(), model, FinderSettings(tile_pixels=512))
    assert len(catalogue) == 2
    galaxy = catalogue[catalogue["class"] == "extended-multi-island"][0]
    assert galaxy["n_islands"] == 2
    assert galaxy["int_flux"].value == pytest.approx(110 * RMS, rel=0.1)
    assert 190 < galaxy["x"].value < 210
    assert str(galaxy["outline"]).startswith("Union ICRS (Polygon ")
    assert catalogue.meta["model_sha256"] == "abc"


def test_a_faint_island_counts_where_it_belongs_to_a_source_and_nowhere_else() -> None:
    quiet = make_map(
        noise() * 0.2
        + gaussian(180, 200, 9 * RMS)
        + gaussian(210, 200, 0.8 * RMS)
        + gaussian(60, 60, 0.9 * RMS)
    )
    alone = find_sources(quiet, as_model(Says(None)))
    assert sorted(np.rint(alone["x"].value)) == [180]
    joined = find_sources(quiet, as_model(Says(detection(170, 190, 222, 212, "extended-multi-island"))))
    assert joined["n_islands"].tolist() == [2]
    assert joined["int_flux"].value[0] == pytest.approx(9.8 * RMS, rel=0.1)


def test_a_mask_over_one_island_makes_it_extended_not_multi_island() -> None:
    model = as_model(Says(detection(50, 50, 70, 70, "extended-multi-island")))
    radio_map = make_map(
        noise() + gaussian(60, 60, 90 * RMS, major=9, minor=7) + gaussian(220, 200, 60 * RMS)
    )
    counts = source_counts(find_sources(radio_map, model))
    assert counts == dict.fromkeys(CLASSES, 0) | {"compact": 1, "extended": 1}


def test_islands_that_are_left_apart_may_be_parts_of_one_source_and_are_not_called_it() -> None:
    model = as_model(Says(detection(170, 190, 232, 212, "extended-multi-island")))
    apart = find_sources(lobes(), model, FinderSettings(tile_pixels=512, score_threshold=0.99))
    assert len(apart) == 3
    assert "extended-multi-island" not in apart["class"]
    lobe, other, third = (apart[match(apart, *at)] for at in ((180, 200), (220, 200), (60, 60)))
    assert lobe["prob_extended_multi_island"] == pytest.approx(0.15, abs=0.02)
    assert other["prob_extended_multi_island"] == pytest.approx(0.15, abs=0.02)
    assert third["prob_extended_multi_island"] == 0
    joined = find_sources(lobes(), model, FinderSettings(tile_pixels=512))
    assert joined[match(joined, 200, 200)]["prob_extended_multi_island"] > 0.5


@pytest.mark.parametrize(("threshold", "n_sources"), [(0.2, 1), (0.85, 1), (0.99, 2), (1.0, 2)])
def test_pieces_of_one_island_join_as_the_threshold_says_but_never_at_one(
    threshold: float, n_sources: int
) -> None:
    touching = make_map(noise() + gaussian(180, 200, 50 * RMS) + gaussian(190, 200, 60 * RMS))
    model = as_model(Says(detection(170, 190, 202, 212, "extended")))
    assert len(find_sources(touching, model, FinderSettings(score_threshold=threshold))) == n_sources


def test_what_is_far_larger_than_the_beam_is_not_compact_whatever_the_model_says() -> None:
    flat = make_map(noise() + gaussian(60, 60, 8 * RMS) + gaussian(220, 200, 8 * RMS, major=36, minor=24))
    catalogue = find_sources(flat, as_model(Says(None, "compact")))
    point, cloud = catalogue[match(catalogue, 60, 60)], catalogue[np.argmax(catalogue["n_pixels"])]
    assert cloud["n_pixels"] > 300
    assert (point["class"], cloud["class"]) == ("compact", "extended")
    assert cloud["prob_extended"] > 0.8
    assert cloud["prob_compact"] == 0


def test_a_streak_narrower_than_the_beam_is_no_compact_source_whatever_the_model_says() -> None:
    streak = gaussian(220, 200, 12 * RMS, major=22, minor=1.6)
    catalogue = find_sources(
        make_map(noise() + gaussian(60, 60, 12 * RMS) + streak), as_model(Says(None, "compact"))
    )
    point, spoke = (catalogue[match(catalogue, *at)] for at in ((60, 60), (220, 200)))
    assert (point["class"], spoke["class"]) == ("compact", "spurious")
    assert spoke["prob_compact"] == 0


def test_artefacts_stay_in_the_catalogue_as_spurious() -> None:
    catalogue = find_sources(lobes(), as_model(Says(None, "spurious")))
    assert source_counts(catalogue)["spurious"] == 3


def test_probabilities_sum_to_one_and_the_class_is_the_most_probable() -> None:
    catalogue = find_sources(lobes(), as_model(Says(detection(170, 190, 232, 212, "extended-multi-island"))))
    table = np.column_stack([catalogue[column] for column in PROBABILITY_COLUMNS])
    np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(catalogue["class_prob"], table.max(axis=1))


def test_small_tiles_find_what_one_tile_finds() -> None:
    """Every box is asked for once, at its place, whatever the tiles."""
    whole = find_sources(grid()[0], as_model(Says(None)), FinderSettings(tile_pixels=512))
    tiled = find_sources(grid()[0], as_model(Says(None)), FinderSettings(tile_pixels=128, overlap_pixels=48))
    assert whole["name"].tolist() == tiled["name"].tolist()
    np.testing.assert_allclose(whole["class_prob"], tiled["class_prob"])


@pytest.mark.parametrize("zoom", [0.5, 2.0])
def test_maps_of_other_sampling_are_brought_to_the_networks_scale(zoom: float) -> None:
    """A beam of 2.5 or 10 pixels: the network sees 5, and boxes and masks come back to their places."""
    seen: list[tuple[tuple[int, ...], np.ndarray]] = []

    class Looks(Says):
        def classify(self, snr: np.ndarray, boxes: np.ndarray) -> np.ndarray:
            seen.append((snr.shape, boxes))
            peaks = [snr[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1].max() for x0, y0, x1, y1 in boxes]
            assert min(peaks, default=99) > 15
            return super().classify(snr, boxes)

    n = int(SIZE * zoom)
    y, x = np.mgrid[:n, :n]
    fwhm = FWHM * zoom
    data = RMS * np.random.default_rng(0).normal(size=(n, n))
    data = ndimage.gaussian_filter(data, fwhm / 2.355 / np.sqrt(2))
    data *= RMS / data.std()
    for x0, y0 in ((100, 300), (300, 120)):
        data += 40 * RMS * np.exp(-4 * np.log(2) * ((x - x0 * zoom) ** 2 + (y - y0 * zoom) ** 2) / fwhm**2)
    wcs = make_wcs()
    radio_map = dataclasses.replace(make_map(data, wcs), pixel_arcsec=PIXEL / zoom)
    model = as_model(Looks(detection(85, 285, 116, 316, "extended")))
    catalogue = find_sources(radio_map, model, FinderSettings(tile_pixels=512, seed_sigma=8))
    assert seen[0][0] == (SIZE, SIZE)
    assert len(catalogue) == 2
    assert {round(float(row["x"].value / zoom), -1): str(row["class"]) for row in catalogue} == {
        100.0: "extended",
        300.0: "compact",
    }
