"""Land cover from time series: labelled samples to a tuned and tested model for ``helikon earth predict``.

Samples near each other are alike, so whoever tests on a neighbour of what was
trained on measures memory. Here samples are held out and cross-validated by
cells of 0.02 degrees, about 2 km: nine pixels of MODIS at 250 m.
"""

import csv
import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from helikon.earth.models import Card, write_model
from helikon.errors import InputError

if TYPE_CHECKING:
    from optuna import Trial

__all__ = ["Samples", "cross_validate", "make_classifier", "read_samples", "suggest", "train"]

Float = npt.NDArray[np.float32]

_CELL_DEG = 0.02
_FOLDS = 5
_COLOURS = ("#b5d56a", "#1a7a3a", "#e8c15a", "#d06a3a", "#7a5ac8", "#4a90d9", "#8c8c8c", "#e377c2")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Labelled time series.

    Attributes
    ----------
    series : ndarray, shape (n, times)
    labels : ndarray of int, shape (n,)
        Numbers of the classes.
    classes : tuple of str
        In alphabetical order.
    cells : ndarray of str, shape (n,)
        The cell of 0.02 degrees that each lies in.
    """

    series: Float
    labels: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    cells: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def held_out(self) -> "tuple[Samples, Samples]":
        """Split by cells, about a fifth of each class for testing; always the same.

        Returns
        -------
        tuple of Samples
            For training and for testing; no cell is in both.
        """
        chosen, tested = next(self.folds(seed=0))
        return self._only(chosen), self._only(tested)

    def folds(self, *, seed: int) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Yield five pairs of samples to learn from and to be tested on, by cells, balanced by class."""
        from sklearn.model_selection import StratifiedGroupKFold

        splitter = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
        yield from splitter.split(self.series, self.labels, self.cells)

    def _only(self, chosen: npt.NDArray[np.intp]) -> "Samples":
        return dataclasses.replace(
            self, series=self.series[chosen], labels=self.labels[chosen], cells=self.cells[chosen]
        )


def read_samples(path: Path, prefix: str = "ndvi") -> Samples:
    """Read a CSV file with the columns ``lon``, ``lat``, ``label`` and ``ndvi0``, ``ndvi1``, ….

    Raises
    ------
    InputError
        If a column is missing or a value is no number.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        names = [name for name in rows[0] if name.removeprefix(prefix).isdigit()]
        names.sort(key=lambda name: int(name.removeprefix(prefix)))
        series = np.array([[float(row[name]) for name in names] for row in rows], dtype=np.float32)
        labels = [row["label"] for row in rows]
        cells = [_cell(float(row["lon"]), float(row["lat"])) for row in rows]
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InputError(
            f"samples {path} cannot be read",
            got=f"{type(error).__name__}: {error}",
            expected=f"CSV with lon, lat, label, {prefix}0, {prefix}1 and so on",
        ) from error
    classes = tuple(sorted(set(labels)))
    numbers = np.array([classes.index(label) for label in labels])
    return Samples(series=series, labels=numbers, classes=classes, cells=np.array(cells))


def _cell(lon: float, lat: float) -> str:
    return f"{math.floor(lon / _CELL_DEG)} {math.floor(lat / _CELL_DEG)}"


def suggest(trial: "Trial") -> dict[str, Any]:
    """Let a trial choose a classifier: a random forest, extremely random trees, or an SVM."""
    kind = trial.suggest_categorical("kind", ["forest", "extra-trees", "svm"])
    if kind == "svm":
        return {
            "kind": kind,
            "C": trial.suggest_float("C", 0.1, 1000, log=True),
            "gamma": trial.suggest_float("gamma", 1e-3, 1, log=True),
        }
    return {
        "kind": kind,
        "n_estimators": trial.suggest_int("n_estimators", 50, 400, step=50),
        "max_features": trial.suggest_float("max_features", 0.1, 1.0),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 10),
    }


def make_classifier(parameters: Mapping[str, Any], seed: int = 0) -> Any:
    """Return a scikit-learn classifier of what :func:`suggest` chose."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
    from sklearn.svm import SVC

    options = {name: value for name, value in parameters.items() if name != "kind"}
    if parameters["kind"] == "svm":
        return SVC(**options, random_state=seed)
    kinds = {"forest": RandomForestClassifier, "extra-trees": ExtraTreesClassifier}
    return kinds[parameters["kind"]](**options, random_state=seed, n_jobs=1)


