"""The picture: a map with what was found in it."""

from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import QTable
from astropy.visualization import AsinhStretch, ImageNormalize
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse

from helikon.space.catalogue import source_counts
from helikon.space.fits import RadioMap
from helikon.space.measures.gaussians import ellipse_of_form
from helikon.space.measures.outlines import outlines_in_pixels
from helikon.space.outputs.colours import COLOURS
from helikon.space.sky import beam_form

__all__ = ["COLOURS", "closed", "draw", "grey", "stretch"]

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]

WIDTH_INCHES = 9.0
MAP_WIDTH = 0.74
"""Of the picture: the rest is for the axis and the bar."""
MOST_PIXELS = 1200
"""Along the longer side of the map as drawn: more than this no screen shows."""
N_SIGMA_WHITE = 1.5
GROWTH, LEAST_RADIUS = 1.5, 1 / 160
"""Outlines of compact sources are drawn larger than they are, and not below this part of the map."""


def draw(catalogue: QTable, radio_map: RadioMap) -> Figure:
    """Draw a map in inverted grey (asinh stretch) with every entry outlined by class.

    Parameters
    ----------
    catalogue : QTable
        Of the map.
    radio_map : RadioMap
        The map, or one of the same sky with larger pixels.
    """
    ny, nx = radio_map.data.shape
    map_height = WIDTH_INCHES * MAP_WIDTH * min(max(ny / nx, 0.4), 2.5)
    height = map_height + 1.5
    figure = Figure(figsize=(WIDTH_INCHES, height))
    place = (0.12, 0.95 / height, MAP_WIDTH, map_height / height)
    axes = figure.add_axes(place, projection=radio_map.wcs)
    norm = stretch(radio_map.data * np.float32(1e3))
    small, step = _shrunk(radio_map.data * np.float32(1e3))
    shown = (small.shape[1] * step - 0.5, small.shape[0] * step - 0.5)
    axes.imshow(grey(small, norm), origin="lower", extent=(-0.5, shown[0], -0.5, shown[1]))
    axes.set_xlim(-0.5, nx - 0.5)
    axes.set_ylim(-0.5, ny - 0.5)
    _outline(axes, catalogue, radio_map)
    _show_beam(axes, radio_map)
    _label(figure, axes, norm, catalogue, radio_map)
    return figure


