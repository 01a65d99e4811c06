"""How wide a map's single sources usually are: what a faint one's size is taken to be.

The size of a faint source is hardly measured, and taking it for a point source
where its size is not sure loses what it has beyond a beam: in a deep and sharp
map, where most are a little wider, a tenth of its flux density; where smearing
or confusion widens all by some per cent, as much. A free fit loses nothing and
adds the noise of three more parameters. So the map is asked: areas of all its
sources, each with its error, are a normal distribution blurred by the errors,
and some that have nothing to do with it (galaxies, blends). A source's own
area and these two together say how wide it is to be expected.

References
----------
Efron & Morris (1975), JASA 70, 311: shrinkage towards what others have in common.
Bovy, Hogg & Roweis (2011), Ann. Appl. Stat. 5, 1657: the distribution behind noisy measures.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

__all__ = ["UsualArea"]

Double = npt.NDArray[np.float64]

N_BEFORE, SCATTER_BEFORE = 10.0, 0.03
"""Before a map is asked: as if so many sources had been seen, of a beam's area, scattered by this."""
ODD_MIDDLE, ODD_SCATTER = 0.5, 0.7
"""Middle and scatter of the logarithm of the area of what has nothing to do with the usual."""
ODD_BEFORE = 0.1
"""Share of the odd ones before a map is asked."""
WIDE_START = 0.1
"""First scatter about where most sources are."""
MOST_SCATTER = 0.3
"""What scatters more is many things, and not what is usual."""
TINY = np.finfo(float).tiny
N_STEPS = 100
TOLERANCE = 1e-4
N_DIGITS = 6
"""Of what is expected: last bits of sums hang on where arrays lie in memory, and change no catalogue so."""


@dataclasses.dataclass(frozen=True, slots=True)
class UsualArea:
    """Normal distribution of the logarithm of the area in beams.

    Attributes
    ----------
    middle, scatter : float
    odd_share : float
        Part of the sources that have nothing to do with it.
    """

    middle: float = 0.0
    scatter: float = SCATTER_BEFORE
    odd_share: float = ODD_BEFORE

    @classmethod
    def of(cls, log_area: Double, error: Double) -> "UsualArea":
        """Ask a map's sources, by expectation and maximisation.

        Once from the beam and once from where most sources are: if all of a
        map are surely wider than its header's beam, none seems usual from there.

        Parameters
        ----------
        log_area, error : ndarray, shape (n,)
            Logarithm of each one's area in beams, and its standard error.
        """
        known = np.isfinite(log_area) & np.isfinite(error) & (error > 0)
        area, variance = log_area[known], error[known] ** 2
        starts = [cls()]
        if len(area):
            starts.append(cls(_weighted_median(area, 1 / np.sqrt(variance + SCATTER_BEFORE**2)), WIDE_START))
        climbed = [_climb(start, area, variance) for start in starts]
        sharp = [one for one in climbed if one.scatter < MOST_SCATTER]
        return max(sharp or climbed[:1], key=lambda one: one._evidence(area, variance))

    def given(self, log_area: Double, error: Double) -> tuple[Double, Double]:
        """Return how wide sources are to be expected, and the standard error of that.

        Each is usual or odd, as probably as its own area says.

        Parameters
        ----------
        log_area, error : ndarray, shape (n,)
            What was measured; where it is not finite, nothing was.

        Returns
        -------
        log_area, error : ndarray, shape (n,)
        """
        known = np.isfinite(log_area) & np.isfinite(error)
        area, variance = np.where(known, log_area, 0.0), np.where(known, error, np.inf) ** 2
        near, odd = self._densities(area, np.where(known, variance, 0.0))
        share = np.where(known, near / np.maximum(near + odd, TINY), 1.0)
        usual, doubt = _posterior(area, variance, self.middle, self.scatter)
        other, other_doubt = _posterior(area, variance, ODD_MIDDLE, ODD_SCATTER)
        expected = share * usual + (1 - share) * other
        apart = share * (1 - share) * (usual - other) ** 2
        total = share * doubt**2 + (1 - share) * other_doubt**2 + apart
        return np.round(expected, N_DIGITS), np.sqrt(total)

    def _evidence(self, area: Double, variance: Double) -> float:
        """Return the logarithm of how probable a map's sources are, and what was believed before."""
        near, odd = self._densities(area, variance)
        believed = np.log(self.scatter) + (self.middle**2 + SCATTER_BEFORE**2) / (2 * self.scatter**2)
        shares = ODD_BEFORE * np.log(self.odd_share) + (1 - ODD_BEFORE) * np.log1p(-self.odd_share)
        return float(np.log(near + odd + TINY).sum() + N_BEFORE * (shares - believed))

    def _densities(self, area: Double, variance: Double) -> tuple[Double, Double]:
        """Return the densities of usual sources and of odd ones, as many as there are of each."""
        near = (1 - self.odd_share) * _density(area, self.middle, self.scatter**2 + variance)
        return near, self.odd_share * _density(area, ODD_MIDDLE, ODD_SCATTER**2 + variance)


def _climb(usual: UsualArea, area: Double, variance: Double) -> UsualArea:
    """Go to the most probable distribution that is uphill from one."""
    for _ in range(N_STEPS):
        near, odd = usual._densities(area, variance)
        share = near / np.maximum(near + odd, TINY)
        expected, doubt = _posterior(area, variance, usual.middle, usual.scatter)
        n = float(share.sum()) + N_BEFORE
        middle = float(np.sum(share * expected)) / n
        squares = float(np.sum(share * ((expected - middle) ** 2 + doubt**2)))
        before = N_BEFORE * (middle**2 + SCATTER_BEFORE**2)
        odd_share = (len(area) + N_BEFORE * ODD_BEFORE - float(share.sum())) / (len(area) + N_BEFORE)
        last, usual = usual, UsualArea(middle, np.sqrt((squares + before) / n), odd_share)
        if max(abs(usual.middle - last.middle), abs(usual.scatter - last.scatter)) < TOLERANCE:
            break
    return usual


def _posterior(area: Double, variance: Double, middle: float, scatter: float) -> tuple[Double, Double]:
    """Return mean and standard deviation of areas that are normally distributed, by their measures."""
    own = scatter**2 / (scatter**2 + variance)
    return middle + own * (area - middle), scatter * np.sqrt(1 - own)


def _weighted_median(values: Double, weights: Double) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _density(value: Double, middle: float, variance: Double) -> Double:
    return np.asarray(np.exp(-0.5 * (value - middle) ** 2 / variance) / np.sqrt(2 * np.pi * variance))
