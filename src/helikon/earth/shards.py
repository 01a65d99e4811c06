"""Chips as objects: NPZ files, or one Zarr array of which every unit writes whole shards.

The same chips give the same bytes, whoever writes them and when.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from helikon.apps import needing
from helikon.earth.chips import Chip
from helikon.errors import HelikonError, InputError

if TYPE_CHECKING:
    from helikon.spark.objects import Folder

__all__ = [
    "FORMATS",
    "ZARR",
    "chip_sha256",
    "decode",
    "encode",
    "is_sealed",
    "seal",
    "shard_key",
    "zarr_metadata",
]

Float = npt.NDArray[np.float32]

FORMATS = ("npz", "zarr")
ZARR = "chips.zarr"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def shard_key(form: str, number: int, n_dimensions: int) -> str:
    """Return the key of a unit's shard."""
    if form == "npz":
        return f"chips/{number:06d}.npz"
    return f"{ZARR}/c/{number}" + "/0" * (n_dimensions - 1)


def encode(form: str, chips: Float, keys: list[str], n_slots: int) -> list[memoryview]:
    """Return a shard's bytes, piece by piece; those of an NPZ file's chips are the chips' own memory.

    Parameters
    ----------
    form : {"npz", "zarr"}
    chips : ndarray, shape (n, …)
        The chips that are kept, in order.
    keys : list of str
        Their names; kept in the NPZ file.
    n_slots : int
        Chips that a Zarr shard has room for; what is left is empty, and takes no room.
    """
    if form == "npz":
        return _npz({"chips": chips, "keys": np.array(keys, dtype="U12")})
    return [memoryview(_zarr_shard(chips, n_slots))]


def seal(
    form: str, chips: Float, rows: Sequence[dict[str, Any]], n_slots: int
) -> tuple[list[memoryview], list[dict[str, Any]]]:
    """Return a shard's bytes, piece by piece, and the rows of its chips, each with its SHA-256."""
    sealed = [row | {"sha256": chip_sha256(chip)} for row, chip in zip(rows, chips, strict=True)]
    content = encode(form, chips, [Chip(row["row"], row["col"]).key for row in rows], n_slots)
    return content, sealed


def is_sealed(
    folder: "Folder",
    key: str,
    form: str,
    rows: Sequence[dict[str, Any]],
    shape: tuple[int, ...],
    n_slots: int,
) -> bool:
    """Whether a shard is there and holds the chips of rows as they were sealed.

    Parameters
    ----------
    folder, key : Folder, str
        Where the shard is.
    form : {"npz", "zarr"}
    rows : sequence of dict
        As :func:`seal` returned them.
    shape : tuple of int
        Of a chip.
    n_slots : int
        See :func:`encode`.
    """
    try:
        chips = read_shard(folder, key, form, len(rows), shape, n_slots)
    except HelikonError:
        return False
    return [chip_sha256(chip) for chip in chips] == [row["sha256"] for row in rows]


def chip_sha256(chip: Float) -> str:
    """Return the SHA-256 of a chip's pixels."""
    return hashlib.sha256(np.ascontiguousarray(chip).data).hexdigest()


def decode(form: str, content: bytes, n_chips: int, shape: tuple[int, ...], n_slots: int) -> Float:
    """Return the chips of a shard's bytes, shape (n_chips, …).

    Raises
    ------
    InputError
        If it is damaged.
    """
    try:
        if form == "npz":
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                _ = file["keys"]  # whose checksum is looked at too
                return np.asarray(file["chips"], dtype=np.float32)
        return _zarr_unpack(content, n_chips, shape, n_slots)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError("a shard is damaged", got=str(error), next_step="prepare the chips again") from error


def zarr_metadata(n_units: int, n_slots: int, shape: tuple[int, ...], attributes: dict[str, Any]) -> bytes:
    """Return ``zarr.json`` of the whole array: ``n_units × n_slots`` chips of a shape.

    Where a chip was not kept there is NaN.
    """
    array, store = _zarr_array(n_units * n_slots, n_slots, shape)
    array.update_attributes(attributes)
    text = json.loads(store._store_dict["zarr.json"].to_bytes())
    return (json.dumps(text, indent=1) + "\n").encode()


def _npz(arrays: dict[str, npt.NDArray[Any]]) -> list[memoryview]:
    """Write as ``numpy.savez`` does, but without copying the arrays."""
    file = _Pieces()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)
            with archive.open(entry, "w", force_zip64=True) as part:
                header: Any = np.lib.format.header_data_from_array_1_0(array)
                np.lib.format.write_array_header_1_0(part, header)
                part.write(np.ascontiguousarray(array).view(np.uint8).data)
    return file.pieces()


class _Pieces(io.RawIOBase):
    """A file of the pieces that are written into it, which it does not copy."""

    def __init__(self) -> None:
        self._written: dict[int, memoryview] = {}
        self._place = 0

    def write(self, data: Any) -> int:
        """Keep a piece; one in the place of another is as long."""
        piece = memoryview(data).cast("B")
        self._written[self._place] = piece
        self._place += piece.nbytes
        return piece.nbytes

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, counted from the start whatever ``whence`` says."""
        self._place = offset
        return offset

    def tell(self) -> int:
        """Return the place where the next piece goes."""
        return self._place

    def pieces(self) -> list[memoryview]:
        """Return what was written, in the order of its places."""
        return [self._written[place] for place in sorted(self._written)]


def _zarr_array(n: int, n_slots: int, shape: tuple[int, ...]) -> tuple[Any, Any]:
    with needing("chips as Zarr need it", "earth"):
        import zarr
        from zarr.codecs import ZstdCodec
        from zarr.storage import MemoryStore
    store = MemoryStore()
    array = zarr.create_array(
        store,
        shape=(n, *shape),
        dtype="float32",
        chunks=(1, *shape),
        shards=(n_slots, *shape),
        compressors=ZstdCodec(level=1),
        fill_value=float("nan"),
        dimension_names=["chip", *("time", "band", "y", "x")[-len(shape) :]],
    )
    return array, store


def _zarr_shard(chips: Float, n_slots: int) -> bytes:
    array, store = _zarr_array(n_slots, n_slots, chips.shape[1:])
    array[: len(chips)] = chips
    (key,) = (key for key in store._store_dict if key.startswith("c/"))
    return bytes(store._store_dict[key].to_bytes())


def _zarr_unpack(content: bytes, n_chips: int, shape: tuple[int, ...], n_slots: int) -> Float:
    from zarr.core.buffer import default_buffer_prototype

    array, store = _zarr_array(n_slots, n_slots, shape)
    key = "c/0" + "/0" * len(shape)
    store._store_dict[key] = default_buffer_prototype().buffer.from_bytes(content)
    return np.asarray(array[:n_chips], dtype=np.float32)


def read_shard(
    folder: "Folder", key: str, form: str, n_chips: int, shape: tuple[int, ...], n_slots: int
) -> Float:
    """Read and decode a shard."""
    return decode(form, folder.read(key), n_chips, shape, n_slots)
