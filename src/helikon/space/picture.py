"""The picture: a map with what was found in it."""

from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import QTable
from astropy.visualization import AsinhStretch, ImageNormalize
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse

from helikon.space.catalogue import source_counts
from helikon.space.colours import COLOURS
from helikon.space.fits import RadioMap
from helikon.space.gaussians import ellipse_of_form
from helikon.space.names import read_outline
from helikon.space.sky import beam_form

__all__ = ["COLOURS", "draw"]

WIDTH_INCHES = 9.0
N_SIGMA_WHITE = 1.5
Double = npt.NDArray[np.float64]


def draw(catalogue: QTable, radio_map: RadioMap) -> Figure:
    """Draw a map in inverted grey (asinh stretch) with every entry outlined by class.

    Compact sources get ellipses of twice their FWHM, others the border of
    their pixels.
    """
    ny, nx = radio_map.data.shape
    height = WIDTH_INCHES * min(max(ny / nx, 0.4), 2.5) * 0.8 + 1.0
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    axes = figure.add_subplot(projection=radio_map.wcs)
    image = axes.imshow(
        radio_map.data * 1e3,
        origin="lower",
        cmap="gray_r",
        norm=_norm(radio_map.data * 1e3),
        interpolation="nearest",
    )
    axes.set_xlim(-0.5, nx - 0.5)
    axes.set_ylim(-0.5, ny - 0.5)
    _outline(axes, catalogue, radio_map)
    _show_beam(axes, radio_map)
    _label(figure, axes, image, catalogue, radio_map)
    return figure


def _norm(data: npt.NDArray[np.float32]) -> Any:
    valid = data[np.isfinite(data)]
    median = float(np.median(valid))
    sigma = 1.4826 * float(np.median(np.abs(valid - median))) or float(valid.std()) or 1.0
    top = max(float(np.percentile(valid, 99.9)), median + 20 * sigma)
    return ImageNormalize(
        vmin=median - N_SIGMA_WHITE * sigma,
        vmax=top,
        stretch=AsinhStretch(a=4 * sigma / (top - median)),
        clip=True,
    )


def _outline(axes: Any, catalogue: QTable, radio_map: RadioMap) -> None:
    classes = np.array([str(name) for name in catalogue["class"]])
    for name, colour in COLOURS.items():
        chosen = catalogue[classes == name] if len(catalogue) else catalogue
        if len(chosen) == 0:
            continue
        if name == "compact":
            axes.add_collection(_ellipses(axes, chosen, radio_map, colour), autolim=False)
        else:
            outlines = [outline for row in chosen for outline in _in_pixels(str(row["outline"]), radio_map)]
            style = (0, (3, 2)) if name == "spurious" else "solid"
            axes.add_collection(
                LineCollection(outlines, colors=colour, linewidths=1.2, linestyles=[style]), autolim=False
            )


def _ellipses(axes: Any, chosen: QTable, radio_map: RadioMap, colour: str) -> EllipseCollection:
    """Ellipses of twice the FWHM, at least ten times the width of the line."""
    pixel = radio_map.pixel_arcsec
    widths, heights = (
        2 * np.maximum(chosen[key].to_value("arcsec") / pixel, max(radio_map.data.shape) / 160)
        for key in ("major", "minor")
    )
    x, y = (chosen[key].to_value("pix") for key in ("x", "y"))
    return EllipseCollection(
        widths, heights, chosen["pa"].to_value("deg") + 90, units="xy", offsets=np.column_stack([x, y]),
        offset_transform=axes.get_transform("pixel"), facecolors="none", edgecolors=colour, linewidths=1.2,
    )  # fmt: skip


def _in_pixels(outline: str, radio_map: RadioMap) -> list[Double]:
    from astropy.coordinates import SkyCoord

    found = []
    for polygon in read_outline(outline):
        sky = SkyCoord(polygon[:, 0], polygon[:, 1], unit="deg", frame="icrs")
        x, y = radio_map.wcs.world_to_pixel(sky)
        found.append(np.column_stack([np.append(x, x[0]), np.append(y, y[0])]))
    return found


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


def _label(figure: Figure, axes: Any, image: Any, catalogue: QTable, radio_map: RadioMap) -> None:
    counts = source_counts(catalogue)
    n_sources = sum(n for name, n in counts.items() if name != "spurious")
    n_artefacts = counts["spurious"]
    artefacts = f", {n_artefacts} artefact{'s' * (n_artefacts > 1)}" if n_artefacts else ""
    figure.suptitle(f"{radio_map.name}: {n_sources} sources{artefacts}", fontsize=12)
    handles = [
        Line2D([], [], color=COLOURS[name], linewidth=2, label=f"{name} ({n})")
        for name, n in counts.items()
        if n
    ]
    if handles:
        figure.legend(
            handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=9
        )
    bar = figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02, ticks=_ticks(image.norm), format="%g")
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
