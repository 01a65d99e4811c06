"""The model server of earth: series of a place's bands go in, what is there comes out."""

import os
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
from starlette.responses import JSONResponse

from helikon.earth.models import load_predictor
from helikon.earth.prediction import fill_gaps
from helikon.errors import InputError, UserError
from helikon.serving.fields import KnownFields
from helikon.spark.objects import Folder

__all__ = ["Classifier"]


class ClassifyFields(KnownFields):
    """What :meth:`Classifier.classify` is sent."""

    series: list[list[float | None]]


@bentoml.service(name="Classifier", workers=1)
class Classifier:
    """Classify, or measure, places by their bands over time.

    The model is the folder that ``HELIKON_MODEL_DIR`` names, of the kind
    ``pixels``. Threads, time limits and the token that callers need are set by
    ``helikon.serving``.
    """

    def __init__(self) -> None:
        folder = Path(os.environ["HELIKON_MODEL_DIR"]).absolute()
        self.card, self.predictor = load_predictor(Folder(url=str(folder)))
        if self.card.kind != "pixels":
            raise InputError("this service serves models of pixels", got=f"a model of {self.card.kind}")

    @bentoml.api(input_spec=ClassifyFields)  # type: ignore[untyped-decorator]
    def classify(self, context: bentoml.Context, *, series: list[list[float | None]]) -> dict[str, Any]:
        """Say what is at each place.

        Parameters
        ----------
        series : list of list of float
            For each place its bands at the first time, then at the second, and
            so on, as physical values; null where there is no data.

        Returns
        -------
        dict
            ``values``: the name of the class, or the measurement, of each
            place; null where too little is known of it.

        Notes
        -----
        Series that the model does not want are answered with status 400 and
        ``{"error": {"what", "got", "expected", "next"}}``, a field that there is
        not with BentoML's ``{"error", "detail"}``.
        """
        try:
            return {"values": self._said(series)}
        except UserError as error:
            context.response.status_code = 400
            refusal: Any = JSONResponse({"error": error.as_dict()}, status_code=400)
            return refusal  # type: ignore[no-any-return]

    def _said(self, series: list[list[float | None]]) -> list[Any]:
        width = len(self.card.bands) * self.card.n_times
        if any(len(row) != width for row in series):
            raise InputError(
                "a series has the wrong length",
                got=", ".join(sorted({str(len(row)) for row in series})),
                expected=f"{', '.join(self.card.bands)} at {self.card.n_times} times: {width} numbers",
            )
        features = np.array(series, dtype=np.float32).reshape(-1, width)
        if self.card.gaps == "interpolate" and self.card.n_times > 1:
            features = fill_gaps(features.T[:, :, None], self.card.n_times)[:, :, 0].T
        known = ~np.isnan(features).any(axis=1)
        answers: list[Any] = [None] * len(features)
        said = self.predictor(features[known]).tolist() if known.any() else []
        for place, value in zip(np.flatnonzero(known), said, strict=True):
            answers[place] = self.card.classes[value] if self.card.classes else value
        return answers
