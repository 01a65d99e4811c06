"""How pairs become sources."""

import itertools

import numpy as np

from helikon.space.association.clusters import cluster, links_elsewhere, weakest_link


def groups(n: int, pairs: dict[tuple[int, int], float], threshold: float = 0.5) -> list[list[int]]:
    one, other = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    found = cluster(np.arange(n), one, other, np.array(list(pairs.values())), np.full(len(pairs), threshold))
    return [group.tolist() for group in found]


def test_pairs_above_the_threshold_are_one_source() -> None:
    assert groups(4, {(0, 1): 0.9, (1, 2): 0.2, (2, 3): 0.6}) == [[0, 1], [2, 3]]
    assert groups(4, {(0, 1): 0.9, (1, 2): 0.2, (2, 3): 0.6}, threshold=0.7) == [[0, 1], [2], [3]]


def test_a_link_against_the_word_of_the_others_does_not_join() -> None:
    assert groups(3, {(0, 1): 0.95, (1, 2): 0.55, (0, 2): 0.01}) == [[0, 1], [2]]
    assert groups(3, {(0, 1): 0.95, (1, 2): 0.6}) == [[0, 1, 2]]


def test_groups_are_joined_by_all_the_pairs_between_them() -> None:
    lobes = {(0, 1): 0.9, (2, 3): 0.9}
    across = [(0, 2), (0, 3), (1, 2), (1, 3)]
    assert groups(4, lobes | dict(zip(across, [0.8, 0.4, 0.4, 0.5], strict=True))) == [[0, 1, 2, 3]]
    assert groups(4, lobes | dict(zip(across, [0.8, 0.4, 0.2, 0.2], strict=True))) == [[0, 1], [2, 3]]


def test_in_the_end_nothing_speaks_for_joining_more() -> None:
    rng = np.random.default_rng(5)
    n, threshold = 24, 0.33
    pairs = [pair for pair in itertools.combinations(range(n), 2) if rng.random() < 0.6]
    kinship = {pair: float(p) for pair, p in zip(pairs, rng.beta(0.4, 1.2, len(pairs)), strict=True)}
    found = groups(n, kinship, threshold)
    assert sorted(itertools.chain(*found)) == list(range(n))
    assert 1 < len(found) < n

    def speaks(first: list[int], second: list[int]) -> float:
        between = (kinship.get((min(i, j), max(i, j)), threshold) for i in first for j in second)
        return sum(float(np.log(p / (1 - p) * (1 - threshold) / threshold)) for p in between)

    assert max(speaks(a, b) for a, b in itertools.combinations(found, 2)) <= 1e-9


def test_certainties_and_extreme_thresholds_are_numbers() -> None:
    assert groups(3, {(0, 1): 1.0, (1, 2): 0.0}) == [[0, 1], [2]]
    assert groups(2, {(0, 1): 0.5}, threshold=0.0) == [[0, 1]]
    assert groups(2, {(0, 1): 0.5}, threshold=1.0) == [[0], [1]]


def test_no_pairs_are_as_many_sources_as_pieces() -> None:
    assert groups(2, {}) == [[0], [1]]


def test_a_source_is_as_sure_as_the_weakest_link_between_its_islands() -> None:
    island = np.array([1, 1, 2, 3], dtype=np.int32)
    one, other = np.array([0, 1, 0, 2]), np.array([1, 2, 2, 3])
    kinship = np.array([0.3, 0.7, 0.9, 0.6])
    assert weakest_link(np.array([0, 1, 2, 3]), island, one, other, kinship) == 0.6
    assert weakest_link(np.array([0, 1, 2]), island, one, other, kinship) == 0.9
    assert weakest_link(np.array([0, 1]), island, one, other, kinship) == 1.0


def test_each_pair_has_a_threshold_of_its_own() -> None:
    one, other, kinship = np.array([0, 2]), np.array([1, 3]), np.array([0.3, 0.3])
    found = cluster(np.arange(4), one, other, kinship, np.array([0.2, 0.4]))
    assert [group.tolist() for group in found] == [[0, 1], [2], [3]]


def test_links_elsewhere_are_the_surest_to_another_island_outside_the_group() -> None:
    island = np.array([1, 1, 2, 3, 4], dtype=np.int32)
    pairs = {(0, 1): 0.9, (0, 2): 0.8, (1, 3): 0.15, (2, 3): 0.1, (3, 4): 0.05, (0, 4): 0.02}
    one, other = (np.array([pair[i] for pair in pairs]) for i in (0, 1))
    kinship = np.array(list(pairs.values()))
    some = [np.array([0, 2]), np.array([1]), np.array([4])]  # 3 is of none of them
    assert links_elsewhere(some, island, one, other, kinship).tolist() == [0.1, 0.15, 0.05]
    every = [*some, np.array([3])]
    assert links_elsewhere(every, island, one, other, kinship).tolist() == [0.1, 0.15, 0.05, 0.15]
    alone = [np.arange(5)]
    assert links_elsewhere(alone, island, one, other, kinship).tolist() == [0.0]
