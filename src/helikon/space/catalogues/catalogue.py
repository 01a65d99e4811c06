"""What every reader gives: a catalogue that can be written again with more columns."""

from pathlib import Path
from typing import Protocol

from astropy.table import Table

from helikon.space.catalogues.places import Places

__all__ = ["Catalogue"]


class Catalogue(Protocol):
    """A catalogue as its file has it.

    ``kind`` says whose it is, ``suffix`` what its file is called after the
    point. ``table`` has its rows in their order, with no column left out;
    ``places`` has one place for each row.
    """

    @property
    def kind(self) -> str:
        """Whose format it is, as ``PyBDSF text``."""

    @property
    def suffix(self) -> str:
        """How files of the format end, with the point."""

    @property
    def table(self) -> Table:
        """The rows."""

    @property
    def places(self) -> Places:
        """Where they are."""

    def write(self, added: Table, path: Path) -> None:
        """Write the same catalogue in its own format with the columns of ``added`` behind its own."""
