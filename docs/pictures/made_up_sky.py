"""Draw ``made-up-sky.png``: a made-up field, and the same with its truth in the colours of the classes.

Run it in this folder: ``python made_up_sky.py``.
"""

from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from helikon.space.outputs.colours import COLOURS
from helikon.space.skies import simulate_sky

SEED, OPTIONS = 8, {"size": 640, "array": "vla-b", "n_extended": 70.0, "n_bright": 8.0, "diffuse": 0.5}


def main() -> None:
    """Draw the picture."""
    sky = simulate_sky(SEED, split="test", hours=1.0, **OPTIONS)
    figure, axes = plt.subplots(1, 2, figsize=(12.8, 6.7))
    shades = np.arcsinh(sky.map.data / np.median(sky.local_rms) / 2)
    for axis in axes:
        axis.imshow(shades, vmin=-1.2, vmax=4.5, cmap="gray", origin="lower", interpolation="nearest")
        axis.set_axis_off()
    draw_truth(axes[1], sky)
    handles = [plt.Line2D([], [], color=colour, lw=3, label=name) for name, colour in COLOURS.items()]
    figure.legend(handles=handles, loc="lower center", ncols=len(COLOURS), frameon=False)
    figure.subplots_adjust(left=0, right=1, top=1, bottom=0.06, wspace=0.01)
    figure.savefig("made-up-sky.png", dpi=100)
    picture = Image.open("made-up-sky.png").convert("RGB").quantize(240, method=Image.Quantize.MAXCOVERAGE)
    picture.save("made-up-sky.png", optimize=True)


def draw_truth(axis: Any, sky: Any) -> None:
    """Outline the pixels of each source, and box what has several islands."""
    for row in sky.truth:
        x0, y0, x1, y1 = row["bbox"]
        colour = COLOURS[str(row["class"])]
        mask = np.pad(sky.labels[y0:y1, x0:x1] == row["id"], 1).astype(float)
        axis.contour(
            np.arange(x0 - 1, x1 + 1),
            np.arange(y0 - 1, y1 + 1),
            mask,
            levels=[0.5],
            colors=colour,
            linewidths=1,
        )
        if row["n_islands"] > 1:
            corner = (x0 - 3, y0 - 3)
            box = plt.Rectangle(corner, x1 - x0 + 5, y1 - y0 + 5, fill=False, ec=colour, lw=0.8, ls=":")
            axis.add_patch(box)


if __name__ == "__main__":
    main()
