import itertools

import pytest

from helikon.earth.chips import Chip, ChipPlan
from helikon.earth.grid import Grid, Window
from helikon.earth.plan import cut_units
from helikon.errors import InputError

GRID = Grid(crs="EPSG:32617", transform=(30, 0, 600_000, 0, -30, 4_300_020), height=2000, width=3000)


def splits(plan: ChipPlan) -> dict[Chip, str]:
    chips = [Chip(row, col) for row in range(plan.n_rows) for col in range(plan.n_cols)]
    return {chip: plan.split(chip) for chip in chips}


@pytest.mark.parametrize("overlap", [0, 20, 32, 50])
def test_chips_of_different_splits_never_touch(overlap: int) -> None:
    plan = ChipPlan(grid=GRID, size=64, overlap=overlap)
    found = splits(plan)
    kept = {chip: split for chip, split in found.items() if split != "guard"}
    assert {"train", "validation", "test"} == set(kept.values())
    reach = 64 // plan.stride + 1
    for chip, split in kept.items():
        for down, along in itertools.product(range(-reach, reach + 1), repeat=2):
            other = Chip(chip.row + down, chip.col + along)
            if other in kept and max(abs(down), abs(along)) * plan.stride <= 64:
                assert kept[other] == split


def test_shares_are_about_what_is_asked_for() -> None:
    plan = ChipPlan(grid=GRID, size=16, shares=(0.5, 0.2, 0.3), block=8)
    blocks = {plan.block_of(chip) for chip in splits(plan)}
    found = [plan.block_split(block) for block in blocks]
    assert abs(found.count("train") / len(found) - 0.5) < 0.1
    assert abs(found.count("test") / len(found) - 0.3) < 0.1


def test_a_place_has_the_same_split_in_another_scene() -> None:
    one = ChipPlan(grid=GRID, size=64)
    other = ChipPlan(grid=GRID.part(Window(row=640, col=320, height=1000, width=1000)), size=64)
    for chip in (Chip(0, 0), Chip(3, 7)):
        same = Chip(chip.row + 10, chip.col + 5)
        assert one.block_of(same) == other.block_of(chip)


def test_chips_cover_the_grid_and_the_last_reach_over_its_edge() -> None:
    plan = ChipPlan(grid=GRID, size=256, overlap=56)
    assert (plan.n_rows, plan.n_cols) == (10, 15)
    last = plan.window(Chip(plan.n_rows - 1, plan.n_cols - 1))
    assert last.row < GRID.height <= last.row + last.height
    assert last.col < GRID.width <= last.col + last.width


@pytest.mark.parametrize("overlap", [0, 10])
@pytest.mark.parametrize("seconds", [1e-6, 0.11, 0.4, 10])
def test_units_cover_every_chip_and_every_pixel_once(overlap: int, seconds: float) -> None:
    plan = ChipPlan(grid=GRID, size=64, overlap=overlap)
    units = cut_units(plan, seconds, 64 * 64 * 4)
    chips = [chip for unit in units for chip in unit.chips()]
    assert len(chips) == len(set(chips)) == plan.n_rows * plan.n_cols
    assert sum(unit.own(plan).height * unit.own(plan).width for unit in units) == GRID.height * GRID.width
    for unit in units:
        own, whole = unit.own(plan), unit.window(plan)
        assert own.meet(whole) == own
    assert max(len(unit.chips()) for unit in units) * seconds <= max(3.0, seconds)


@pytest.mark.parametrize(
    "wrong",
    [{"overlap": 64}, {"overlap": -1}, {"shares": (0.5, 0.5, 0.5)}, {"shares": (2, -1, 0)}, {"block": 0}],
)
def test_what_cannot_be_cut_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        ChipPlan(grid=GRID, size=64, **wrong)  # type: ignore[arg-type]
