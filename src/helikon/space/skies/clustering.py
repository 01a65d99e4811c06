"""Where compact sources stand: most anywhere, some near another source that they have nothing to do with."""

import math

import numpy as np
import numpy.typing as npt

from helikon.space.skies.render import Stamp

__all__ = ["draw_positions"]

_SEPARATION_BEAMS = (1.0, 10.0)
_RANK_SCATTER = 0.7

Array1D = npt.NDArray[np.float64]


def draw_positions(
    rng: np.random.Generator,
    flux: Array1D,
    *,
    n: int,
    beam_fwhm: float,
    pairs: float,
    beside: float,
    extended: list[tuple[str, Stamp]],
) -> tuple[Array1D, Array1D]:
    """Draw the places of compact sources.

    Parameters
    ----------
    rng : numpy.random.Generator
    flux : ndarray
        Of the sources; any unit.
    n : int
        Pixels along each side of the field.
    beam_fwhm : float
        Pixels.
    pairs : float
        Share of the sources that stand 1 to 10 beams from another one of
        roughly its own brightness: pairs and small groups that are no galaxy.
    beside : float
        Share that stand on or beside an extended source.
    extended : list of (str, Stamp)

    Returns
    -------
    (ndarray, ndarray)
        x and y in pixels.
    """
    x, y = rng.uniform(0, n - 1, (2, len(flux)))
    _pair_up(rng, x, y, flux, share=pairs, beam_fwhm=beam_fwhm)
    stamps = [stamp for _, stamp in extended if stamp.data.size]
    moved = np.flatnonzero(rng.random(len(flux)) < (beside if stamps else 0))
    for i in moved:
        stamp = stamps[int(rng.integers(len(stamps)))]
        height, width = stamp.data.shape
        x[i], y[i] = stamp.x0 + rng.uniform(0, width), stamp.y0 + rng.uniform(0, height)
    return np.clip(x, 0, n - 1.001), np.clip(y, 0, n - 1.001)


def _pair_up(
    rng: np.random.Generator, x: Array1D, y: Array1D, flux: Array1D, *, share: float, beam_fwhm: float
) -> None:
    """Move a share of the sources beside others of like rank in brightness, in place."""
    order = np.argsort(-flux, kind="stable")
    moving = rng.random(len(flux)) < share
    followers, hosts = order[moving[order]], order[~moving[order]]
    if not len(followers) or not len(hosts):
        return
    rank = np.arange(len(followers)) * len(hosts) / len(followers)
    wanted = (rank + rng.uniform(0, 4, len(rank))) * np.exp(rng.normal(0, _RANK_SCATTER, len(rank)))
    host = hosts[np.clip(wanted.astype(int), 0, len(hosts) - 1)]
    low, high = (math.log(beam_fwhm * beams) for beams in _SEPARATION_BEAMS)
    apart, angle = np.exp(rng.uniform(low, high, len(rank))), rng.uniform(0, 2 * math.pi, len(rank))
    x[followers], y[followers] = x[host] + apart * np.cos(angle), y[host] + apart * np.sin(angle)
