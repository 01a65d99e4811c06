"""A made-up sky on disk: ``map.fits``, ``truth.vot``, ``labels.fits``."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.io.votable.exceptions import VOWarning
from astropy.table import Table

from helikon.errors import InputError, NotFound
from helikon.space.fits import read_map, write_map
from helikon.space.skies.shards import read_shard
from helikon.space.skies.simulate import Sky
from helikon.space.whole import whole_files

__all__ = ["LABELS", "MAP", "TRUTH", "read_catalogue", "read_sky", "write_sky"]

MAP, TRUTH, LABELS = "map.fits", "truth.vot", "labels.fits"


def write_sky(sky: Sky, folder: Path) -> Path:
    """Write a sky; each file appears whole, ``truth.vot`` last.

    Parameters
    ----------
    folder : Path
        Made if need be; files of those names in it are replaced.

    Raises
    ------
    InputError
        If the folder cannot be made or written to.
    """
    labels = fits.CompImageHDU(sky.labels, name="LABELS", compression_type="GZIP_1")
    rms = fits.CompImageHDU(sky.local_rms, name="LOCAL_RMS", compression_type="GZIP_1", quantize_level=0)
    rms.header["BUNIT"] = "Jy/beam"
    with whole_files(folder, (MAP, LABELS, TRUTH)) as beside:
        write_map(sky.map, beside[MAP])
        fits.HDUList([fits.PrimaryHDU(), labels, rms]).writeto(beside[LABELS])
        sky.truth.write(beside[TRUTH], format="votable")
    return folder


def read_sky(folder: Path) -> Sky:
    """Read what :func:`write_sky` wrote to a folder, or a field of a data set from its one file.

    Raises
    ------
    NotFound
        If the folder lacks one of the files.
    InputError
        If the files do not belong together.
    """
    if folder.is_file():
        return read_shard(folder)
    for name in (MAP, TRUTH, LABELS):
        if not (folder / name).is_file():
            raise NotFound(
                f"no made-up sky in {folder}",
                got=f"no {name}",
                expected=f"{MAP}, {TRUTH} and {LABELS}",
                next_step="make one with `helikon space simulate --out DIR`",
            )
    radio_map = read_map(folder / MAP)
    with fits.open(folder / LABELS) as hdus:
        labels, local_rms = hdus["LABELS"].data.astype(np.int32), hdus["LOCAL_RMS"].data.astype(np.float32)
    if labels.shape != radio_map.data.shape:
        raise InputError(
            f"{LABELS} and {MAP} differ in shape", got=labels.shape, expected=str(radio_map.data.shape)
        )
    truth = read_catalogue(folder / TRUTH)
    for name in ("class", "shape"):
        truth[name] = truth[name].astype(str)
    return Sky(map=radio_map, truth=truth, labels=labels, local_rms=local_rms)


def read_catalogue(path: Path) -> Any:
    """Read a VOTable or FITS table.

    Raises
    ------
    NotFound
        If there is no such file.
    InputError
        If it is neither.
    """
    if not path.is_file():
        raise NotFound("no such catalogue", got=str(path))
    kind = "fits" if path.read_bytes()[:6] == b"SIMPLE" else "votable"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VOWarning)
            return Table.read(path, format=kind, **({} if kind == "fits" else {"table_id": 0}))
    except Exception as error:
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path.name} cannot be read as a table", got=message, expected="a VOTable or a FITS table"
        ) from None
