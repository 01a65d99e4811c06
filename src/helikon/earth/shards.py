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
from helikon.errors import InputError

if TYPE_CHECKING:
    from helikon.spark.objects import Folder

__all__ = ["FORMATS", "ZARR", "chip_sha256", "decode", "encode", "seal", "shard_key", "zarr_metadata"]

Float = npt.NDArray[np.float32]

FORMATS = ("npz", "zarr")
ZARR = "chips.zarr"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def shard_key(form: str, number: int, n_dimensions: int) -> str:
    """Return the key of a unit's shard."""
    if form == "npz":
        return f"chips/{number:06d}.npz"
    return f"{ZARR}/c/{number}" + "/0" * (n_dimensions - 1)


def encode(form: str, chips: Float, keys: list[str], n_slots: int) -> bytes:
    """Return a shard's bytes.

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
    return _zarr_shard(chips, n_slots)


def seal(
    form: str, chips: Float, rows: Sequence[dict[str, Any]], n_slots: int
) -> tuple[bytes, str, list[dict[str, Any]]]:
    """Return a shard's bytes, their SHA-256, and the rows of its chips, each with its own SHA-256."""
    sealed = [row | {"sha256": chip_sha256(chip)} for row, chip in zip(rows, chips, strict=True)]
    content = encode(form, chips, [Chip(row["row"], row["col"]).key for row in rows], n_slots)
    return content, hashlib.sha256(content).hexdigest(), sealed


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
                return np.asarray(file["chips"], dtype=np.float32)
        return _zarr_unpack(content, n_chips, shape, n_slots)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError("a shard is damaged", got=str(error), next_step="prepare the chips again") from error


def zarr_metadata(n_units: int, n_slots: int, shape: tuple[int, ...], attributes: dict[str, Any]) -> bytes:
    """Return ``zarr.json`` of the whole array: ``n_units × n_slots`` chips of a shape.

    Where a chip was not kept there is NaN.
    """
    array, store = _zarr_array(n_units * n_slots, n_slots, shape)
    array.update_attributes(attributes)
    text = json.loads(store._store_dict["zarr.json"].to_bytes())
    return (json.dumps(text, indent=1) + "\n").encode()


def _npz(arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    """Write as ``numpy.savez`` does, but without copying the chips more than once."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)
            with archive.open(entry, "w", force_zip64=True) as part:
                np.lib.format.write_array(part, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()


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
