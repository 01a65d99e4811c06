"""Read prepared chips: for training, for a look in a notebook, for prediction."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from helikon.earth.manifest import Summary, read_manifest
from helikon.earth.shards import ZARR, chip_sha256, decode, shard_key
from helikon.errors import EngineError
from helikon.settings import Settings

if TYPE_CHECKING:
    import pyarrow

    from helikon.spark.objects import Folder

__all__ = ["ChipSet", "open_chips"]

Float = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChipSet:
    """Prepared chips.

    Attributes
    ----------
    folder : Folder
        Where they are.
    table : pyarrow.Table
        The manifest: see :class:`helikon.earth.manifest.ChipRow`.
    summary : Summary
        What they have in common.
    """

    folder: "Folder"
    table: "pyarrow.Table"
    summary: Summary

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def batches(self, split: str = "") -> Iterator[tuple[list[str], Float]]:
        """Yield the chips of each shard with their keys.

        Parameters
        ----------
        split : str
            ``train``, ``validation``, ``test`` or ``guard``; empty for all.

        Yields
        ------
        list of str, ndarray of shape (n, …)
        """
        for rows in self.shards():
            chosen = [n for n, row in enumerate(rows) if split in ("", row["split"])]
            if chosen:
                yield [rows[n]["key"] for n in chosen], self.read(rows)[chosen]

    def shards(self) -> list[list[dict[str, Any]]]:
        """Return the manifest's rows, those of one shard together and in its order."""
        found: dict[tuple[str, int], list[dict[str, Any]]] = {}
        columns = [name for name in self.table.column_names if name != "geometry"]
        for row in self.table.select(columns).to_pylist():
            unit = row["offset"] // self.summary.n_slots if self.summary.form == "zarr" else 0
            found.setdefault((row["shard"], unit), []).append(row)
        return list(found.values())

    def read(self, rows: list[dict[str, Any]]) -> Float:
        """Return the chips of one shard's rows.

        Raises
        ------
        EngineError
            If they are not those that were written.
        """
        summary, key = self.summary, rows[0]["shard"]
        if summary.form == "zarr":
            number = rows[0]["offset"] // summary.n_slots
            key = shard_key("zarr", number, len(summary.shape) + 1)
        chips = decode(summary.form, self.folder.read(key), len(rows), summary.shape, summary.n_slots)
        for chip, row in zip(chips, rows, strict=True):
            if chip_sha256(chip) != row["sha256"]:
                raise EngineError(
                    f"chip {row['key']} in {self.folder.url} is not the one that was prepared",
                    next_step="run helikon earth prepare again: it makes anew what is damaged",
                )
        return chips

    def physical(self, chips: Float) -> Float:
        """Return chips as they were before normalisation."""
        if not self.summary.mean:
            return chips
        mean = np.array(self.summary.mean, dtype=np.float32).reshape(-1, 1, 1)
        std = np.array(self.summary.std, dtype=np.float32).reshape(-1, 1, 1)
        return np.asarray(chips * std + mean)

    def zarr(self) -> Any:
        """Return the chips as one Zarr array, if they are in a folder and of that format."""
        import zarr

        return zarr.open_array(f"{self.folder.url}/{ZARR}", mode="r")


def open_chips(url: str, settings: Settings) -> ChipSet:
    """Open what ``helikon earth prepare`` wrote.

    Raises
    ------
    NotFound
        If nothing was prepared there, or not to the end.
    """
    from helikon.spark.objects import open_folder

    folder = open_folder(url, settings)
    table, summary = read_manifest(folder)
    return ChipSet(folder=folder, table=table, summary=summary)