def stretch(data: Float) -> Any:
    """Return the norm that shows noise as light grey and keeps bright sources apart."""
    step = -(-max(data.shape) // 1024)
    valid = data[::step, ::step]
    valid = valid[np.isfinite(valid)]
    if not valid.size:
        return ImageNormalize(vmin=0.0, vmax=1.0, clip=True)
    median = float(np.median(valid))
    sigma = 1.4826 * float(np.median(np.abs(valid - median))) or float(valid.std()) or 1.0
    top = max(float(np.percentile(valid, 99.9)), median + 20 * sigma)
    return ImageNormalize(
        vmin=median - N_SIGMA_WHITE * sigma,
        vmax=top,
        stretch=AsinhStretch(a=4 * sigma / (top - median)),
        clip=True,
    )


def grey(data: Float, norm: Any) -> npt.NDArray[np.uint8]:
    """Return a picture (h, w, 3) in inverted grey; blank pixels are white."""
    level = 255 * (1 - np.asarray(norm(np.nan_to_num(data, nan=norm.vmin)), dtype=np.float32))
    return np.repeat(level.astype(np.uint8)[..., None], 3, axis=2)


def closed(polygon: Double) -> Double:
    """Return a polygon with its first corner again at the end."""
    return np.concatenate([polygon, polygon[:1]])


def _shrunk(data: Float) -> tuple[Float, int]:
    """Average blocks of pixels until the map is no larger than the screen."""
    step = -(-max(data.shape) // MOST_PIXELS)
    if step == 1:
        return data, 1
    ny, nx = (-(-length // step) for length in data.shape)
    padded = np.full((ny * step, nx * step), np.nan, dtype=np.float32)
    padded[: data.shape[0], : data.shape[1]] = data
    blocks = padded.reshape(ny, step, nx, step)
    known = np.isfinite(blocks)
    n_known = known.sum(axis=(1, 3), dtype=np.float32)
    total = np.where(known, blocks, np.float32(0)).sum(axis=(1, 3))
    return np.where(n_known > 0, total / np.maximum(n_known, 1), np.float32(np.nan)), step


def _outline(axes: Any, catalogue: QTable, radio_map: RadioMap) -> None:
    classes = np.array([str(name) for name in catalogue["class"]])
    polygons = outlines_in_pixels([str(text) for text in catalogue["outline"]], radio_map.wcs)
    least = LEAST_RADIUS * max(radio_map.data.shape)
    for name, colour in COLOURS.items():
        chosen = np.flatnonzero(classes == name)
        lines = [polygon for row in chosen for polygon in polygons[row]]
        if name == "compact":
            lines = [_grown(polygon, least) for polygon in lines]
        axes.add_collection(
            LineCollection(
                [closed(line) for line in lines],
                colors=colour,
                linewidths=1.2,
                linestyles=[(0, (3, 2)) if name == "spurious" else "solid"],
            ),
            autolim=False,
        )


def _grown(polygon: Double, least: float) -> Double:
    centre = polygon.mean(axis=0)
    offset = polygon - centre
    radius = float(np.hypot(*offset.T).mean())
    return np.asarray(centre + offset * max(GROWTH, least / max(radius, 1e-9)))


def _show_beam(axes: Any, radio_map: RadioMap) -> None:
    major, minor, angle = (float(value[0]) for value in ellipse_of_form(np.array([beam_form(radio_map)])))
    margin = 0.03 * min(radio_map.data.shape) + major / 2
    patch = Ellipse(
        (margin, margin),
        major,
        minor,
        angle=np.degrees(angle),
        facecolor="black",
        edgecolor="white",
        zorder=5,
    )
    axes.add_patch(patch)
    axes.text(margin + major / 2 + 0.012 * radio_map.data.shape[1], margin, "beam", va="center", fontsize=8,
              bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1.5})  # fmt: skip


def _label(figure: Figure, axes: Any, norm: Any, catalogue: QTable, radio_map: RadioMap) -> None:
    counts = source_counts(catalogue)
    n_sources = sum(n for name, n in counts.items() if name != "spurious")
    n_artefacts = counts["spurious"]
    artefacts = f", {n_artefacts} artefact{'s' * (n_artefacts > 1)}" if n_artefacts else ""
    axes.set_title(f"{radio_map.name}: {n_sources} sources{artefacts}", fontsize=12)
    handles = [
        Line2D([], [], color=COLOURS[name], linewidth=2, label=f"{name} ({n})")
        for name, n in counts.items()
        if n
    ]
    if handles:
        figure.legend(handles=handles, loc="lower center", ncols=len(handles), frameon=False, fontsize=9)
    box = axes.get_position()
    side = figure.add_axes((box.x1 + 0.02, box.y0, 0.02, box.height))
    bar = figure.colorbar(ScalarMappable(norm, "gray_r"), cax=side, ticks=_ticks(norm), format="%g")
    bar.set_label("mJy/beam")
    for coordinate, name in zip(axes.coords, _axis_names(radio_map), strict=False):
        coordinate.set_axislabel(name)


def _ticks(norm: Any) -> Double:
    """About six values, evenly spread along the stretched bar, to two digits."""
    values = norm.inverse(np.linspace(0.05, 0.98, 6))
    digits = 10 ** (np.floor(np.log10(np.abs(values) + 1e-12)) - 1)
    return np.unique(np.round(values / digits) * digits)


def _axis_names(radio_map: RadioMap) -> tuple[str, str]:
    galactic = str(radio_map.wcs.wcs.ctype[0]).startswith("GLON")
    frame = str(radio_map.wcs.wcs.radesys or "ICRS")
    return ("Galactic longitude", "Galactic latitude") if galactic else (f"RA ({frame})", f"Dec ({frame})")
