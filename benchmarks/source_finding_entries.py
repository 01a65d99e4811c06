"""Read what each finder wrote, as entries on the pixels of a sky.

All finders are read the same way: entries below 5 sigma (measured peak over
the finder's own noise) are cut; a footprint is the finder's own where it
segments the map, else the 3 sigma isophote of its Gaussians.
"""

import itertools
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from skimage.draw import polygon

from helikon.space.classes import CLASSES, PROBABILITY_COLUMNS
from helikon.space.evaluation.entries import Entries, read_entries

CUT_SIGMA = 5.0
ISOPHOTE_SIGMA = 3.0


def read(finder: str, folder: Path, sky: Any) -> Entries:
    """Return the entries of 5 sigma or more."""
    entries = READERS.get(finder, helikon)(folder, sky)
    return entries.take(entries.snr >= CUT_SIGMA)


def helikon(folder: Path, sky: Any) -> Entries:
    """Our own catalogue, as a user gets it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = Table.read(folder / "sources.vot", format="votable", table_id=0)
    return read_entries(table, sky)


def pybdsf(folder: Path, sky: Any) -> Entries:
    """One entry for each source; its footprint is that of its Gaussians together."""
    if not (folder / "srl.fits").exists():
        return plain(*(np.zeros(0) for _ in range(4)), [])
    sources, gaussians = Table.read(folder / "srl.fits"), Table.read(folder / "gaul.fits")
    x, y = sky.map.wcs.all_world2pix(sources["RA"], sources["DEC"], 0)
    of_source: dict[int, list[Any]] = {}
    for row in gaussians:
        rows = isophote(sky, row["RA"], row["DEC"], row["Maj"], row["Min"], row["PA"],
                        row["Peak_flux"] / row["Isl_rms"])  # fmt: skip
        of_source.setdefault(int(row["Source_id"]), []).append(rows)
    prints = [together(of_source.get(int(number), [])) for number in sources["Source_id"]]
    snr = np.asarray(sources["Peak_flux"] / sources["Isl_rms"], dtype=float)
    return plain(x, y, np.asarray(sources["Total_flux"], dtype=float), snr, prints)


def aegean(folder: Path, sky: Any) -> Entries:
    """One entry for each component."""
    path = folder / "table_comp.fits"
    if not path.exists():
        return plain(*(np.zeros(0) for _ in range(4)), [])
    table = Table.read(path)
    x, y = sky.map.wcs.all_world2pix(table["ra"], table["dec"], 0)
    snr = np.asarray(table["peak_flux"] / table["local_rms"], dtype=float)
    prints = [
        isophote(sky, row["ra"], row["dec"], row["a"] / 3600, row["b"] / 3600, row["pa"], one)
        for row, one in zip(table, snr, strict=True)
    ]
    return plain(x, y, np.asarray(table["int_flux"], dtype=float), snr, prints)


def segmented(folder: Path, sky: Any) -> Entries:
    """Finders with a segmentation map; fluxes come as sums of pixels."""
    with np.load(folder / "segments.npz") as file:
        part = {name: file[name] for name in file.files}
    segments = part["segments"]
    order = np.argsort(segments, axis=None, kind="stable")
    numbers = segments.ravel()[order]
    starts = np.searchsorted(numbers, np.arange(1, len(part["x"]) + 2))
    width = segments.shape[1]
    prints = [np.divmod(order[a:b], width) for a, b in itertools.pairwise(starts)]
    beam = sky.map.beam.major_arcsec * sky.map.beam.minor_arcsec * math.pi / (4 * math.log(2))
    flux = part["flux"] * sky.map.pixel_arcsec**2 / beam
    return plain(part["x"], part["y"], flux, part["peak"] / part["rms"], prints)


def classified(folder: Path, sky: Any) -> Entries:
    """A rival's catalogue with our classes: entries of one galaxy are one entry, spurious ones as we say."""
    program, before = json.loads((folder / "before.json").read_text())
    entries = READERS[program](Path(before), sky)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = Table.read(folder / "classified.vot", format="votable", table_id=0)
    last = {name.removeprefix("hlk_"): name for name in table.colnames}
    galaxy = np.ma.filled(table[last["galaxy"]], 0).astype(int)
    columns = [last[name] for name in PROBABILITY_COLUMNS]
    chances = np.stack([np.ma.filled(table[name].astype(float), np.nan) for name in columns], axis=1)
    galaxy = np.where(galaxy > 0, galaxy, galaxy.max(initial=0) + 1 + np.arange(len(galaxy)))
    return merged(entries, galaxy, chances)


def merged(entries: Entries, galaxy: Any, chances: Any) -> Entries:
    """Join the rows of each galaxy."""
    rows = [np.flatnonzero(galaxy == number) for number in np.unique(galaxy)]
    flux = [np.nan_to_num(entries.int_flux[one]) for one in rows]
    weight = [np.maximum(part, 1e-12) for part in flux]
    first = [one[np.argmax(entries.snr[one])] for one in rows]
    said = chances[first] if first else np.zeros((0, 5))
    names = ["compact" if np.isnan(one).any() else CLASSES[int(one.argmax())] for one in said]
    return Entries(
        x=np.array([np.average(entries.x[one], weights=w) for one, w in zip(rows, weight, strict=True)]),
        y=np.array([np.average(entries.y[one], weights=w) for one, w in zip(rows, weight, strict=True)]),
        class_name=np.array(names, dtype="U24"),
        int_flux=np.array([part.sum() for part in flux]),
        snr=entries.snr[first] if first else np.zeros(0),
        probabilities=said,
        footprints=[together([entries.footprints[i] for i in one]) for one in rows],
    )


def plain(x: Any, y: Any, flux: Any, snr: Any, prints: Any) -> Entries:
    """Entries without classes."""
    n = len(x)
    return Entries(
        x=np.asarray(x, dtype=float),
        y=np.asarray(y, dtype=float),
        class_name=np.full(n, "compact", dtype="U24"),
        int_flux=np.asarray(flux, dtype=float),
        snr=np.asarray(snr, dtype=float),
        probabilities=np.full((n, 5), np.nan),
        footprints=list(prints),
    )


def isophote(sky: Any, ra: float, dec: float, major: float, minor: float, angle: float, snr: float) -> Any:
    """Pixels of a Gaussian (FWHM in degrees, angle north through east) above 3 sigma."""
    x, y = sky.map.wcs.all_world2pix(ra, dec, 0)
    reach = math.sqrt(math.log2(max(snr / ISOPHOTE_SIGMA, 1.05))) / 2
    a, b = (max(0.7, axis * 3600 / sky.map.pixel_arcsec * reach) for axis in (major, minor))
    t, turn = np.linspace(0, 2 * np.pi, 40), np.radians(angle)
    along, across = a * np.cos(t), b * np.sin(t)
    return polygon(
        y + along * np.cos(turn) + across * np.sin(turn),
        x - along * np.sin(turn) + across * np.cos(turn),
        sky.labels.shape,
    )


def together(prints: list[Any]) -> Any:
    """Union of footprints."""
    if not prints:
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    pixels = np.unique(np.concatenate([np.stack(one, axis=1) for one in prints]), axis=0)
    return pixels[:, 0], pixels[:, 1]


READERS = {
    "pybdsf": pybdsf,
    "aegean": aegean,
    "sep": segmented,
    "photutils": segmented,
    "classify": classified,
}
