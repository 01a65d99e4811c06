"""Radio maps: one in memory, and one in a file of which windows are read."""

import contextlib
import dataclasses
import threading
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from helikon.errors import HelikonError, InputError
from helikon.space.beam import Beam

__all__ = ["A_FITS_FILE", "MapFile", "RadioMap", "quiet", "reading"]

Float = npt.NDArray[np.float32]

A_FITS_FILE = "a whole FITS file with an image"
UNREADABLE = (OSError, EOFError, ValueError, TypeError, KeyError, RuntimeError, zlib.error, fits.VerifyError)
"""What astropy raises of files that are broken; its CfitsioException has no public name."""
FILL_BLOCK, N_FILL_BLOCKS = 8, 8
"""Pixels along a block, and how many blocks that hold nothing else make a value a fill."""
STEPS_SAMPLE, STEPS_SHARE, LEAST_REPEATS = 40_000, 0.2, 4
"""In so many pixels a value that repeats itself, this part as often as zero does, tells a map in steps."""
LEAST_ZEROS = 1e-4
"""Part of a map: fewer zeros are blank whatever they are."""
STRIP_PIXELS = 1 << 22
"""Pixels that are read at a time for an overview."""

_LOCK = threading.RLock()
"""Python's warning filters belong to the process: one thread at a time may change them."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RadioMap:
    """One radio-continuum image.

    Attributes
    ----------
    data : ndarray of float32, shape (ny, nx)
        Surface brightness in Jy/beam; NaN where nothing was observed.
    wcs : astropy.wcs.WCS
        Celestial, two-dimensional, of any frame.
    beam : Beam
        The restoring beam.
    pixel_arcsec : float
        Side of a (square) pixel in arcseconds.
    frequency_hz : float or None
        Where the header tells.
    name : str
        For titles and provenance.
    notes : tuple of str
        What was assumed or changed in reading.
    """

    data: Float
    wcs: Any
    beam: Beam
    pixel_arcsec: float
    frequency_hz: float | None = None
    name: str = "map"
    notes: tuple[str, ...] = ()

    @property
    def beam_fwhm_pixels(self) -> float:
        """Geometric mean of the beam's widths in pixels."""
        return self.beam.fwhm_arcsec / self.pixel_arcsec

    @property
    def beam_area_pixels(self) -> float:
        """Solid angle of the beam in pixels."""
        return self.beam.area_arcsec2 / self.pixel_arcsec**2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MapFile:
    """An open map: what its header says, and windows of its pixels.

    Of the ``n_axes`` FITS axes of ``section``, ``axes`` (from 0) are x and y; all others are one pixel long.
    """

    shape: tuple[int, int]
    wcs: Any
    beam: Beam
    pixel_arcsec: float
    frequency_hz: float | None
    name: str
    notes: tuple[str, ...]
    section: Any
    n_axes: int
    axes: tuple[int, int]
    factor: float
    fills_are_blank: bool

    def window(self, rows: slice, columns: slice) -> Float:
        """Read a window as float32 Jy/beam, NaN where blank."""
        with quiet(), reading(self.name):
            parts = dict(zip(self.axes, (columns, rows), strict=True))
            index = tuple(parts.get(axis, 0) for axis in reversed(range(self.n_axes)))
            size = [len(range(*part.indices(n))) for part, n in zip((rows, columns), self.shape, strict=True)]
            values = np.asarray(self.section[index]).reshape(size)
            wide = values if self.factor == 1 else values * np.float64(self.factor)
            data = wide.astype(np.float32)
        data[~np.isfinite(data)] = np.nan
        if self.fills_are_blank:
            for fill in _fills(values):
                data[values == fill] = np.nan
        return data

    def window_map(self, rows: slice, columns: slice) -> RadioMap:
        """Read a window as a map of its own; the sky of its pixels is that of the whole map's."""
        return self._as_map(self.window(rows, columns), self.wcs[rows, columns])

    def overview(self, most_pixels: int = 2048) -> RadioMap:
        """Read the map averaged over blocks of pixels, strip by strip: for a picture, not for measures.

        Parameters
        ----------
        most_pixels : int
            Longest side of the result; a map that is no longer is read as it is.
        """
        block = -(-max(self.shape) // most_pixels)
        if block == 1:
            return self.read()
        n_rows = block * max(1, STRIP_PIXELS // (block * self.shape[1]))
        strips = [
            _averaged(self.window(slice(start, min(start + n_rows, self.shape[0])), slice(None)), block)
            for start in range(0, self.shape[0], n_rows)
        ]
        small = self._as_map(np.concatenate(strips), self.wcs[::block, ::block])
        return dataclasses.replace(small, pixel_arcsec=self.pixel_arcsec * block)

    def read(self) -> RadioMap:
        """Read the whole map.

        Raises
        ------
        InputError
            If no pixel has a value, or all have the same.
        """
        data = self.window(slice(None), slice(None))
        valid = data[np.isfinite(data)]
        if valid.size == 0 or valid.min() == valid.max():
            nothing = "blank pixels only (NaN, zeros, or one value that fills it)"
            got = nothing if valid.size == 0 else f"the value {valid[0]:g} in every pixel"
            raise InputError(f"{self.name} holds no image", got=got, expected="pixels in Jy/beam")
        return self._as_map(data, self.wcs)

    def _as_map(self, data: Float, wcs: Any) -> RadioMap:
        return RadioMap(
            data=data,
            wcs=wcs,
            beam=self.beam,
            pixel_arcsec=self.pixel_arcsec,
            frequency_hz=self.frequency_hz,
            name=self.name,
            notes=self.notes,
        )


def _fills(values: npt.NDArray[Any]) -> list[Any]:
    """Return the values that stand where nothing was measured: noise never repeats itself to the bit.

    Zeros do wherever they are, unless the map comes in steps and zero is one of them.
    """
    in_steps = _comes_in_steps(values)
    always = [] if in_steps else [0]
    sample = values[::FILL_BLOCK, ::FILL_BLOCK]  # a quick look first: most maps have none
    alike = (sample[1:, 1:] == sample[:-1, 1:]) & (sample[1:, 1:] == sample[1:, :-1])
    if np.count_nonzero(alike & (in_steps | (sample[1:, 1:] != 0))) < N_FILL_BLOCKS:
        return always
    n_rows, n_columns = (length // FILL_BLOCK for length in values.shape)
    whole = values[: n_rows * FILL_BLOCK, : n_columns * FILL_BLOCK]
    blocks = whole.reshape(n_rows, FILL_BLOCK, n_columns, FILL_BLOCK)
    least = blocks.min(axis=(1, 3))
    found, n_blocks = np.unique(least[least == blocks.max(axis=(1, 3))], return_counts=True)
    return always + list(found[n_blocks >= N_FILL_BLOCKS])


def _comes_in_steps(values: npt.NDArray[Any]) -> bool:
    """Say whether zero is a value like others: lone pixels have it, or another value is about as frequent."""
    is_zero = values == 0
    n_zeros = np.count_nonzero(is_zero)
    if n_zeros < LEAST_ZEROS * values.size:
        return False
    alone = is_zero[:-1, :-1] & ~is_zero[1:, :-1] & ~is_zero[:-1, 1:]
    if np.count_nonzero(alone) > n_zeros / 2:
        return True
    step = max(1, values.size // STEPS_SAMPLE)
    some = values.ravel()[::step]
    _, n_same = np.unique(some[np.isfinite(some) & (some != 0)], return_counts=True)
    return int(n_same.max(initial=0)) >= max(LEAST_REPEATS, STEPS_SHARE * n_zeros / step)


def _averaged(strip: Float, block: int) -> Float:
    """Average over blocks of pixels, those at the far ends smaller; NaN where all are blank."""
    summed, known = np.nan_to_num(strip, nan=0.0), np.isfinite(strip).astype(np.float32)
    for axis in (0, 1):
        starts = np.arange(0, strip.shape[axis], block)
        summed, known = (np.add.reduceat(array, starts, axis=axis) for array in (summed, known))
    with np.errstate(invalid="ignore"):
        return np.asarray(summed / known, dtype=np.float32)


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what goes wrong in reading a file into an InputError; nothing but reading belongs into it."""
    try:
        yield
    except HelikonError:
        raise
    except Exception as error:
        if not isinstance(error, UNREADABLE) and type(error).__name__ != "CfitsioException":
            raise
        raise InputError(
            f"{name} cannot be read as FITS", got=_reason(error), expected=A_FITS_FILE
        ) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "SIMPLE" in text:
        return "no FITS header"
    return text[:120].rstrip(" .,") or type(error).__name__


@contextlib.contextmanager
def quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Keep astropy's warnings on dates and cards from the user; gives the list of them."""
    with _LOCK, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield said
