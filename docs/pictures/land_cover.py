"""Draw land-cover.png from what the tutorial makes: ``land_cover.py NDVI_FOLDER MAP_FOLDER``."""

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import rasterio
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

COLOURS = {"Cerrado": "#c9a227", "Forest": "#1b5e20", "Pasture": "#9ccc65", "Soy_Corn": "#ab47bc"}


def main() -> None:
    """Show two dates and the class map."""
    ndvi, made = Path(sys.argv[1]), Path(sys.argv[2])
    figure, axes = plt.subplots(1, 3, figsize=(15, 3.6), layout="constrained")
    shown = None
    for axis, date in zip(axes, ("2013-09-14", "2014-02-18"), strict=False):
        with rasterio.open(ndvi / f"composite-{date}.tif") as file:
            shown = axis.imshow(file.read(1), cmap="YlGn", vmin=0.1, vmax=0.95)
        axis.set_title(f"NDVI, {date}")
    figure.colorbar(shown, ax=axes[:2], shrink=0.8)
    with rasterio.open(made / "map.tif") as file:
        classes = file.read(1)
    item = json.loads((made / "map.json").read_text())
    names = [one["name"] for one in item["assets"]["map"]["classification:classes"][1:]]
    colours = ListedColormap(["white", *(COLOURS[name] for name in names)])
    axes[2].imshow(classes, cmap=colours, vmin=0, vmax=len(names), interpolation="nearest")
    axes[2].set_title("Land cover, from twelve dates")
    shares = np.bincount(classes.ravel(), minlength=len(names) + 1)[1:] / max(1, np.count_nonzero(classes))
    handles = [
        Patch(color=COLOURS[name], label=f"{name} {100 * share:.0f} %")
        for name, share in zip(names, shares, strict=True)
    ]
    axes[2].legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.savefig(Path(__file__).with_name("land-cover.png"), dpi=80)


if __name__ == "__main__":
    main()
