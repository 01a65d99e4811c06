"""What is said of the pairs beside a pair."""

import itertools

import numpy as np
import pytest

from helikon.space.association.company import COMPANY_FEATURES, FAR, NONE, Company
from helikon.space.association.surroundings import PIECE_FEATURES, Shapes


def shapes(x: list[float], y: list[float], snr: list[float]) -> Shapes:
    n = len(x)
    features, axis = np.zeros((n, len(PIECE_FEATURES))), np.zeros((n, 2))
    return Shapes(features=features, x=np.array(x), y=np.array(y), snr=np.array(snr), axis=axis)


def told(company: Company, logits: list[float], row: int) -> dict[str, float]:
    (values,) = company.tell(np.array(logits), np.array([row]))
    return dict(zip(COMPANY_FEATURES, values.tolist(), strict=True))


ONE, OTHER = np.array([2, 2, 5, 5]), np.array([5, 7, 7, 8])
"""Lobes 2 and 7, core 5 between them, and 8 beside the core."""
PLACES = shapes([0, 0, 0, 0, 0, 10, 0, 20, 10], [0, 0, 0, 0, 0, 5, 0, 0, 25], [1, 1, 40, 1, 1, 10, 1, 20, 5])
ISLAND = np.array([0, 0, 1, 0, 0, 2, 0, 3, 2], dtype=np.int32)


def test_a_core_speaks_for_its_lobes() -> None:
    company = Company(ONE, OTHER, PLACES, ISLAND, 5.0)
    found = told(company, [2.0, 0.0, 3.0, -1.0], 1)
    assert found["third"] == 2.0
    assert found["third_along"] == 0.0
    assert found["third_across"] == pytest.approx(0.25)
    assert found["third_snr_least"] == pytest.approx(np.log(10 / 40))
    assert found["third_snr_most"] == pytest.approx(np.log(10 / 20))
    assert (found["kin_least"], found["kin_most"]) == (2.0, 3.0)
    assert (found["next_kin_least"], found["next_kin_most"]) == (NONE, NONE)
    assert found["kin_distance_most"] == pytest.approx(np.log(np.hypot(10, 5) / 20))
    assert found["kin_in_island"] == 0.0


def test_a_pair_without_others_has_no_company() -> None:
    company = Company(np.array([0]), np.array([1]), PLACES, ISLAND, 5.0)
    found = told(company, [1.0], 0)
    absent = {"third": NONE, "third_along": FAR, "third_across": FAR, "third_snr_least": -FAR, "torn": 0.0}
    assert {name: found[name] for name in absent} == absent
    assert found["kin_most"] == found["next_kin_most"] == NONE
    assert found["n_kin_most"] == pytest.approx(0.0)


def test_a_piece_of_the_same_island_counts() -> None:
    assert told(Company(ONE, OTHER, PLACES, ISLAND, 5.0), [0.0, 0.0, 0.0, 4.0], 0)["kin_in_island"] == 1.0


def test_no_pairs_and_no_doubt_are_no_rows() -> None:
    nothing = np.array([], dtype=np.int64)
    for company in (Company(ONE, OTHER, PLACES, ISLAND, 5.0), Company(nothing, nothing, PLACES, ISLAND, 5.0)):
        assert company.tell(np.zeros(4), nothing).shape == (0, len(COMPANY_FEATURES))


def test_many_pairs_are_told_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    n = 14
    pairs = np.array([p for p in itertools.combinations(range(n), 2) if rng.random() < 0.5])
    logits = rng.normal(0, 3, len(pairs))
    places = shapes(*(rng.uniform(0, 100, n).tolist() for _ in range(2)), rng.uniform(5, 50, n).tolist())
    company = Company(pairs[:, 0], pairs[:, 1], places, np.arange(n, dtype=np.int32), 5.0)
    known = {frozenset(p): float(np.clip(v, -6, 6)) for p, v in zip(pairs.tolist(), logits, strict=True)}
    table = company.tell(logits, np.arange(len(pairs)))

    def probability(a: int, b: int) -> float:
        return 1 / (1 + float(np.exp(-known[frozenset((a, b))])))

    for (a, b), row in zip(pairs.tolist(), table, strict=True):
        found = dict(zip(COMPANY_FEATURES, row.tolist(), strict=True))
        others = [
            sorted((known[p] for p in known if i in p and p != {a, b}), reverse=True) + 2 * [NONE]
            for i in (a, b)
        ]
        assert [found["kin_least"], found["kin_most"]] == sorted(kin[0] for kin in others)
        assert [found["next_kin_least"], found["next_kin_most"]] == sorted(kin[1] for kin in others)
        thirds = [k for k in range(n) if {frozenset((a, k)), frozenset((b, k))} <= known.keys()]
        both = [min(known[frozenset((a, k))], known[frozenset((b, k))]) for k in thirds]
        assert found["third"] == max(both, default=NONE)
        torn = [
            max(
                probability(a, k) * (1 - probability(b, k)),
                probability(b, k) * (1 - probability(a, k)),
            )
            for k in thirds
        ]
        assert found["torn"] == pytest.approx(max(torn, default=0.0))
        assert found["n_torn"] == pytest.approx(sum(torn))
        assert found["n_thirds"] == pytest.approx(sum(probability(a, k) * probability(b, k) for k in thirds))
        sums = sorted(
            sum(probability(i, k) for k in range(n) if k not in (a, b) and frozenset((i, k)) in known)
            for i in (a, b)
        )
        assert [found["n_kin_least"], found["n_kin_most"]] == pytest.approx(sums)
