"""Whether a class given with 80 % is right four times in five."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from helikon.space.classes import CLASSES, called
from helikon.space.evaluation.judge import Judgement
from helikon.space.whole import whole_files

__all__ = ["Calibration", "calibration", "plot_calibration"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How probabilities compare with what came true.

    Attributes
    ----------
    name : str
        Class, or ``all`` for the class that each entry was given.
    said, came_true : tuple of float
        Mean probability, and share of entries that are of the class, in bins
        of a tenth; NaN in empty ones.
    n : tuple of int
        Entries in each bin.
    error : float
        Expected calibration error (Naeini et al. 2015, AAAI): mean of
        ``|said - came_true|`` weighted by ``n``.
    """

    name: str
    said: tuple[float, ...]
    came_true: tuple[float, ...]
    n: tuple[int, ...]
    error: float


def calibration(fields: Sequence[Judgement], *, n_bins: int = 10) -> dict[str, Calibration]:
    """Compare class probabilities with the truth.

    Parameters
    ----------
    fields : sequence of Judgement
        Entries on no true source count as truly spurious; second entries on
        one source, and entries without probabilities, are left out.
    n_bins : int

    Returns
    -------
    dict
        For each class, and ``all``.
    """
    parts = [_pairs(one) for one in fields]
    said = np.concatenate([part[0] for part in parts])
    truth = np.concatenate([part[1] for part in parts])
    index, probability = called(said)
    found = {name: _bins(name, said[:, i], truth == i, n_bins) for i, name in enumerate(CLASSES)}
    return found | {"all": _bins("all", probability, truth == index, n_bins)}


def _pairs(one: Judgement) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    index = {name: i for i, name in enumerate(CLASSES)}
    spurious = index["spurious"]
    truth = np.array(
        [index[str(one.truth_class[row])] if row >= 0 else spurious for row in one.entry_truth],
        dtype=np.int64,
    )
    used = np.isfinite(one.probabilities).all(axis=1) & ~(one.fragment & (one.entry_truth < 0))
    return one.probabilities[used], truth[used]


def _bins(name: str, said: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], n_bins: int) -> Calibration:
    place = np.clip((said * n_bins).astype(int), 0, n_bins - 1)
    n = np.bincount(place, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, said, n_bins) / n
        share = np.bincount(place, right.astype(float), n_bins) / n
    error = float(np.nansum(n * np.abs(mean - share)) / n.sum()) if n.sum() else float("nan")
    return Calibration(
        name=name,
        said=tuple(mean.tolist()),
        came_true=tuple(share.tolist()),
        n=tuple(n.tolist()),
        error=error,
    )


def plot_calibration(found: dict[str, Calibration], path: Path) -> Path:
    """Draw the reliability diagram, one line for each class, to a PNG that appears whole."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--")
    for name, one in found.items():
        shown = [i for i, n in enumerate(one.n) if n >= 5]
        label = f"{name} ({one.error:.3f})"
        axes.plot([one.said[i] for i in shown], [one.came_true[i] for i in shown], marker="o", label=label)
    axes.set(xlabel="probability given", ylabel="share that came true", xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(title="class (calibration error)", fontsize=8)
    with whole_files(path.parent, (path.name,)) as parts:
        figure.savefig(parts[path.name], format="png", dpi=120)
    return path
