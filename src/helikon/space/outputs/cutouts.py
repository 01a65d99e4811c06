"""Cut-outs: contact sheets to look through, and FITS files to work on."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import QTable
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from scipy import ndimage

from helikon.space.fits import MapFile, RadioMap, write_map
from helikon.space.measures.gaussians import ellipse_of_form
from helikon.space.measures.outlines import outlines_in_pixels
from helikon.space.outputs.colours import COLOURS
from helikon.space.outputs.picture import closed, grey, stretch
from helikon.space.sky import beam_form
from helikon.space.whole import whole_files

__all__ = ["CUTOUT_FOLDER", "choose_rows", "write_cutouts"]

CUTOUT_FOLDER = "cutouts"
N_COLUMNS, N_ROWS = 5, 4
"""Of a sheet."""
SIDE = 220
"""Of a picture on a sheet in its pixels."""
GAP, TEXT = 12, 62
"""Between pictures, and for the words below each."""
LEAST_BEAMS, MOST_PIXELS = 14.0, 1200
"""Side of a cut-out: at least so many beam widths, at most so many pixels of the map."""
MARGIN = 1.6
"""Side of a cut-out in sizes of the source."""

Float = npt.NDArray[np.float32]
Double = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Cutout:
    """A piece of the map around one source; polygons in pixels of the piece."""

    row: int
    piece: RadioMap
    polygons: list[Double]
    beam: tuple[float, float, float]


def write_cutouts(
    catalogue: QTable, source: RadioMap | MapFile, folder: Path | str, n: int, *, fits: bool = False
) -> dict[str, Path]:
    """Write contact sheets of sources to ``folder/cutouts``: all files whole, or none.

    Parameters
    ----------
    catalogue : QTable
        Of the whole map.
    source : RadioMap or MapFile
        Where the pixels are read from; only those around the sources are.
    n : int
        Sources, as :func:`choose_rows` has them.
    fits : bool
        Write each as a FITS image too, named after its source.

    Returns
    -------
    dict of str to Path
        Names, with the folder's, to paths.
    """
    folder = Path(folder) / CUTOUT_FOLDER
    cutouts = _cut(catalogue, source, choose_rows(catalogue, n))
    per_sheet = N_COLUMNS * N_ROWS
    sheets = [cutouts[start : start + per_sheet] for start in range(0, len(cutouts), per_sheet)]
    names = [f"sheet-{number:02d}.png" for number in range(1, len(sheets) + 1)]
    images = [f"{str(catalogue['name'][one.row]).replace(' ', '_')}.fits" for one in cutouts if fits]
    with whole_files(folder, (*names, *images)) as beside:
        for name, sheet in zip(names, sheets, strict=True):
            _sheet(catalogue, sheet).savefig(
                beside[name], format="png", dpi=100, pil_kwargs={"compress_level": 4}
            )
        for name, one in zip(images, cutouts, strict=False):
            write_map(one.piece, beside[name])
    return {f"{CUTOUT_FOLDER}/{name}": folder / name for name in (*names, *images)}


def choose_rows(catalogue: QTable, n: int) -> list[int]:
    """Return the rows of n sources: those that are not compact first, each kind the brightest first."""
    is_compact = np.array([str(name) == "compact" for name in catalogue["class"]], dtype=bool)
    flux = np.nan_to_num(np.asarray(catalogue["int_flux"].value))
    return [int(row) for row in np.lexsort((-flux, is_compact))[:n]]


def _cut(catalogue: QTable, source: RadioMap | MapFile, rows: Sequence[int]) -> list[_Cutout]:
    """Read the pieces of the map around sources."""
    outlines = outlines_in_pixels([str(catalogue["outline"][row]) for row in rows], source.wcs)
    shape = source.data.shape if isinstance(source, RadioMap) else source.shape
    least = LEAST_BEAMS * source.beam.fwhm_arcsec / source.pixel_arcsec
    found = []
    for row, polygons in zip(rows, outlines, strict=True):
        low, high = (reach(np.concatenate(polygons), axis=0) for reach in (np.min, np.max))
        half = min(max(MARGIN * float(np.max(high - low)), least), MOST_PIXELS) / 2
        middle = (low + high) / 2
        columns, lines = (
            slice(max(0, round(at - half)), min(length, round(at + half) + 1))
            for at, length in zip(middle.tolist(), shape[::-1], strict=True)
        )
        corner = np.array([columns.start, lines.start])
        piece = _piece(source, lines, columns, str(catalogue["name"][row]))
        found.append(
            _Cutout(
                row=row,
                piece=piece,
                polygons=[polygon - corner for polygon in polygons],
                beam=beam_form(piece),
            )
        )
    return found


def _piece(source: RadioMap | MapFile, lines: slice, columns: slice, name: str) -> RadioMap:
    data = source.data[lines, columns] if isinstance(source, RadioMap) else source.window(lines, columns)
    return RadioMap(
        data=data,
        wcs=source.wcs[lines, columns],
        beam=source.beam,
        pixel_arcsec=source.pixel_arcsec,
        frequency_hz=source.frequency_hz,
        name=name,
    )


def _sheet(catalogue: QTable, cutouts: Sequence[_Cutout]) -> Figure:
    """Put cut-outs on one picture, rows from the top."""
    n_rows = -(-len(cutouts) // N_COLUMNS)
    width, height = N_COLUMNS * (SIDE + GAP) + GAP, n_rows * (SIDE + TEXT) + GAP
    canvas = np.full((height, width, 3), 255, dtype=np.uint8)
    figure = Figure(figsize=(width / 100, height / 100))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for place, one in enumerate(cutouts):
        row, column = divmod(place, N_COLUMNS)
        corner = GAP + column * (SIDE + GAP), GAP + row * (SIDE + TEXT)
        _paint(canvas, axes, catalogue[one.row], one, corner)
    axes.imshow(canvas, interpolation="nearest")
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    return figure


def _paint(
    canvas: npt.NDArray[np.uint8], axes: Any, source: Any, one: _Cutout, corner: tuple[int, int]
) -> None:
    """Paint one cut-out, its outline, beam and words; y runs down on the sheet."""
    left, top = corner
    height, width = one.piece.data.shape
    zoom = SIDE / max(height, width)
    shown = grey(_zoomed(one.piece.data, zoom), stretch(one.piece.data))[::-1][:SIDE, :SIDE]
    canvas[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    low = top + shown.shape[0]
    colour = COLOURS[str(source["class"])]
    lines = [
        np.stack([left + (x + 0.5) * zoom, low - (y + 0.5) * zoom], axis=1)
        for x, y in (closed(polygon).T for polygon in one.polygons)
    ]
    frame = np.array([[0, 0], [shown.shape[1], 0], [shown.shape[1], shown.shape[0]], [0, shown.shape[0]]])
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=1.3), autolim=False)
    axes.add_collection(LineCollection([closed(frame + corner)], colors="0.6", linewidths=0.6), autolim=False)
    _paint_beam(axes, one, (left, low), zoom)
    for number, (text, style) in enumerate(_words(source)):
        axes.text(left, top + SIDE + 13 + 14 * number, text, fontsize=7.5, va="center", **style)


def _paint_beam(axes: Any, one: _Cutout, corner: tuple[int, int], zoom: float) -> None:
    major, minor, angle = (float(value[0]) for value in ellipse_of_form(np.array([one.beam])))
    at = corner[0] + 6 + zoom * major / 2, corner[1] - 6 - zoom * major / 2
    axes.add_patch(
        Ellipse(at, zoom * major, zoom * minor, angle=-math.degrees(angle), facecolor="black",
                edgecolor="white", linewidth=0.8)
    )  # fmt: skip


def _words(source: Any) -> list[tuple[str, dict[str, Any]]]:
    name = str(source["class"])
    flux, size = source["int_flux"].to_value("mJy"), source["las"].to_value("arcsec")
    flags = str(source["flags"]).replace(" ", ", ")
    return [
        (str(source["name"]), {"weight": "bold"}),
        (f"{name} {source['class_prob']:.2f}   {flux:.3g} mJy", {"color": COLOURS[name]}),
        (f"{size:.3g}″" + (f"   {flags}" if flags else ""), {"color": "0.35"}),
    ]


def _zoomed(data: Float, zoom: float) -> Float:
    filled = np.nan_to_num(data, nan=float(np.nanmedian(data)) if np.isfinite(data).any() else 0.0)
    return np.asarray(ndimage.zoom(filled, zoom, order=1, grid_mode=True, mode="nearest"), dtype=np.float32)
