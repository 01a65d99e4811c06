"""A made-up Landsat scene as USGS delivers one, and the plain numpy way from it to chips."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.windows import Window

BANDS = {"green": "SR_B3", "red": "SR_B4", "nir": "SR_B5"}
QA = "QA_PIXEL"
HIDDEN = 0b11110  # dilated cloud, cirrus, cloud, cloud shadow (USGS LSDS-1619)
CLEAR, CLOUD, SHADOW = 21824, 22280, 23888
CHIP = 256
STRIP = 512
"""Rows that are worked on at a time: one row of chips at half the resolution."""


def make_scene(folder: Path, size: int, number: int = 0) -> Path:
    """Write three bands and QA_PIXEL, tiled and deflated, unless they are there; strip by strip."""
    product = f"LC08_L2SP_{number // 1000 + 1:03d}{number % 1000:03d}_20260611_20260618_02_T1"
    paths = {name: folder / f"{product}_{suffix}.TIF" for name, suffix in (BANDS | {"qa": QA}).items()}
    if all(path.exists() for path in paths.values()):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([size, number])
    profile = {
        "driver": "GTiff", "width": size, "height": size, "count": 1, "dtype": "uint16", "crs": "EPSG:32617",
        "transform": rasterio.Affine(30, 0, 300_000 + 30 * size * number, 0, -30, 4_500_000),
        "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "predictor": 2,
        "BIGTIFF": "IF_SAFER",
    }  # fmt: skip
    files = {name: rasterio.open(path.with_suffix(".part"), "w", **profile) for name, path in paths.items()}
    x = np.arange(size)[None, :]
    for start in range(0, size, STRIP):
        y = np.arange(start, min(start + STRIP, size))[:, None]
        window = Window(0, start, size, len(y))
        hills = np.sin(x / 170) * np.cos(y / 230) + 0.5 * np.sin((x + 2 * y) / 61)
        for level, (name, swing) in enumerate({"green": 400, "red": 700, "nir": 2500}.items()):
            noise = rng.normal(0, 60, (len(y), size))
            numbers = 9000 + 1500 * level + swing * hills + noise
            files[name].write(numbers.astype(np.uint16), 1, window=window)
        cloud = np.sin(x / 410 + 1) * np.sin(y / 370 + 2)
        words = np.where(cloud > 0.72, CLOUD, np.where(cloud < -0.78, SHADOW, CLEAR)).astype(np.uint16)
        files["qa"].write(words, 1, window=window)
    for name, path in paths.items():
        files[name].close()
        path.with_suffix(".part").rename(path)
    return folder


def paths_of(folder: Path) -> list[Path]:
    """Return the files of a scene: green, red, nir, quality."""
    return [next(folder.glob(f"*_{suffix}.TIF")) for suffix in (*BANDS.values(), QA)]


def calibrated(numbers: list[Any]) -> Any:
    """Bands and NDVI as reflectance, NaN where there is nothing; shape (4, height, width)."""
    *bands, words = numbers
    hidden = (words & (HIDDEN | 1)) != 0
    out = np.empty((4, *words.shape), dtype=np.float32)
    for number, band in enumerate(bands):
        out[number] = band.astype(np.float32) * np.float32(2.75e-5) + np.float32(-0.2)
        out[number][hidden | (band < 1)] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        out[3] = (out[2] - out[1]) / (out[2] + out[1])
    return out


def halved(pixels: Any) -> Any:
    """Mean of what there is in each two by two pixels."""
    total, number = np.float32(0), np.float32(0)
    for row in (0, 1):
        for column in (0, 1):
            part = pixels[:, row::2, column::2]
            there = ~np.isnan(part)
            total = total + np.where(there, part, np.float32(0))
            number = number + there.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(number > 0, total / number, np.float32(np.nan))


def chips_of(pixels: Any) -> Any:
    """Cut a strip into chips (n, 4, 256, 256), with NaN beyond its edges."""
    bands, height, width = pixels.shape
    n = -(-width // CHIP)
    whole = np.full((bands, CHIP, n * CHIP), np.nan, dtype=np.float32)
    whole[:, :height, :width] = pixels
    return np.ascontiguousarray(whole.reshape(bands, CHIP, n, CHIP).transpose(2, 0, 1, 3))


def work_strip(folder: str, out: str, start: int) -> int:
    """Read, mask, index, halve, cut and write one strip: what every rival's worker does."""
    numbers = []
    with rasterio.Env(GDAL_CACHEMAX=64):
        for path in paths_of(Path(folder)):
            with rasterio.open(path) as file:
                window = Window(0, start, file.width, min(STRIP, file.height - start))
                numbers.append(file.read(1, window=window))
    chips = chips_of(halved(calibrated(numbers)))
    np.savez(Path(out) / f"{start:06d}.npz", chips=chips)
    return len(chips)
