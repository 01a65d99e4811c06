"""Small made-up products with the real ones' names, numbers and quality bits."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.transform import from_origin

WEST, NORTH = 600_000.0, 4_300_020.0
UTM = "EPSG:32617"
SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"

CLEAR, FILL, CLOUD, SHADOW, SNOW, CIRRUS, DILATED, WATER = 21824, 1, 22280, 23888, 30048, 54596, 22018, 21952
"""Words of Landsat Collection 2 as they occur in QA_PIXEL."""

OLI_CODES = {"blue": 2, "green": 3, "red": 4, "nir": 5, "swir16": 6, "swir22": 7}


def write_tiff(
    path: Path,
    pixels: npt.NDArray[np.generic],
    *,
    west: float = WEST,
    north: float = NORTH,
    size: float = 30.0,
    crs: str = UTM,
    nodata: float | None = None,
    tiled: bool = True,
) -> Path:
    """Write a GeoTIFF of one band."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tiles = {"tiled": True, "blockxsize": 64, "blockysize": 64} if tiled else {}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=pixels.shape[0],
        width=pixels.shape[1],
        count=1,
        dtype=pixels.dtype.name,
        crs=crs,
        transform=from_origin(west, north, size, size),
        nodata=nodata,
        compress="deflate",
        **tiles,
    ) as file:
        file.write(pixels, 1)
    return path


def landsat_numbers(shape: tuple[int, int], seed: int) -> dict[str, npt.NDArray[np.uint16]]:
    """Return digital numbers of six bands with structure and noise."""
    random = np.random.default_rng(seed)
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    wave = np.sin(rows / 17) * np.cos(cols / 23)
    made = {}
    for number, name in enumerate(OLI_CODES):
        level = 9000 + 1500 * number + 1200 * wave * (1 if name == "nir" else -0.4)
        made[name] = (level + random.normal(0, 200, shape)).clip(1, 65535).astype(np.uint16)
    return made


def landsat_quality(shape: tuple[int, int], seed: int) -> npt.NDArray[np.uint16]:
    """Return QA_PIXEL words: mostly clear, with patches of everything else, and an edge of fill."""
    random = np.random.default_rng(seed)
    words = np.full(shape, CLEAR, dtype=np.uint16)
    for word in (CLOUD, SHADOW, SNOW, CIRRUS, DILATED, WATER):
        row, col = random.integers(0, shape[0] - 8), random.integers(0, shape[1] - 8)
        words[row : row + 12, col : col + 15] = word
    words[:, :2] = FILL
    return words


def landsat_product(
    folder: Path,
    *,
    date: str = "20240712",
    shape: tuple[int, int] = (160, 200),
    seed: int = 1,
    path_row: str = "017034",
    west: float = WEST,
    north: float = NORTH,
    size: float = 30.0,
    crs: str = UTM,
) -> Path:
    """Write a Landsat 9 Collection 2 Level 2 product, and return its folder."""
    name = f"LC09_L2SP_{path_row}_{date}_20240713_02_T1"
    quality = landsat_quality(shape, seed + 100)
    for band, numbers in landsat_numbers(shape, seed).items():
        numbers[quality == FILL] = 0
        place = folder / name / f"{name}_SR_B{OLI_CODES[band]}.TIF"
        write_tiff(place, numbers, west=west, north=north, size=size, crs=crs, nodata=0)
    write_tiff(
        folder / name / f"{name}_QA_PIXEL.TIF", quality, west=west, north=north, size=size, crs=crs, nodata=1
    )
    return folder / name


def modis_series(
    folder: Path, ndvi: npt.NDArray[np.float64], dates: list[str], *, reliability: bool = True
) -> Path:
    """Write MOD13Q1 NDVI, shape (dates, height, width), with its pixel reliability."""
    for date, image in zip(dates, ndvi, strict=True):
        numbers = np.where(np.isnan(image), -3000, np.round(image * 10000)).astype(np.int16)
        name = f"MOD13Q1.A{date}.h12v10.061.2024000000000_250m_16_days"
        place = {"west": -6_000_000.0, "north": -1_200_000.0, "size": 231.65635826385406, "crs": SINUSOIDAL}
        write_tiff(folder / f"{name}_NDVI.tif", numbers, nodata=-3000, **place)
        if reliability:
            words = np.where(np.isnan(image), -1, 0).astype(np.int8)
            write_tiff(folder / f"{name}_pixel_reliability.tif", words, nodata=-1, **place)
    return folder


def stac_item(folder: Path, product: Path) -> Path:
    """Write a STAC item beside a Landsat product, as USGS does."""
    assets = {"qa_pixel": {"href": f"{product.name}/{product.name}_QA_PIXEL.TIF", "roles": ["cloud"]}}
    for band, code in OLI_CODES.items():
        assets["nir08" if band == "nir" else band] = {
            "href": f"./{product.name}/{product.name}_SR_B{code}.TIF",
            "raster:bands": [{"scale": 2.75e-5, "offset": -0.2}],
            "eo:bands": [{"common_name": "nir08" if band == "nir" else band}],
        }
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": product.name,
        "collection": "landsat-c2l2-sr",
        "geometry": None,
        "properties": {"datetime": "2024-07-12T16:04:01.000000Z"},
        "links": [],
        "assets": assets,
    }
    path = folder / "item.json"
    path.write_text(json.dumps(item))
    return path
