"""From probabilities of pairs to sources: correlation clustering."""

import heapq

import numpy as np
import numpy.typing as npt
from scipy.special import logit

__all__ = ["cluster", "links_elsewhere", "weakest_link"]

Double = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

LEAST_PROBABILITY = 1e-6
"""No pair is surer than this, either way."""


def cluster(inside: Int, one: Int, other: Int, kinship: Double, thresholds: Double) -> list[Int]:
    """Join the two groups that most speaks for, again and again, until nothing speaks for more.

    What speaks for joining two groups is the sum, over the pairs between them,
    of the log odds that they are kin, over those of the thresholds: correlation
    clustering (Bansal, Blum & Chawla 2004, Machine Learning 56, 89) by greedy
    additive edge contraction (Keuper et al. 2015, ICCV, 1751).

    Parameters
    ----------
    inside : ndarray of int
        The pieces to group.
    one, other : ndarray of int
        Pieces of each pair.
    kinship : ndarray
        Probability that a pair is one source; those not given do not count.
    thresholds : ndarray
        Probability at which each pair speaks neither for nor against, above 0 and below 1.

    Returns
    -------
    list of ndarray of int
        Sorted by their first piece.
    """
    speaks = _log_odds(kinship) - _log_odds(thresholds)
    members = {int(piece): [int(piece)] for piece in inside}
    between: dict[int, dict[int, float]] = {piece: {} for piece in members}
    for a, b, value in zip(one.tolist(), other.tolist(), speaks.tolist(), strict=True):
        between[a][b] = between[b][a] = value
    best = [(-value, a, b) for a in between for b, value in between[a].items() if a < b and value > 0]
    heapq.heapify(best)
    while best:
        value, a, b = heapq.heappop(best)
        if a not in members or between[a].get(b) != -value:
            continue  # one of the two, or what is between them, has changed since
        members[a] += members.pop(b)
        for c, more in between.pop(b).items():
            if c == a:
                del between[a][b]
                continue
            del between[c][b]
            total = between[a].get(c, 0.0) + more
            between[a][c] = between[c][a] = total
            if total > 0:
                heapq.heappush(best, (-total, min(a, c), max(a, c)))
    return [np.array(sorted(group), dtype=np.int64) for group in sorted(members.values(), key=min)]


def _log_odds(probability: Double) -> Double:
    return np.asarray(logit(np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)))


def weakest_link(group: Int, island: npt.NDArray[np.int32], one: Int, other: Int, kinship: Double) -> float:
    """Return the least, over the islands of a source, of their best link to another island; 1 for one island.

    Parameters
    ----------
    group : ndarray of int
        Pieces of the source.
    island : ndarray of int32, shape (n_pieces,)
        Island of each piece.
    one, other : ndarray of int
        Pieces of each pair.
    kinship : ndarray
        Probability that a pair is one source.
    """
    islands = np.unique(island[group])
    if len(islands) < 2:
        return 1.0
    inside = np.isin(one, group) & np.isin(other, group) & (island[one] != island[other])
    best = [kinship[inside & ((island[one] == i) | (island[other] == i))].max(initial=0.0) for i in islands]
    return float(min(best))


def links_elsewhere(
    groups: list[Int], island: npt.NDArray[np.int32], one: Int, other: Int, kinship: Double
) -> Double:
    """Return the largest probability (n_groups,) that a piece is kin to one outside its group and island.

    Parameters
    ----------
    groups : list of ndarray of int
        Pieces of each; no piece is in two.
    island, one, other, kinship
        See :func:`weakest_link`.
    """
    group_of = np.full(len(island), -1)
    for number, group in enumerate(groups):
        group_of[group] = number
    apart = (island[one] != island[other]) & (group_of[one] != group_of[other])
    best = np.zeros(len(groups) + 1)  # the last is for pieces of no group
    for ends in (one[apart], other[apart]):
        np.maximum.at(best, group_of[ends], kinship[apart])
    return best[:-1]