def cross_validate(samples: Samples, parameters: Mapping[str, Any], *, seed: int = 1) -> float:
    """Return the accuracy over five folds of whole cells; each sample is tested once.

    Parameters
    ----------
    samples : Samples
    parameters : Mapping
        See :func:`suggest`.
    seed : int
        Of the classifier and of the folds.
    """
    right = 0
    for chosen, tested in samples.folds(seed=seed):
        mean, std = _moments(samples.series[chosen])
        model = make_classifier(parameters, seed)
        model.fit((samples.series[chosen] - mean) / std, samples.labels[chosen])
        right += int((model.predict((samples.series[tested] - mean) / std) == samples.labels[tested]).sum())
    return right / len(samples)


def train(
    samples: Samples,
    parameters: Mapping[str, Any],
    folder: Path,
    *,
    bands: Sequence[str] = ("ndvi",),
    prepare: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Train on most cells, test on the others, and write a model folder.

    Parameters
    ----------
    samples : Samples
    parameters : Mapping
        See :func:`suggest`.
    folder : Path
        For ``helikon model publish`` and ``helikon earth predict``.
    bands : sequence of str
        That the series are of.
    prepare : Mapping, optional
        Options of ``helikon earth prepare`` that make such series of scenes.
    seed : int

    Returns
    -------
    dict
        ``accuracy`` on the held-out cells with its 95 % interval (Wilson
        1927), ``recall`` of each class, ``confusion`` (rows are the truth).
    """
    from sklearn.metrics import confusion_matrix
    from skops.io import dumps

    train_part, test_part = samples.held_out()
    mean, std = _moments(train_part.series)
    model = make_classifier(parameters, seed)
    model.fit((train_part.series - mean) / std, train_part.labels)
    said = model.predict((test_part.series - mean) / std)
    confusion = confusion_matrix(test_part.labels, said, labels=range(len(samples.classes)))
    report = _report(samples.classes, confusion, n_train=len(train_part))
    card = Card(
        kind="pixels",
        bands=tuple(bands),
        n_times=samples.series.shape[1] // len(bands),
        classes=samples.classes,
        colours=dict(zip(samples.classes, _COLOURS, strict=False)),
        gaps="interpolate",
        prepare=dict(prepare or {}),
    )
    known = {"parameters": dict(parameters), "seed": seed, "test": report}
    write_model(folder, ("model.skops", dumps(model)), card, mean=mean, std=std, known=known)
    return report


def _moments(series: Float) -> tuple[Float, Float]:
    std = series.std(axis=0)
    return series.mean(axis=0), np.where(std > 0, std, np.float32(1))


def _report(classes: Sequence[str], confusion: npt.NDArray[Any], *, n_train: int) -> dict[str, Any]:
    n, right = int(confusion.sum()), int(np.trace(confusion))
    recall = {
        name: float(confusion[i, i] / total) if (total := confusion[i].sum()) else None
        for i, name in enumerate(classes)
    }
    return {
        "accuracy": right / n,
        "interval_95": _wilson(right, n),
        "n_train": n_train,
        "n_test": n,
        "recall": recall,
        "confusion": confusion.tolist(),
    }


def _wilson(right: int, n: int, z: float = 1.959964) -> list[float]:
    """Return the 95 % interval of a share, Wilson 1927 (J. Am. Stat. Assoc. 22, 209)."""
    share, middle = right / n, 1 + z**2 / n
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return [(share + z**2 / (2 * n) - half) / middle, (share + z**2 / (2 * n) + half) / middle]
