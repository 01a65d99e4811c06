"""Catalogues as FITS tables, written again byte for byte with columns behind each row's own."""

import contextlib
import dataclasses
import gzip
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.table import Table

from helikon.errors import InputError
from helikon.space.catalogues.columns import position_columns
from helikon.space.catalogues.kinds import whose
from helikon.space.catalogues.places import Places
from helikon.space.catalogues.positions import places_of_table

__all__ = ["FitsCatalogue", "read_fits_table"]

BLOCK = 2880
Bytes = npt.NDArray[np.uint8]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FitsCatalogue:
    """The bytes of a FITS file, and which of its HDUs is the catalogue."""

    kind: str
    suffix: str
    table: Table
    places: Places
    raw: bytes
    hdu: int

    def write(self, added: Table, path: Path) -> None:
        """Write the file with columns more in its table; every other byte stays."""
        with _opened(self.raw) as hdus:
            header, info = hdus[self.hdu].header.copy(), hdus[self.hdu].fileinfo()
        start, span = int(info["datLoc"]), int(info["datSpan"])
        width, n_rows = int(header["NAXIS1"]), int(header["NAXIS2"])
        rows = np.frombuffer(self.raw, np.uint8, width * n_rows, start).reshape(n_rows, width)
        rest = self.raw[start + width * n_rows : start + width * n_rows + int(header["PCOUNT"])]
        more = _records(added)
        _describe(header, added, more.dtype)
        if "THEAP" in header:
            header["THEAP"] = int(header["THEAP"]) + more.dtype.itemsize * n_rows
        data = (
            np.concatenate([rows, more.view(np.uint8).reshape(n_rows, more.dtype.itemsize)], axis=1).tobytes()
            + rest
        )
        padding = b"\0" * (-len(data) % BLOCK)
        before, after = self.raw[: int(info["hdrLoc"])], self.raw[start + span :]
        path.write_bytes(before + header.tostring().encode("ascii") + data + padding + after)


def read_fits_table(path: Path, frame: str = "") -> FitsCatalogue:
    """Read the first table of a FITS file that has positions.

    Parameters
    ----------
    path : Path
    frame : str
        Of positions whose frame the file does not say; see ``frames.named_frame``.

    Raises
    ------
    InputError
        If it is cut short, or has no such table.
    """
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = _unpacked(raw, path.name)
    try:
        with _opened(raw) as hdus:
            number, table = _choose(hdus, len(raw), path.name)
            header = hdus[number].header
            said = str(header.get("RADESYS") or header.get("RADECSYS") or header.get("COOSYS") or "")
            equinox = str(header.get("EQUINOX") or "")
    except (OSError, ValueError, TypeError, KeyError, fits.VerifyError) as error:
        raise InputError(
            f"{path.name} cannot be read as a FITS table",
            got=" ".join(str(error).split())[:120],
            expected="a whole FITS file",
        ) from error
    return FitsCatalogue(
        kind=whose(table, "FITS"),
        suffix=".fits",
        table=table,
        places=places_of_table(table, frame=said or frame, equinox=equinox),
        raw=raw,
        hdu=number,
    )


def _unpacked(raw: bytes, name: str) -> bytes:
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError) as error:
        raise InputError(f"{name} cannot be unpacked", got="a gzip file that is cut short") from error


@contextlib.contextmanager
def _opened(raw: bytes) -> Iterator[Any]:
    """Open bytes as FITS, astropy's remarks kept from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(io.BytesIO(raw), memmap=False, lazy_load_hdus=False) as hdus:
            yield hdus


def _choose(hdus: Any, length: int, name: str) -> tuple[int, Table]:
    tables = [i for i, hdu in enumerate(hdus) if type(hdu) is fits.BinTableHDU]
    if not tables:
        found = ", ".join(sorted({type(hdu).__name__ for hdu in hdus}))
        raise InputError(f"{name} holds no table", got=found, expected="a binary table of positions")
    read = [(i, _table(hdus[i], length)) for i in tables]
    return next((one for one in read if position_columns(one[1])), read[0])


def _table(hdu: Any, length: int) -> Table:
    header = hdu.header
    size = int(header["NAXIS1"]) * int(header["NAXIS2"]) + int(header["PCOUNT"])
    if int(hdu.fileinfo()["datLoc"]) + size > length:
        raise OSError("a file that is cut short")
    table = Table.read(hdu)
    for number, name in enumerate(table.colnames, start=1):
        if ucd := hdu.header.get(f"TUCD{number}"):
            table[name].meta["ucd"] = str(ucd)
    return table


def _records(added: Table) -> npt.NDArray[np.void]:
    """Make the bytes of the new columns as FITS wants them: big-endian, text padded with nothing."""
    kinds = []
    for name in added.colnames:
        kind = added[name].dtype.kind
        size = max(1, added[name].dtype.itemsize // 4)
        kinds.append((name, {"U": f"S{size}", "f": ">f4", "i": ">i4"}[kind]))
    records = np.zeros(len(added), dtype=kinds)
    for name, kind in kinds:
        empty: Any = b"" if kind.startswith("S") else (np.nan if kind == ">f4" else -1)
        values = np.ma.asarray(added[name])
        if kind.startswith("S"):
            records[name] = [b"" if gone else str(v).encode() for v, gone in _masked(values)]
        else:
            records[name] = np.ma.filled(values, empty)
    return records


def _masked(values: Any) -> Any:
    return zip(values.data.tolist(), np.ma.getmaskarray(values).tolist(), strict=True)


def _describe(header: Any, added: Table, dtype: Any) -> None:
    first = int(header["TFIELDS"]) + 1
    header["NAXIS1"] = int(header["NAXIS1"]) + dtype.itemsize
    header["TFIELDS"] = int(header["TFIELDS"]) + len(added.colnames)
    for number, name in enumerate(added.colnames, start=first):
        kind, size = dtype[name].kind, dtype[name].itemsize
        header[f"TTYPE{number}"] = name
        header[f"TFORM{number}"] = {"S": f"{size}A", "f": "E", "i": "J"}[kind]
        header[f"TUCD{number}"] = str(added[name].meta["ucd"])
        header[f"TCOMM{number}"] = str(added[name].description)
        if kind == "i":
            header[f"TNULL{number}"] = -1
    for key in ("CHECKSUM", "DATASUM"):
        header.remove(key, ignore_missing=True)
