import pytest

from helikon.earth.grid import Grid, Window, make_grid
from helikon.errors import InputError

UTM17 = Grid(crs="EPSG:32617", transform=(30, 0, 600_000, 0, -30, 4_300_020), height=100, width=200)
UTM18 = Grid(crs="EPSG:32618", transform=(30, 0, 200_000, 0, -30, 4_300_020), height=100, width=200)


def test_the_first_scene_s_grid_is_the_default() -> None:
    assert make_grid(UTM17, []) == UTM17


def test_a_coarser_grid_covers_the_same_bounds() -> None:
    grid = make_grid(UTM17, [], resolution=70)
    assert (grid.height, grid.width) == (43, 86)
    assert grid.bounds[0] == UTM17.bounds[0]
    assert grid.bounds[3] == UTM17.bounds[3]
    assert grid.bounds[2] >= UTM17.bounds[2]


def test_a_grid_can_cover_all_scenes() -> None:
    east = UTM17.part(Window(row=50, col=150, height=100, width=200))
    grid = make_grid(UTM17, [east], bounds="union")
    assert (grid.height, grid.width) == (150, 350)
    assert grid.is_aligned(UTM17)


def test_scenes_of_two_crs_need_one_to_be_named() -> None:
    with pytest.raises(InputError, match=r"several CRS: got EPSG:32617, EPSG:32618.*--crs EPSG:32617"):
        make_grid(UTM17, [UTM18])
    assert make_grid(UTM17, [UTM18], crs="EPSG:4326").crs == "EPSG:4326"


def test_another_crs_keeps_about_as_many_pixels() -> None:
    grid = make_grid(UTM17, [], crs="EPSG:4326")
    assert 100 * 200 * 0.9 < grid.height * grid.width < 100 * 200 * 1.5


@pytest.mark.parametrize(
    "options", [{"resolution": 0.0}, {"crs": "EPSG:0"}, {"bounds": (5.0, 5.0, 4.0, 6.0)}, {"crs": "moon"}]
)
def test_what_makes_no_grid_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        make_grid(UTM17, [], **options)  # type: ignore[arg-type]


def test_a_window_is_a_grid_of_its_own() -> None:
    part = UTM17.part(Window(row=10, col=-2, height=5, width=6))
    assert part.transform == (30, 0, 600_000 - 60, 0, -30, 4_300_020 - 300)
    assert UTM17.shift_to(part) == (10, -2)


def test_windows_meet_where_they_overlap() -> None:
    one, other = Window(row=0, col=0, height=4, width=4), Window(row=2, col=3, height=4, width=4)
    assert one.meet(other) == Window(row=2, col=3, height=2, width=1)
    assert one.meet(Window(row=4, col=0, height=1, width=1)).is_empty
