"""A model over prepared chips, as a map."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from tests.earth.scenes import landsat_product

from helikon.earth.engines import choose
from helikon.earth.landcover import make_classifier
from helikon.earth.models import Card, write_model
from helikon.earth.options import Options
from helikon.earth.predict import Mapped, predict
from helikon.earth.prediction import fill_gaps
from helikon.earth.prepare import prepare
from helikon.errors import AlreadyExists, InputError, NotFound
from helikon.settings import Settings

CLASSES = ("bare", "grass", "wood")


def chips(tmp_path: Path, settings: Settings, **options: Any) -> Path:
    product = landsat_product(tmp_path / "scenes")
    chosen = {"bands": ("red", "nir"), "chip": 64, "min_clear": 0.0} | options
    out = tmp_path / "chips"
    prepare([str(product)], str(out), Options(**chosen), settings, run=choose("local", settings, 1))
    return out


def sklearn_model(folder: Path) -> tuple[Path, Any]:
    from skops.io import dumps

    random = np.random.default_rng(0)
    known = random.uniform(0, 0.5, (300, 2)).astype(np.float32)
    labels = np.digitize(known[:, 1] - known[:, 0], [-0.05, 0.1])
    forest = {"kind": "forest", "n_estimators": 5, "max_features": 1.0, "min_samples_leaf": 2}
    model = make_classifier(forest).fit((known - 0.2) / 0.1, labels)
    card = Card(kind="pixels", bands=("red", "nir"), classes=CLASSES, colours={"wood": "#00ff00"})
    moments = {"mean": np.float32([0.2, 0.2]), "std": np.float32([0.1, 0.1])}
    return write_model(folder, ("model.skops", dumps(model)), card, known={}, **moments), model


def onnx_model(folder: Path) -> Path:
    """Two bands to their difference, over whole chips."""
    import onnx
    from onnx import TensorProto, helper

    size = ["n", 2, "h", "w"]
    made = helper.make_tensor("k", TensorProto.FLOAT, [1, 2, 1, 1], [-1.0, 1.0])
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "k"], ["y"])],
        "difference",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1, "h", "w"])],
        [made],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    card = Card(kind="chips", bands=("red", "nir"))
    moments = {"mean": np.zeros(2, np.float32), "std": np.ones(2, np.float32)}
    return write_model(folder, ("model.onnx", model.SerializeToString()), card, known={}, **moments)


def run(model: Path, source: Path, out: Path, settings: Settings) -> Mapped:
    return predict(model, str(source), str(out), settings, run=choose("local", settings, 1))


def pixels(source: Path) -> np.ndarray:
    with rasterio.open(source / "composite.tif") as file:
        return file.read()


@pytest.mark.parametrize(
    "options", [{}, {"overlap": 20}, {"normalise": "standard", "split": (1, 0, 0), "form": "zarr"}]
)
def test_a_class_map_is_what_the_model_says_of_each_pixel(
    options: dict[str, Any], tmp_path: Path, settings: Settings
) -> None:
    source = chips(tmp_path, settings, **options)
    folder, model = sklearn_model(tmp_path / "model")
    made = run(folder, source, tmp_path / "map", settings)
    red, nir = pixels(source)
    there = ~np.isnan(red) & ~np.isnan(nir)
    expected = np.zeros(red.shape, dtype=np.uint8)
    expected[there] = (
        model.predict((np.stack([red[there], nir[there]], 1) - np.float32(0.2)) / np.float32(0.1)) + 1
    )
    with rasterio.open(tmp_path / "map" / "map.tif") as file:
        found = file.read(1)
        assert file.nodata == 0
        assert file.colormap(1)[3] == (0, 255, 0, 255)
        assert file.descriptions == ("class",)
        with rasterio.open(source / "composite.tif") as image:
            assert (file.crs, file.transform) == (image.crs, image.transform)
    assert (found != expected).mean() < (1e-3 if options.get("normalise") else 1e-9)
    assert sum(made.counts.values()) == there.sum()
    assert len(set(found.ravel().tolist())) == 4


def test_a_measurement_by_an_onnx_network_is_a_float_image(tmp_path: Path, settings: Settings) -> None:
    source = chips(tmp_path, settings, overlap=16)
    run(onnx_model(tmp_path / "model"), source, tmp_path / "map", settings)
    red, nir = pixels(source)
    with rasterio.open(tmp_path / "map" / "map.tif") as file:
        np.testing.assert_allclose(file.read(1), nir - red, atol=1e-6)


def test_a_torch_network_is_read_without_running_code_of_its_own(tmp_path: Path, settings: Settings) -> None:
    import io

    import torch

    class Difference(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[:, 1:] - x[:, :1]

    program = torch.export.export(Difference(), (torch.zeros(1, 2, 64, 64),))
    content = io.BytesIO()
    torch.export.save(program, content)
    card = Card(kind="chips", bands=("red", "nir"))
    moments = {"mean": np.zeros(2, np.float32), "std": np.ones(2, np.float32)}
    write_model(tmp_path / "model", ("model.pt2", content.getvalue()), card, known={}, **moments)
    source = chips(tmp_path, settings)
    run(tmp_path / "model", source, tmp_path / "map", settings)
    red, nir = pixels(source)
    with rasterio.open(tmp_path / "map" / "map.tif") as file:
        np.testing.assert_allclose(file.read(1), nir - red, atol=1e-6)


def test_the_same_call_again_keeps_the_map_and_another_model_is_refused(
    tmp_path: Path, settings: Settings
) -> None:
    source, out = chips(tmp_path, settings), tmp_path / "map"
    folder, _ = sklearn_model(tmp_path / "model")
    first = run(folder, source, out, settings)
    again = run(folder, source, out, settings)
    assert (first.n_kept, again.n_kept) == (0, again.n_shards)
    assert again.counts == first.counts
    with pytest.raises(AlreadyExists, match="holds another map"):
        run(onnx_model(tmp_path / "other"), source, out, settings)


def test_chips_that_the_model_does_not_want_are_refused(tmp_path: Path, settings: Settings) -> None:
    source = chips(tmp_path, settings, bands=("red", "green"))
    folder, _ = sklearn_model(tmp_path / "model")
    with pytest.raises(
        InputError, match=r"not what the model wants: got red, green at 1 times, expected red, nir"
    ):
        run(folder, source, tmp_path / "map", settings)
    with pytest.raises(NotFound, match="holds no prepared chips"):
        run(folder, tmp_path, tmp_path / "map", settings)
    (folder / "model.skops").write_bytes(b"something else")
    good = chips(tmp_path / "2", settings)
    with pytest.raises(InputError, match="is not the file that its card names"):
        run(folder, good, tmp_path / "map", settings)


def test_a_model_that_could_run_code_is_not_read(tmp_path: Path, settings: Settings) -> None:
    from sklearn.preprocessing import FunctionTransformer
    from skops.io import dumps

    card = Card(kind="pixels", bands=("red", "nir"))
    moments = {"mean": np.zeros(2, np.float32), "std": np.ones(2, np.float32)}
    content = dumps(FunctionTransformer(func=sklearn_model))
    write_model(tmp_path / "model", ("model.skops", content), card, known={}, **moments)
    source = chips(tmp_path, settings)
    with pytest.raises(InputError, match="holds what cannot be trusted"):
        run(tmp_path / "model", source, tmp_path / "map", settings)


def test_gaps_in_time_are_filled_along_straight_lines() -> None:
    nan = np.nan
    series = np.array([[nan, 1], [2, nan], [nan, nan], [4, nan], [5, nan]], dtype=np.float32)[:, :, None]
    found = fill_gaps(series, 5)
    assert found[:, 0, 0].tolist() == [2, 2, 3, 4, 5]
    np.testing.assert_array_equal(found[:, 1], series[:, 1])


def test_somebody_elses_map_is_refused_and_untouched(tmp_path: Path, settings: Settings) -> None:
    source, out = chips(tmp_path, settings), tmp_path / "map"
    folder, _ = sklearn_model(tmp_path / "model")
    out.mkdir()
    (out / "map.tif").write_bytes(b"of last year")
    with pytest.raises(AlreadyExists, match="somebody else"):
        run(folder, source, out, settings)
    assert [path.name for path in out.iterdir()] == ["map.tif"]
    assert (out / "map.tif").read_bytes() == b"of last year"
