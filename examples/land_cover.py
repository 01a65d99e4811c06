"""Land cover from a year of NDVI: tune, train, test. The tutorial "A land-cover map" walks through it.

helikon tune examples/land_cover.py:accuracy --study land-cover --trials 40
python examples/land_cover.py samples.csv --study land-cover --out model

``accuracy`` reads the samples from the file that LAND_COVER_SAMPLES names.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from helikon.earth.landcover import cross_validate, read_samples, suggest, train
from helikon.settings import load
from helikon.spark.study import study_folder

PREPARE = {"bands": ["ndvi"], "mask": [], "chip": 64}
FOREST = {"kind": "forest", "n_estimators": 200, "max_features": 0.3, "min_samples_leaf": 1}


def accuracy(trial: Any) -> float:
    """Return the cross-validated accuracy of a trial's classifier; held-out cells are not looked at."""
    samples, _held_out = read_samples(Path(os.environ["LAND_COVER_SAMPLES"])).held_out()
    return cross_validate(samples, suggest(trial))


def best_parameters(study: str) -> dict[str, Any]:
    """Return the parameters of a study's best trial."""
    result = json.loads((study_folder(load(), study) / "result.json").read_text())
    parameters: dict[str, Any] = result["best"][0]["params"]
    return parameters


def main() -> None:
    """Train with the best parameters of a study, and print what the test says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path, help="CSV: lon, lat, label, ndvi0, ndvi1, …")
    parser.add_argument("--study", help="take the best parameters of this study")
    parser.add_argument("--out", type=Path, default=Path("model"), help="model folder")
    given = parser.parse_args()
    parameters = best_parameters(given.study) if given.study else FOREST
    report = train(read_samples(given.samples), parameters, given.out, prepare=PREPARE)
    print(json.dumps({"parameters": parameters, **report}, indent=1))


if __name__ == "__main__":
    main()
